//! What is to be done for one login now, by what is stored and what the journal knows. Asks nobody
//! and changes nothing.

use std::time::Duration;

use crate::app::context::Context;
use crate::app::credential::facts::{Facts, Renewal, facts};
use crate::app::failure::{Failure, Kind};
use crate::app::hooks::event::ProfileRef;
use crate::model::alert::{Alert, DedupKey, Event, threshold};
use crate::model::credential::Credential;
use crate::model::expiry::End;
use crate::model::expiry::{Freshness, freshness};
use crate::model::hint::Command;
use crate::model::id::ProviderId;
use crate::model::profiles::VisibleProfile;
use crate::model::time::{Timestamp, short_duration};

use super::tick::RefreshReason;

/// What is to be done.
pub(in crate::app) enum TickStep {
    /// Nothing.
    Nothing,
    /// Renew it, or find out that this cannot be done.
    Renew(RefreshReason),
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
    seen: &VisibleProfile<'_>,
    now: Timestamp,
) -> Result<TickStep, Failure> {
    let Some(provider) = seen.credential.provider() else {
        return Ok(TickStep::Nothing);
    };
    let facts = facts(cx, seen)?;
    match facts.renewal {
        Renewal::Automatic => {
            let manifest = cx.provider_of(&provider, seen.credential)?;
            let policy = &manifest.refresh;
            let why = why(seen.credential, &facts, now, (policy.margin, policy.idle));
            Ok(why.map_or(TickStep::Nothing, TickStep::Renew))
        }
        Renewal::ByCommand => Ok(of_end(seen, &provider, now, Command::refresh(seen.id))),
        Renewal::Never => {
            let command = Command::store(&provider, Some(seen.id), seen.credential.kind());
            Ok(of_end(seen, &provider, now, command))
        }
    }
}

fn why(
    credential: &Credential,
    facts: &Facts,
    now: Timestamp,
    (margin, idle): (Duration, Duration),
) -> Option<RefreshReason> {
    if facts.is_dead() {
        return Some(RefreshReason::Dead);
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
        return Some(RefreshReason::Due);
    }
    // Of a grant that may be spent, the token that lives is worth more than the knowledge.
    let is_safe = facts.unknown_since.is_none() && !facts.of_client;
    let is_idle = |proven: &Timestamp| *proven <= RefreshReason::cutoff(now, idle);
    match facts.proven_at.filter(is_idle) {
        Some(_) if is_safe => Some(RefreshReason::Idle { than: idle }),
        _ => None,
    }
}

/// What becomes of a token that nothing renews by itself.
fn of_end(
    seen: &VisibleProfile<'_>,
    provider: &ProviderId,
    now: Timestamp,
    command: Command,
) -> TickStep {
    let (id, Some(stored)) = (seen.id, seen.credential.expires()) else {
        return TickStep::Nothing;
    };
    let end = End::read_at(stored, now).at;
    let whose = ProfileRef {
        agent: seen.owner,
        profile: id,
        provider,
    };
    let alert = |event, message: &str, mark| {
        Box::new(Alert {
            command: Some(command.clone().into()),
            mark: Some(mark),
            ..whose.alert(event, message.to_owned(), Some(stored))
        })
    };
    match freshness(Some(stored), now, Duration::ZERO) {
        Freshness::Expired { .. } => {
            let message = format!("{id} ended at {}", end.iso8601());
            let mark = DedupKey::of_end(seen.owner, id, Some(stored));
            let alert = alert(Event::NeedsLogin, &message, mark);
            TickStep::Mourn(alert, Failure::new(Kind::NeedsLogin, message).hint(command))
        }
        _ => match threshold(now.until(end)) {
            Some(within) => {
                let left = short_duration(now.until(end));
                let message = format!("{id} ends in {left}, and nothing renews it by itself");
                let mark = DedupKey::of_threshold(seen.owner, id, stored, within);
                TickStep::Tell(alert(Event::Expiring, &message, mark))
            }
            None => TickStep::Nothing,
        },
    }
}
