//! `models auth report`.

use crate::app::usecase::cooldown::Next;
use crate::app::usecase::report::{Outcome, State};
use crate::model::id::printable;
use crate::model::time::{LocalTime, Timestamp, short_duration};

/// The one line: what becomes of the profile, and who is next.
pub fn text(outcome: &Outcome, local: LocalTime) -> String {
    let now = local.now;
    let Outcome {
        profile, provider, ..
    } = outcome;
    let what = match &outcome.state {
        State::Works => format!("{profile} works"),
        State::Exempt => {
            format!("{profile} stays usable: profiles of {provider} never cool down")
        }
        State::Cooldown(pause) | State::Disabled(pause) => {
            let how = match outcome.state {
                State::Disabled(_) => "is disabled",
                _ => "is cooling down",
            };
            let model = pause.model.as_deref().map(|model| printable(model, 80));
            let model = model.map_or_else(String::new, |model| format!(" for {model}"));
            format!(
                "{profile} {how}{model} for {}, until {} ({})",
                short_duration(now.until(pause.until)),
                local.clock(pause.until),
                pause.reason.as_ref()
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
