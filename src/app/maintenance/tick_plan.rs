//! The plan of a tick for one login, by what is stored and what the journal knows. Sends nothing
//! and changes nothing.

use crate::app::credential::assessment::{Assessment, NextStep, assess};
use crate::app::credential::facts::{Facts, Renewal};
use crate::app::credential::facts_reader::FactsReader;
use crate::app::credential::obstacle::{Obstacle, store_again};
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

use strum::AsRefStr;

/// The reason for a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsRefStr)]
#[strum(serialize_all = "snake_case")]
pub enum RefreshReason {
    /// The token expires or has expired.
    Due,
    /// The grant was not refreshed for this long and might expire from disuse.
    Idle {
        /// The time without a refresh.
        than: Duration,
    },
    /// The grant was refused or revoked, or is spent. The provider is not asked again, but another
    /// copy may be valid.
    Dead,
}

impl RefreshReason {
    /// Returns the moment before which a proven grant counts as idle.
    pub(super) fn cutoff(now: Timestamp, idle: Duration) -> Timestamp {
        let millis = i64::try_from(idle.as_millis()).unwrap_or(i64::MAX);
        Timestamp(now.0.saturating_sub(millis))
    }

    pub(super) fn need(self, now: Timestamp) -> RefreshPolicy {
        match self {
            Self::Due => RefreshPolicy::Due,
            Self::Idle { than } => RefreshPolicy::Unproven(Self::cutoff(now, than)),
            // Not even a token that lives ends the look at what the journal knows.
            Self::Dead => RefreshPolicy::Unproven(now),
        }
    }
}

/// The step for a login.
pub(in crate::app) enum TickStep {
    Nothing,
    /// Refreshes it, or finds out that this is impossible.
    Refresh {
        why: RefreshReason,
        grant: GrantDigest,
        /// How it will fail, if that is known without a request.
        expected: Option<Failure>,
    },
    /// Warns: nothing refreshes it, and it expires soon.
    WarnExpiring(Box<Alert>),
    /// Reports: there is no token, and only a person or a command brings one.
    ReportExpired(Box<Alert>, Failure),
}

/// Plans the step for one login.
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
    let (Some(why), Some(grant)) = (reason(&facts, &assessment, now), &facts.grant) else {
        return Ok(TickStep::Nothing);
    };
    let expected = assess(&facts, why.need(now), now);
    let later = (expected.obstacle.as_deref()).and_then(Obstacle::later_failure);
    Ok(TickStep::Refresh {
        why,
        grant: grant.clone(),
        expected: expected.failure(seen.id).or(later),
    })
}

/// Returns the reason for a refresh, if it needs one.
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
        GrantStanding::Revoked { .. }
            | GrantStanding::Refused { .. }
            | GrantStanding::Spent { .. }
            | GrantStanding::NotUnderstood { .. }
    )
}

/// Plans for a token that nothing refreshes automatically.
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
        let mut alert = alert(Event::NeedsLogin, failure.to_string(), mark);
        alert.command = failure.hint.clone().or(alert.command);
        return TickStep::ReportExpired(alert, failure);
    }
    let soon = expires.and_then(|end| Some((end, threshold(now.until(end))?)));
    soon.map_or(TickStep::Nothing, |(end, within)| {
        let left = short_duration(now.until(end));
        let message = format!("{profile} expires in {left} and cannot be refreshed automatically");
        let mark = DedupKey::of_threshold(owner, profile, end, within);
        TickStep::WarnExpiring(alert(Event::Expiring, message, mark))
    })
}
