//! `models auth token --json`.

use serde_json::{Value, json};

use crate::app::refresh::outcome::RefreshResult;
use crate::app::usecase::token::Outcome;
use crate::cli::hint::Renderer;
use crate::model::time::Timestamp;

/// The document. It holds the token: it is what was asked for.
pub fn document(outcome: &Outcome, now: Timestamp, hints: &Renderer) -> Value {
    let mut document = json!({
        "schema": 1,
        "profile": outcome.profile,
        "source": outcome.source,
        "provider": outcome.provider,
        "type": outcome.kind.as_str(),
        "token": outcome.bearer.expose(),
        "expiresAt": outcome.expires,
        "remainingMs": outcome.expires.map(|time| now.until(time)),
        "refreshed": matches!(outcome.how, RefreshResult::Refreshed | RefreshResult::RefreshedElsewhere),
        "warning": outcome.warning.as_ref().map(|warning| hints.text(warning)),
    });
    if let Some(account) = &outcome.account {
        document["account"] = account.as_str().into();
    }
    document
}
