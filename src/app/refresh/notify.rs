//! Events of a refresh, for the hooks.

use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::app::hooks::event::ProfileRef;
use crate::model::alert::{Alert, DedupKey, Event};
use crate::model::credential::OAuth;
use crate::model::expiry::End;
use crate::model::hint::Hint;
use crate::model::time::Timestamp;

use super::outcome::{RefreshResult, ValidToken};

/// Queues the event for the outcome of a refresh: the login was refreshed, or a person must act.
/// `old` is the credential before.
pub(in crate::app) fn of_renewal(
    cx: Context<'_>,
    whose: ProfileRef<'_>,
    old: &OAuth,
    result: &Result<ValidToken, Failure>,
) {
    let (message, command) = match result {
        Ok(living) if living.how == RefreshResult::Refreshed => {
            return of_refresh(cx, whose, living.credential.expires);
        }
        Ok(ValidToken {
            warning: Some(warning),
            later_failure: Some(failure),
            ..
        }) => (Hint::about(whose.profile, warning), failure.hint.as_ref()),
        // A client that was refused needs a person as well, if no login.
        Err(failure) if failure.kind == Kind::NeedsLogin || failure.is_refusal() => {
            (Hint::from(failure.to_string()), failure.hint.as_ref())
        }
        _ => return,
    };
    let mark = match old.grant() {
        Some(grant) => DedupKey::of_grant(&grant, old.expires),
        None => DedupKey::of_end(whose.agent, whose.profile, old.expires),
    };
    cx.alerts.note(Alert {
        command: command.cloned(),
        mark: Some(mark),
        ..whose.alert(Event::NeedsLogin, message, old.expires)
    });
}

/// Queues the event for a login that was refreshed.
pub(in crate::app) fn of_refresh(cx: Context<'_>, whose: ProfileRef<'_>, end: Option<Timestamp>) {
    let ends = End::known_of(end).map_or_else(String::new, |end| {
        format!("; its token expires {}", cx.clock.local().spoken(end))
    });
    let message = format!("{} was refreshed{ends}", whose.profile);
    let alert = whose.alert(Event::Refreshed, message, end);
    cx.alerts.note(alert);
}
