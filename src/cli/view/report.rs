//! `models auth report`.

use serde_json::{Value, json};

use crate::app::usecase::cooldown::Next;
use crate::app::usecase::report::{Outcome, State};
use crate::model::id::printable;
use crate::model::time::{Timestamp, short_duration};

/// The one line: what becomes of the profile, and who is next.
pub fn text(outcome: &Outcome, now: Timestamp) -> String {
    let Outcome {
        profile, provider, ..
    } = outcome;
    let what = match &outcome.state {
        State::Works => format!("{profile} works"),
        State::Exempt => {
            format!("{profile} stays usable: profiles of {provider} never cool down")
        }
        State::PassedOver {
            until,
            disabled,
            reason,
            model,
            ..
        } => {
            let how = match disabled {
                true => "is disabled",
                false => "is cooling down",
            };
            let model = model.as_deref().map(|model| printable(model, 80));
            let model = model.map_or_else(String::new, |model| format!(" for {model}"));
            format!(
                "{profile} {how}{model} for {}, until {} ({})",
                short_duration(now.until(*until)),
                until.iso8601(),
                reason.as_str()
            )
        }
    };
    format!("{what}; {}", next(outcome.next.as_ref(), now))
}

/// Whose turn it is, a clause.
pub(super) fn next(next: Option<&Next>, now: Timestamp) -> String {
    match next {
        None => "no profile is left".to_owned(),
        Some(Next {
            profile,
            until: None,
        }) => format!("next is {profile}"),
        Some(Next {
            profile,
            until: Some(until),
        }) => {
            let left = short_duration(now.until(*until));
            format!("none is available; {profile} is next, in {left}")
        }
    }
}

/// The document.
pub fn document(outcome: &Outcome) -> Value {
    let mut document = json!({
        "schema": 1,
        "agentId": outcome.agent,
        "profileId": outcome.profile,
        "provider": outcome.provider,
        "state": match &outcome.state {
            State::Works => "ok",
            State::PassedOver { disabled: true, .. } => "disabled",
            State::PassedOver { disabled: false, .. } => "cooldown",
            State::Exempt => "exempt",
        },
    });
    if let State::PassedOver {
        until,
        reason,
        errors,
        model,
        ..
    } = &outcome.state
    {
        document["reason"] = json!(reason.as_str());
        document["model"] = json!(model);
        document["until"] = json!(until);
        document["errorCount"] = json!(errors);
    }
    document["next"] = json!(outcome.next);
    document
}
