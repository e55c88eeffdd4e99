//! `models auth cooldown list`.

use serde_json::{Value, json};

use super::report::next;
use super::wrap::Sheet;
use crate::app::usecase::cooldown::Row;
use crate::cli::hint::Renderer;
use crate::model::hint::Command;
use crate::model::id::{AgentId, ProfileId, printable};
use crate::model::time::{LocalTime, Timestamp, short_duration};

/// The document.
pub fn document(agent: &AgentId, rows: &[Row]) -> Value {
    json!({
        "schema": 1,
        "agentId": agent,
        "profiles": rows,
    })
}

/// The table.
pub fn text(agent: &AgentId, rows: &[Row], local: LocalTime, hints: &Renderer) -> String {
    let now = local.now;
    let mut page = Sheet::default();
    page.line(&format!("Agent: {agent}"));
    if rows.is_empty() {
        page.line("No profile is cooling down.");
    }
    for of_provider in rows.chunk_by(|a, b| a.provider == b.provider) {
        for row in of_provider {
            let left = short_duration(now.until(row.until));
            let (kind, until) = (row.kind, local.clock(row.until));
            page.line(&format!(
                "{}  {kind} for {left}, until {until}",
                row.profile
            ));
            page.line(&format!("  {}", why(row, now)));
        }
        let provider = printable(&of_provider[0].provider, 80);
        let next = next(of_provider[0].next.as_ref(), now);
        page.line(&format!("{provider}: {next}"));
    }
    if let Some(first) = rows.first() {
        let clear = Command::new("models auth cooldown clear").arg(&first.profile);
        page.line(&format!("To clear a cooldown: {}", hints.command(&clear)));
    }
    page.into_text()
}

fn why(row: &Row, now: Timestamp) -> String {
    let counts = row.counts.iter();
    let counts: Vec<String> = counts
        .map(|(reason, count)| format!("{} {count}", printable(reason, 40)))
        .collect();
    let mut parts = match (&row.reason, row.errors) {
        (Some(reason), ..=1) => vec![printable(reason, 40)],
        (Some(reason), errors) => vec![format!("{}, {errors} failures", printable(reason, 40))],
        (None, _) if counts.is_empty() => vec!["no reason recorded".to_owned()],
        (None, _) => vec![counts.join(", ")],
    };
    if let Some(model) = &row.model {
        parts.push(format!("only for {}", printable(model, 80)));
    }
    if let Some(since) = row.since {
        parts.push(format!("last failed {}", super::ago(now.until(since))));
    }
    parts.join("; ")
}

/// What may be tried again.
pub fn cleared(agent: &AgentId, profiles: &[ProfileId]) -> String {
    let mut page = Sheet::default();
    page.line(&format!("Agent: {agent}"));
    for id in profiles {
        page.line(&format!("Cleared: {id}"));
    }
    if profiles.is_empty() {
        page.line("Nothing to clear.");
    }
    page.into_text()
}
