//! `models auth list` and `channels list`.

use std::borrow::Cow;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::present_but;
use super::wrap::Sheet;
use crate::app::credential::stored::StoredCredential;
use crate::app::usecase::list::{Outcome, Row};
use crate::model::id::{AgentId, ProviderId, printable};
use crate::model::time::{LocalTime, Timestamp};
use crate::ports::store::Location;

/// Where what is listed lies.
pub struct Place {
    /// The directory of the agent.
    pub directory: PathBuf,
    /// Its document.
    pub at: Location,
    /// Whether that is a file.
    pub is_file: bool,
}

/// The document: the shape of the May release, with owner and fingerprint added.
pub fn document(
    agent: &AgentId,
    provider: Option<&ProviderId>,
    outcome: &Outcome,
    place: &Place,
) -> Value {
    let document = json!({
        "agentId": agent,
        "agentDir": place.directory,
        "authStatePath": place.is_file.then(|| place.directory.join("auth-state.json")),
        "provider": provider,
        "profiles": outcome.rows.iter().map(row).collect::<Vec<_>>(),
        "storePath": place.at,
        "faults": outcome.faults,
    });
    present_but(document, "provider")
}

fn row(row: &Row) -> Value {
    let document = json!({
        "id": row.id,
        "provider": row.provider_id(),
        "type": row.credential.kind,
        "label": row.label,
        "email": row.credential.email,
        "displayName": row.display_name,
        "expiresAt": row.credential.expires.map(Timestamp::iso8601),
        "cooldownUntil": row.cooldown_until.map(Timestamp::iso8601),
        "disabledUntil": row.disabled_until.map(Timestamp::iso8601),
        "owner": row.owner,
        "inUse": row.in_use,
        "fingerprint": row.credential.fingerprint,
    });
    let mut document = present_but(document, "fingerprint");
    if row.credential.is_sealed {
        document["sealed"] = true.into();
    }
    document
}

/// The table.
pub fn text(agent: &AgentId, outcome: &Outcome, local: LocalTime) -> String {
    let mut page = Sheet::default();
    page.line(&format!("Agent: {agent}"));
    if outcome.rows.is_empty() {
        page.line("Profiles: (none)");
    } else {
        page.line("Profiles:");
    }
    for row in &outcome.rows {
        let mut notes: Vec<Cow<'_, str>> = Vec::new();
        if row.in_use {
            notes.push("in use".into());
        }
        let provider = printable(&row.credential.provider, 80);
        notes.push(
            [&provider, "/", row.credential.kind.as_str()]
                .concat()
                .into(),
        );
        if row.credential.expires.is_some() {
            notes.push(super::end(row.credential.expires, local.now).into());
        }
        if let Some(until) = row.cooldown_until {
            notes.push(format!("cooldown ends {}", local.spoken(until)).into());
        }
        if let Some(until) = row.disabled_until {
            notes.push(format!("disabled until {}", local.clock(until)).into());
        }
        if row.owner != *agent {
            notes.push(format!("inherited from {}", row.owner).into());
        }
        if row.credential.is_sealed {
            notes.push("sealed".into());
        }
        let StoredCredential {
            fingerprint,
            reference,
            ..
        } = &row.credential;
        let shown = fingerprint.as_deref().or(reference.as_deref());
        notes.push(shown.unwrap_or("no usable secret").into());
        let mark = if row.in_use { "* " } else { "- " };
        page.line(&[mark, &row.label, " [", &notes.join("; "), "]"].concat());
    }
    page.into_text()
}

/// The document of `channels list`: that of the reference release. No channel is ours.
pub fn channels_document(outcome: &Outcome) -> Value {
    let auth = outcome.rows.iter().map(|row| {
        json!({
            "id": row.id,
            "provider": row.credential.provider,
            "type": row.credential.kind,
            "isExternal": false,
        })
    });
    json!({ "chat": {}, "auth": auth.collect::<Vec<_>>() })
}

/// The same as text.
pub fn channels_text(outcome: &Outcome) -> String {
    let mut page = Sheet::default();
    page.line("Auth providers (OAuth + API keys):");
    if outcome.rows.is_empty() {
        page.line("- none");
    }
    for row in &outcome.rows {
        page.line(&format!("- {} ({})", row.id, row.credential.kind.as_str()));
    }
    page.into_text()
}
