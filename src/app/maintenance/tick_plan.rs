//! What is to be done for one login now, by what is stored and what the journal knows. Asks nobody
//! and changes nothing.

use crate::app::credential::assessment::{Assessment, NextStep, assess};
use crate::app::credential::facts::{Facts, FactsReader, Renewal};
use crate::app::credential::obstacle::store_again;
use crate::app::failure::Failure;
use crate::app::hooks::event::ProfileRef;
use crate::app::refresh::outcome::RefreshPolicy;
use crate::model::alert::{Alert, DedupKey, Event, threshold};
use crate::model::grant::{GrantDigest, GrantStanding};
use crate::model::hint::{Command, Hint};
use crate::model::id::ProviderId;
use crate::model::profiles::VisibleProfile;
use crate::model::time::{Timestamp, short_duration};

use std::time::Duration;

/// Why a login is to be renewed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshReason {
    /// Its token ends or has ended.
    Due,
    /// It was not renewed for longer than this, and might die of that.
    Idle {
        /// How long.
        than: Duration,
    },
    /// Its grant was refused, revoked or is spent. The provider is not asked again; it may be that
    /// another copy lives.
    Dead,
}

impl RefreshReason {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Idle { .. } => "idle",
            Self::Dead => "dead",
        }
    }

    /// What was proven by then is idle.
    pub(super) fn cutoff(now: Timestamp, idle: Duration) -> Timestamp {
        let millis = i64::try_from(idle.as_millis()).unwrap_or(i64::MAX);
        Timestamp(now.0.saturating_sub(millis))
    }

    pub(super) fn need(self, now: Timestamp) -> RefreshPolicy {
        match self {
            Self::Due => RefreshPolicy::MinValid(None),
            Self::Idle { than } => RefreshPolicy::Unproven(Self::cutoff(now, than)),
            // Not even a token that lives ends the look at what the journal knows.
            Self::Dead => RefreshPolicy::Unproven(now),
        }
    }
}

/// What is to be done.
pub(in crate::app) enum TickStep {
    /// Nothing.
    Nothing,
    /// Refresh it, or find out that this cannot be done.
    Refresh(RefreshReason, GrantDigest),
    /// Nothing refreshes it, and it expires soon.
    WarnExpiring(Box<Alert>),
    /// There is no token, and only a person or a command brings one.
    ReportExpired(Box<Alert>, Failure),
}

/// Plans what is to be done for one login.
///
/// # Errors
/// If its configuration keeps it from being refreshed, or the journal cannot be read.
pub(in crate::app) fn plan(
    reader: &mut FactsReader<'_>,
    seen: &VisibleProfile<'_>,
    now: Timestamp,
) -> Result<TickStep, Failure> {
    let facts = reader.read(seen)?;
    let assessment = assess(&facts, RefreshPolicy::MinValid(None), now);
    let Some(provider) = &facts.provider else {
        return Ok(TickStep::Nothing);
    };
    if facts.renewal != Renewal::Automatic {
        return Ok(without_refresh(&facts, &assessment, provider, now));
    }
    if assessment.next == NextStep::FixConfig && !facts.of_client {
        return Err(assessment.into_failure(seen.id));
    }
    Ok(match (reason(&facts, &assessment, now), facts.grant) {
        (Some(reason), Some(grant)) => TickStep::Refresh(reason, grant),
        _ => TickStep::Nothing,
    })
}

/// Why it is to be refreshed, if it is.
fn reason(facts: &Facts, assessment: &Assessment, now: Timestamp) -> Option<RefreshReason> {
    if !facts.of_client && is_dead_or_spent(facts) {
        return Some(RefreshReason::Dead);
    }
    if assessment.next != NextStep::UseAsIs || assessment.obstacle.is_some() {
        return Some(RefreshReason::Due);
    }
    // Of a grant that may be spent, the token that is valid is worth more than the knowledge.
    let is_safe = facts.unknown_since().is_none() && !facts.of_client;
    let is_idle = |proven: &Timestamp| *proven <= RefreshReason::cutoff(now, facts.idle);
    let idle_since = facts.proven_at().filter(is_idle);
    (is_safe && idle_since.is_some()).then_some(RefreshReason::Idle { than: facts.idle })
}

fn is_dead_or_spent(facts: &Facts) -> bool {
    matches!(
        facts.standing,
        GrantStanding::Revoked { .. } | GrantStanding::Refused { .. } | GrantStanding::Spent { .. }
    )
}

/// What is told of a token that nothing refreshes automatically.
fn without_refresh(
    facts: &Facts,
    assessment: &Assessment,
    provider: &ProviderId,
    now: Timestamp,
) -> TickStep {
    let (owner, profile) = (&facts.owner, &facts.profile);
    let expires = facts.expires_at();
    let whose = ProfileRef {
        agent: owner,
        profile,
        provider,
    };
    let command: Hint = match facts.renewal {
        Renewal::ByCommand => Command::refresh(profile).into(),
        _ => store_again(facts),
    };
    let alert = |event, message: String, mark| {
        Box::new(Alert {
            command: Some(command.clone()),
            mark: Some(mark),
            ..whose.alert(event, message, expires)
        })
    };
    if let Some(failure) = assessment.failure(profile) {
        let mark = DedupKey::of_end(owner, profile, expires);
        let alert = alert(Event::NeedsLogin, failure.to_string(), mark);
        return TickStep::ReportExpired(alert, failure);
    }
    let soon = expires.and_then(|end| Some((end, threshold(now.until(end))?)));
    soon.map_or(TickStep::Nothing, |(end, within)| {
        let left = short_duration(now.until(end));
        let message = format!("{profile} ends in {left}, and nothing renews it by itself");
        let mark = DedupKey::of_threshold(owner, profile, end, within);
        TickStep::WarnExpiring(alert(Event::Expiring, message, mark))
    })
}
