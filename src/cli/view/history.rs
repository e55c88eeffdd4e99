//! `models auth history`.

use serde_json::{Value, json};

use super::wrap::Sheet;
use crate::app::credential::stored::StoredCredential;
use crate::app::usecase::history::{Outcome, Row, SuccessorLocation, Verdict};
use crate::cli::hint::Renderer;
use crate::model::hint::Command;
use crate::model::history::Cause;
use crate::model::id::{AgentId, printable};
use crate::model::moved::Moved;
use crate::model::time::{LocalTime, Timestamp};

/// The document.
pub fn document(agent: &AgentId, outcome: &Outcome) -> Value {
    json!({
        "schema": 1,
        "agentId": agent,
        "limit": outcome.limit,
        "profiles": outcome.lines,
        "faults": outcome.faults,
    })
}

/// The table.
pub fn text(agent: &AgentId, outcome: &Outcome, local: LocalTime, hints: &Renderer) -> String {
    let now = local.now;
    let mut page = Sheet::default();
    let agent = match outcome.lines.first() {
        Some(line) => &line.owner,
        None => agent,
    };
    page.line(&format!("Agent: {agent}"));
    if outcome.lines.is_empty() {
        page.line("No previous versions are kept.");
    }
    for line in &outcome.lines {
        page.line(&line.profile.to_string());
        let present = line.now.as_ref().map(|present| stored(present, now));
        let present = present.unwrap_or_else(|| "nothing".to_owned());
        page.line(&format!("  now  {present}"));
        for row in &line.rows {
            generation(&mut page, row, local);
        }
        if let Some(row) = line.rows.iter().find(|row| row.restorable) {
            let back = Command::undo(&line.profile).option("--generation", &row.number);
            page.line(&format!("  To restore one: {}", hints.command(&back)));
        }
    }
    if outcome.limit == 0 {
        page.line("OPENCLAW_AUTH_HISTORY is 0: replaced credentials are no longer kept.");
    }
    page.into_text()
}

fn generation(page: &mut Sheet, row: &Row, local: LocalTime) {
    page.line(&format!(
        "  {:>3}  {}",
        row.number,
        stored(&row.credential, local.now)
    ));
    let at = local.spoken(row.replaced_at);
    let change = match row.cause {
        Cause::OtherProgram => format!("stored {at}, removed by another program"),
        cause => format!("replaced by {} {at}", cause.as_ref()),
    };
    page.line(&format!(
        "       {change}; {}",
        verdict(&row.verdict, local)
    ));
}

fn verdict(verdict: &Verdict, local: LocalTime) -> String {
    match verdict {
        Verdict::Good => "can be restored".to_owned(),
        Verdict::InDoubt { since } => format!(
            "can be restored, but its refresh token may already be used: the outcome of a refresh {} is unknown",
            local.spoken(*since)
        ),
        Verdict::Refused { why } => format!("can be restored, but {why}"),
        Verdict::Revoked { at } => format!("revoked {}", local.spoken(*at)),
        Verdict::Moved { at, to } if Moved::is_for_database(to) => {
            format!("moved to a database {}", local.spoken(*at))
        }
        Verdict::Moved { at, .. } => format!("moved to another machine {}", local.spoken(*at)),
        Verdict::Spent { at, successor } => {
            let at = at.map_or_else(String::new, |at| format!(" {}", local.spoken(at)));
            let successor = SuccessorLocation::words(successor.as_ref());
            format!("refresh token already used{at}; its successor is {successor}")
        }
    }
}

/// A credential in a few words.
pub fn stored(stored: &StoredCredential, now: Timestamp) -> String {
    let mut parts = vec![format!(
        "{}/{}",
        printable(&stored.provider, 80),
        stored.kind.as_str()
    )];
    let named = [&stored.email, &stored.account_id].into_iter().flatten();
    parts.extend(named.map(|name| printable(name, 120)));
    if stored.expires.is_some() {
        parts.push(super::end(stored.expires, now));
    }
    match &stored.fingerprint {
        Some(fingerprint) => parts.push(fingerprint.clone()),
        None => parts.push("no token".to_owned()),
    }
    parts.join("; ")
}
