//! `models auth cooldown list`.

use serde_json::{Map, Value, json};

use super::Page;
use super::report::{next, next_json};
use crate::app::cooldown::Row;
use crate::app::failure::shell_word;
use crate::model::id::{AgentId, printable};
use crate::model::time::{Timestamp, short_duration};

/// The document.
pub fn json(agent: &AgentId, rows: &[Row]) -> String {
    let document = json!({
        "schema": 1,
        "agentId": agent.as_str(),
        "profiles": rows.iter().map(row_json).collect::<Vec<_>>(),
    });
    super::pretty(&document)
}

fn row_json(row: &Row) -> Value {
    let counts = row.counts.iter();
    let counts: Map<String, Value> = counts
        .map(|(reason, count)| (reason.clone(), json!(count)))
        .collect();
    json!({
        "profileId": row.profile.as_str(),
        "provider": row.provider,
        "kind": kind(row),
        "reason": row.reason,
        "model": row.model,
        "since": row.since.map(|since| since.0),
        "until": row.until.0,
        "errorCount": row.errors,
        "failureCounts": counts,
        "knownBy": row.known_by.as_str(),
        "next": next_json(row.next.as_ref()),
    })
}

fn kind(row: &Row) -> &'static str {
    match row.disabled {
        true => "disabled",
        false => "cooldown",
    }
}

/// The table.
pub fn text(agent: &AgentId, rows: &[Row], now: Timestamp) -> String {
    let mut page = Page::default();
    page.line(&format!("Agent: {agent}"));
    if rows.is_empty() {
        page.line("No profile is passed over.");
    }
    for row in rows {
        let left = short_duration(now.until(row.until));
        let until = row.until.iso8601();
        page.line(&format!(
            "{}  {} for {left}, until {until}",
            row.profile,
            kind(row)
        ));
        page.line(&format!("  {}", why(row, now)));
        page.line(&format!("  {}", next(row.next.as_ref(), now)));
    }
    if let Some(first) = rows.first() {
        page.line(&format!(
            "To try one again at once: openclaw models auth cooldown clear {}",
            shell_word(first.profile.as_str())
        ));
    }
    page.into_text()
}

fn why(row: &Row, now: Timestamp) -> String {
    let counts = row.counts.iter();
    let counts: Vec<String> = counts
        .map(|(reason, count)| format!("{} {count}", printable(reason, 40)))
        .collect();
    let mut parts = vec![match &row.reason {
        Some(reason) => printable(reason, 40),
        None => "no reason is written down".to_owned(),
    }];
    if let Some(model) = &row.model {
        parts.push(format!("only for {}", printable(model, 80)));
    }
    if let Some(since) = row.since {
        let ago = short_duration(since.until(now));
        parts.push(format!("last failed {ago} ago"));
    }
    if !counts.is_empty() {
        parts.push(format!("counted: {}", counts.join(", ")));
    }
    parts.join("; ")
}
