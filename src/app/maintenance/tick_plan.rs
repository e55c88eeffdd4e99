//! What is to be done for one login now, by what is stored and what the journal knows. Asks nobody
//! and changes nothing.

use std::time::Duration;

use crate::app::context::Context;
use crate::app::credential::facts::{Facts, Renewal, facts};
use crate::app::failure::{Failure, Kind, refresh_command, store_command};
use crate::app::hooks::event::Whose;
use crate::model::alert::{Alert, Event, Mark, threshold};
use crate::model::credential::Credential;
use crate::model::expiry::End;
use crate::model::id::ProviderId;
use crate::model::profiles::Seen;
use crate::model::time::{Freshness, Timestamp, freshness, short_duration};

use super::tick::Why;

/// What is to be done.
pub(in crate::app) enum Plan {
    /// Nothing.
    Nothing,
    /// Renew it, or find out that this cannot be done.
    Renew(Why),
    /// Nothing renews it: it ends soon.
    Tell(Box<Alert>),
    /// Nothing renews it, and it has ended.
    Mourn(Box<Alert>, Failure),
}

/// Judges one login.
///
/// # Errors
/// If its provider is not known, or the journal cannot be read.
pub(in crate::app) fn judge(
    cx: Context<'_>,
    seen: &Seen<'_>,
    now: Timestamp,
) -> Result<Plan, Failure> {
    let Some(provider) = seen.credential.provider() else {
        return Ok(Plan::Nothing);
    };
    let facts = facts(cx, seen)?;
    match facts.renewal {
        Renewal::Automatic => {
            let manifest = cx.provider_of(&provider, seen.credential)?;
            let policy = &manifest.refresh;
            let why = why(seen.credential, &facts, now, (policy.margin, policy.idle));
            Ok(why.map_or(Plan::Nothing, Plan::Renew))
        }
        Renewal::ByCommand => Ok(of_end(seen, &provider, now, refresh_command(seen.id))),
        Renewal::Never => {
            let command = store_command(&provider, Some(seen.id), seen.credential.kind());
            Ok(of_end(seen, &provider, now, command))
        }
    }
}

fn why(
    credential: &Credential,
    facts: &Facts,
    now: Timestamp,
    (margin, idle): (Duration, Duration),
) -> Option<Why> {
    if facts.is_dead() {
        return Some(Why::Dead);
    }
    let has_token = credential.bearer().is_some_and(|token| !token.is_blank());
    let is_due = match freshness(credential.expires(), now, margin) {
        Freshness::Fresh { .. } => !has_token,
        // The token of a client that names no end is as good as the next one.
        Freshness::Expired { since: None } if facts.of_client => {
            !has_token || credential.expires().is_some()
        }
        _ => true,
    };
    if is_due {
        return Some(Why::Due);
    }
    // Of a grant that may be spent, the token that lives is worth more than the knowledge.
    let is_safe = facts.unknown_since.is_none() && !facts.of_client;
    let is_idle = |proven: &Timestamp| *proven <= Why::cutoff(now, idle);
    match facts.proven_at.filter(is_idle) {
        Some(_) if is_safe => Some(Why::Idle { than: idle }),
        _ => None,
    }
}

/// What becomes of a token that nothing renews by itself.
fn of_end(seen: &Seen<'_>, provider: &ProviderId, now: Timestamp, command: String) -> Plan {
    let (id, Some(stored)) = (seen.id, seen.credential.expires()) else {
        return Plan::Nothing;
    };
    let end = End::read_at(stored, now).at;
    let whose = Whose {
        agent: seen.owner,
        profile: id,
        provider,
    };
    let alert = |event, message: &str, mark| {
        Box::new(Alert {
            command: Some(command.clone()),
            mark: Some(mark),
            ..whose.alert(event, message.to_owned(), Some(stored))
        })
    };
    match freshness(Some(stored), now, Duration::ZERO) {
        Freshness::Expired { .. } => {
            let message = format!("{id} ended at {}", end.iso8601());
            let mark = Mark::of_end(seen.owner, id, Some(stored));
            let alert = alert(Event::NeedsLogin, &message, mark);
            Plan::Mourn(alert, Failure::new(Kind::NeedsLogin, message).hint(command))
        }
        _ => match threshold(now.until(end)) {
            Some(within) => {
                let left = short_duration(now.until(end));
                let message = format!("{id} ends in {left}, and nothing renews it by itself");
                let mark = Mark::of_threshold(seen.owner, id, stored, within);
                Plan::Tell(alert(Event::Expiring, &message, mark))
            }
            None => Plan::Nothing,
        },
    }
}
