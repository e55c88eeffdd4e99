//! `models auth list`.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::Page;
use crate::app::list::{Outcome, Request, Row};
use crate::model::id::{ProviderId, printable};
use crate::model::time::Timestamp;

/// The document: the shape of the May release, with owner and fingerprint added.
pub fn json(request: &Request, outcome: &Outcome, store: &Path) -> String {
    let directory = store.parent().unwrap_or(store);
    let document = json!({
        "agentId": request.agent.as_str(),
        "agentDir": directory,
        "authStatePath": directory.join("auth-state.json"),
        "provider": request.provider.as_ref().map(ProviderId::as_str),
        "profiles": outcome.rows.iter().map(row).collect::<Vec<_>>(),
        "storePath": store,
        "faults": outcome.faults,
    });
    super::pretty(&document)
}

fn row(row: &Row) -> Value {
    let mut object = Map::new();
    let mut set = |key: &str, value: Value| {
        object.insert(key.to_owned(), value);
    };
    set("id", json!(row.id.as_str()));
    set("provider", json!(row.provider));
    set("type", json!(row.kind.as_str()));
    set("label", json!(label(row)));
    if let Some(email) = &row.email {
        set("email", json!(email));
    }
    for (key, time) in [
        ("expiresAt", row.expires),
        ("cooldownUntil", row.cooldown_until),
        ("disabledUntil", row.disabled_until),
    ] {
        if let Some(time) = time {
            set(key, json!(time.iso8601()));
        }
    }
    set("owner", json!(row.owner.as_str()));
    set("fingerprint", json!(row.fingerprint));
    Value::Object(object)
}

fn label(row: &Row) -> String {
    let email = row.email.as_deref().map(|email| printable(email, 120));
    email.map_or_else(
        || row.id.to_string(),
        |email| format!("{} ({email})", row.id),
    )
}

/// The table.
pub fn text(request: &Request, outcome: &Outcome, now: Timestamp) -> String {
    let mut page = Page::default();
    page.line(&format!("Agent: {}", request.agent));
    if outcome.rows.is_empty() {
        page.line("Profiles: (none)");
    } else {
        page.line("Profiles:");
    }
    for row in &outcome.rows {
        let mut notes = vec![format!(
            "{}/{}",
            printable(&row.provider, 80),
            row.kind.as_str()
        )];
        if row.expires.is_some() {
            notes.push(super::end(row.expires, now));
        }
        if let Some(until) = row.cooldown_until {
            notes.push(format!("cooldown until {}", until.iso8601()));
        }
        if let Some(until) = row.disabled_until {
            notes.push(format!("disabled until {}", until.iso8601()));
        }
        if row.owner != request.agent {
            notes.push(format!("from agent {}", row.owner));
        }
        match &row.fingerprint {
            Some(fingerprint) => notes.push(fingerprint.clone()),
            None => notes.push("holds no secret".to_owned()),
        }
        page.line(&format!("- {} [{}]", label(row), notes.join("; ")));
    }
    page.into_text()
}
