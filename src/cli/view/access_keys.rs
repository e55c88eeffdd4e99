//! `gateway key`: keys without their text.

use serde_json::{Value, json};

use super::present_but;
use super::wrap::Sheet;
use crate::model::access_key::{AccessKey, Standing};
use crate::model::id::printable;
use crate::model::time::{LocalTime, Timestamp};

/// The document of one key.
pub fn document(key: &AccessKey, now: Timestamp) -> Value {
    let document = json!({
        "id": key.id,
        "name": key.name,
        "role": key.role,
        "state": key.standing(now).as_ref(),
        "scope": key.scope,
        "createdAt": key.created.iso8601(),
        "expiresAt": key.ends().map(Timestamp::iso8601),
        "revokedAt": key.revoked_at.map(Timestamp::iso8601),
    });
    present_but(document, "expiresAt")
}

/// The list.
pub fn text(keys: &[AccessKey], local: LocalTime) -> String {
    let mut page = Sheet::default();
    if keys.is_empty() {
        page.line("Keys: (none)");
    } else {
        page.line("Keys:");
    }
    for key in keys {
        page.line(&format!("- {}", line(key, local)));
    }
    page.into_text()
}

/// One key: `0123456789abcdef ci [lease; provider openai-codex; expires in 7 days, 6 Dec 14:05]`.
pub fn line(key: &AccessKey, local: LocalTime) -> String {
    let mut notes = vec![key.role.as_ref().to_owned()];
    let scope = &key.scope;
    notes.extend(limit("provider", &scope.providers));
    notes.extend(limit("agent", &scope.agents));
    notes.extend(limit("profile", &scope.profiles));
    notes.extend(limit("from", &scope.networks));
    notes.push(
        match (key.standing(local.now), key.revoked_at, key.ends()) {
            (Standing::Revoked, Some(at), _) => format!("revoked {}", local.spoken_past(at)),
            (Standing::Expired, _, Some(end)) => format!("expired {}", local.spoken_past(end)),
            (_, _, Some(end)) => format!("expires {}", local.spoken(end)),
            _ => "does not expire".to_owned(),
        },
    );
    let name = key.name.as_ref();
    let name = name.map_or_else(String::new, |name| format!(" {}", printable(name, 80)));
    format!("{}{name} [{}]", printable(&key.id, 40), notes.join("; "))
}

/// What a key is limited to, unless it is everything.
fn limit(word: &str, list: &[impl ToString]) -> Option<String> {
    let names: Vec<String> = list.iter().map(ToString::to_string).collect();
    (!names.is_empty()).then(|| format!("{word} {}", names.join(", ")))
}
