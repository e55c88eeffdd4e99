//! The one judgement of a login: whether it is usable now, what happens next, and who must act.
//!
//! Pure: facts in, assessment out. `token`, `exec`, `refresh` and `tick` act on it; every view maps
//! it to its own words, so that no two of them disagree.

use std::time::Duration;

use super::facts::{Facts, RefreshPath, Renewal};
pub use super::life::{has_enough_life, is_valid};
use super::obstacle::{
    Cause, Obstacle, SHORT_PAUSE_MS, blocked, dead_grant, no_secret, no_token_endpoint,
    refused_client, store_again, unavailable, without_grant,
};
use super::reason_text::refusal_words;
use super::state::{Actor, State, Trouble};
use crate::app::failure::{Failure, Kind as FailureKind};
use crate::app::refresh::outcome::RefreshPolicy;
use crate::model::credential::Kind;
use crate::model::expiry::Freshness;
use crate::model::grant::GrantStanding;
use crate::model::hint::Command;
use crate::model::id::{AgentId, ProfileId};
use crate::model::time::Timestamp;

/// How long a refused client is not tried again, unless the user forces it: its owner may have
/// corrected the configuration meanwhile.
const CLIENT_REFUSAL_COUNTS: Duration = Duration::from_secs(60);

/// The judgement of a credential.
#[derive(Clone, Debug)]
pub struct Assessment {
    /// The state, for people and programs.
    pub state: State,
    /// The next step of a command that needs the access token.
    pub next: NextStep,
    /// Who must act so that there is a token later.
    pub actor: Actor,
    /// The obstacle to the next token. With [`NextStep::UseAsIs`] the present token is still handed
    /// out, with a warning. Few have one, and a report holds thousands of assessments.
    pub obstacle: Option<Box<Obstacle>>,
}

/// The next step of a command that needs an access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// Hands out the stored token.
    UseAsIs,
    /// Refreshes; there is no valid token to fall back to.
    Refresh,
    /// Refreshes, and falls back to the stored token if that fails.
    RefreshThenFallBack,
    /// Replaces this stale copy by the successor that this profile of this agent holds.
    AdoptSuccessor(AgentId, ProfileId),
    /// Waits until then, because another process has just failed to refresh it.
    WaitUntil(Timestamp),
    /// Fails: somebody must log in, store a secret, or run the command of the hint.
    NeedsLogin,
    /// Fails: somebody must correct the configuration.
    FixConfig,
    /// Fails now; time alone mends it.
    TryLater,
}

impl NextStep {
    fn is_failure(&self) -> bool {
        matches!(self, Self::NeedsLogin | Self::FixConfig | Self::TryLater)
    }
}

impl Assessment {
    /// Whether a command gets a token now without anybody's help, as far as can be told without a
    /// request.
    pub fn usable_now(&self) -> bool {
        !self.next.is_failure()
    }

    /// Whether any command that needs the next token will refresh it, as far as is known.
    pub fn is_refreshed(&self, facts: &Facts) -> bool {
        let is_stuck = self.obstacle.as_deref().is_some_and(Obstacle::is_permanent);
        facts.renewal == Renewal::Automatic
            && !self.needs_somebody()
            && !is_stuck
            && dead_grant(facts).is_none()
    }

    /// Whether somebody must act before there is a token.
    pub fn needs_somebody(&self) -> bool {
        matches!(self.next, NextStep::NeedsLogin | NextStep::FixConfig)
    }

    /// Returns how bad it is now: `None` if nothing needs attention.
    pub fn trouble(&self) -> Option<Trouble> {
        match self.state {
            _ if self.needs_somebody() => Some(Trouble::Broken),
            State::Revoked
            | State::Refused
            | State::OldCopy
            | State::InDoubt
            | State::Idle
            | State::BackingOff => Some(Trouble::Doubtful),
            _ => None,
        }
    }

    /// Turns the obstacle into the failure of a command that needs the token now.
    pub(in crate::app) fn into_failure(self, profile: &ProfileId) -> Failure {
        self.obstacle.map_or_else(
            || Failure::no_such_profile(profile),
            |obstacle| obstacle.failure(profile),
        )
    }

    /// Returns the failure of a command that needs the token now, or `None` if it gets one.
    pub fn failure(&self, profile: &ProfileId) -> Option<Failure> {
        let obstacle = self.obstacle.as_ref().filter(|_| self.next.is_failure())?;
        Some(obstacle.failure(profile))
    }
}

/// Assesses a credential. Pure: reads no clock, file or variable.
pub fn assess(facts: &Facts, policy: RefreshPolicy, now: Timestamp) -> Assessment {
    let (next, obstacle) = next_step(facts, policy, now);
    let actor = actor(facts, &next, obstacle.as_ref(), now);
    Assessment {
        state: state(facts, &next, obstacle.as_ref(), now),
        actor,
        next,
        obstacle: obstacle.map(Box::new),
    }
}

type Step = (NextStep, Option<Obstacle>);

fn next_step(facts: &Facts, policy: RefreshPolicy, now: Timestamp) -> Step {
    if facts.provider.is_none() {
        let obstacle = Obstacle::permanent(
            FailureKind::Config,
            Cause::Misconfigured,
            "does not name a valid provider",
        );
        return stop(obstacle);
    }
    match facts.renewal {
        _ if facts.kind == Kind::ApiKey => step_of_secret(facts, policy, now),
        Renewal::Never if facts.kind == Kind::Token && !facts.of_client => {
            step_of_secret(facts, policy, now)
        }
        Renewal::ByCommand if policy != RefreshPolicy::Always => {
            step_by_command(facts, policy, now)
        }
        _ => step_of_grant(facts, policy, now),
    }
}

fn stop(obstacle: Obstacle) -> Step {
    let next = match obstacle.kind {
        FailureKind::NeedsLogin | FailureKind::Locked => NextStep::NeedsLogin,
        FailureKind::Temporary | FailureKind::UnknownOutcome => NextStep::TryLater,
        _ => NextStep::FixConfig,
    };
    (next, Some(obstacle))
}

/// Assesses a key, or a token that nothing refreshes.
fn step_of_secret(facts: &Facts, policy: RefreshPolicy, now: Timestamp) -> Step {
    if !facts.secret_present {
        return stop(no_secret(facts));
    }
    let least = policy.min_valid().unwrap_or_default();
    let spoken = |end| facts.local.spoken(end);
    let ends = || facts.expires_at().map_or_else(String::new, spoken);
    let words = match facts.freshness(least, now) {
        Freshness::Fresh { .. } | Freshness::NoExpiry => return (NextStep::UseAsIs, None),
        Freshness::Due { .. } => format!("expires {}, sooner than requested", ends()),
        Freshness::Expired { .. } => format!("expired {}", ends()),
    };
    stop(
        Obstacle::permanent(FailureKind::NeedsLogin, Cause::Expired, words)
            .hint(store_again(facts)),
    )
}

/// Assesses a login that only `models auth refresh` refreshes: a valid token is handed out, with a
/// warning once it is due.
fn step_by_command(facts: &Facts, policy: RefreshPolicy, now: Timestamp) -> Step {
    if !facts.secret_present {
        return stop(no_secret(facts));
    }
    let Some(end) = facts.expires_at() else {
        return (NextStep::UseAsIs, None);
    };
    let least = policy.min_valid().unwrap_or_default();
    let refresh_off = "and automatic refresh is off (token_auto_refresh: false)";
    let left = now.until(end);
    let at = || facts.local.spoken(end);
    let obstacle = |words: String| {
        // No command refreshes a grant that is known to be dead, or without a client.
        let stuck = dead_grant(facts).or_else(|| match &facts.path {
            RefreshPath::Blocked(failure) => Some(blocked(facts, failure)),
            _ => None,
        });
        stuck.unwrap_or_else(|| {
            Obstacle::permanent(FailureKind::NeedsLogin, Cause::ByCommand, words)
                .hint(Command::refresh(&facts.profile).arg("--force"))
        })
    };
    if left <= millis(least) {
        let words = match left {
            ..=0 => format!("expired {}, {refresh_off}", at()),
            _ => format!("expires {}, sooner than requested, {refresh_off}", at()),
        };
        return stop(obstacle(words));
    }
    let is_due = left <= millis(facts.due_margin());
    (
        NextStep::UseAsIs,
        is_due.then(|| obstacle(format!("expires soon, {refresh_off}"))),
    )
}

/// Assesses a grant that can be refreshed, or could be without an obstacle.
fn step_of_grant(facts: &Facts, policy: RefreshPolicy, now: Timestamp) -> Step {
    // The token of an outdated copy may be over at the server, whatever the copy says.
    if has_enough_life(facts, policy, now) && facts.successor.is_none() {
        return (NextStep::UseAsIs, None);
    }
    let is_valid = is_valid(facts, now);
    let falls_back = is_valid && policy != RefreshPolicy::Always;
    // A token that lives is handed out, whatever keeps the next one away.
    let cannot = |obstacle: Obstacle| match falls_back {
        true => (NextStep::UseAsIs, Some(obstacle)),
        false => stop(obstacle),
    };
    if facts.grant.is_none() {
        return cannot(without_grant(facts));
    }
    if let (RefreshPolicy::Unproven(since), Some(at)) = (policy, facts.proven_at())
        && at > since
    {
        return (NextStep::UseAsIs, None);
    }
    if policy != RefreshPolicy::Always
        && let Some(step) = step_by_journal(facts, is_valid, now, &cannot)
    {
        return step;
    }
    // Nothing is sent or moved for a provider that is not known.
    if let RefreshPath::NoManifest(failure) = &facts.path {
        return cannot(blocked(facts, failure));
    }
    if let Some(successor) = &facts.successor {
        let (agent, profile) = (successor.agent.clone(), successor.profile.clone());
        return match step_of_grant(&successor.facts, policy, now) {
            (next, Some(obstacle)) if next.is_failure() => cannot(obstacle),
            _ => (NextStep::AdoptSuccessor(agent, profile), None),
        };
    }
    if let (
        GrantStanding::Spent { .. }
        | GrantStanding::NotUnderstood { .. }
        | GrantStanding::HandedOver(_),
        Some(obstacle),
    ) = (&facts.standing, dead_grant(facts))
    {
        return cannot(obstacle);
    }
    match &facts.path {
        RefreshPath::Blocked(failure) => return cannot(blocked(facts, failure)),
        RefreshPath::Missing => return cannot(no_token_endpoint(facts)),
        RefreshPath::Open | RefreshPath::NoManifest(_) => {}
    }
    match falls_back {
        true => (NextStep::RefreshThenFallBack, None),
        false => (NextStep::Refresh, None),
    }
}

/// Decides by what the journal knows, without asking the provider again. `--force` overrides it.
fn step_by_journal(
    facts: &Facts,
    is_valid: bool,
    now: Timestamp,
    cannot: &dyn Fn(Obstacle) -> Step,
) -> Option<Step> {
    match &facts.standing {
        GrantStanding::Revoked { .. } => dead_grant(facts).map(stop),
        GrantStanding::Refused { refusal, at } if facts.of_client => {
            let counts = at.is_some_and(|at| at <= now && now < at.after(CLIENT_REFUSAL_COUNTS));
            counts.then(|| {
                cannot(refused_client(
                    facts,
                    &refusal.code,
                    &refusal_words(refusal),
                ))
            })
        }
        GrantStanding::Refused { .. } => dead_grant(facts).map(cannot),
        GrantStanding::BackingOff {
            reason,
            since,
            retry_at: Some(retry_at),
        } if *since <= now && now < *retry_at => {
            let left = now.until(*retry_at);
            match (!is_valid && left <= SHORT_PAUSE_MS, &facts.path) {
                (true, RefreshPath::Open) => Some((NextStep::WaitUntil(*retry_at), None)),
                // Nobody waits for what cannot be sent then.
                (true, _) => None,
                (false, _) => Some(cannot(unavailable(facts, reason, left))),
            }
        }
        _ => None,
    }
}

fn actor(facts: &Facts, next: &NextStep, obstacle: Option<&Obstacle>, now: Timestamp) -> Actor {
    let is_idle = facts.rests_until.is_some_and(|end| end <= now);
    match (next, obstacle) {
        (NextStep::TryLater | NextStep::WaitUntil(_), _) => Actor::Nobody,
        (NextStep::NeedsLogin | NextStep::FixConfig | NextStep::UseAsIs, Some(obstacle))
            if obstacle.cause == Cause::ByCommand =>
        {
            Actor::Command
        }
        (NextStep::NeedsLogin | NextStep::FixConfig, _) => Actor::Person,
        (NextStep::UseAsIs, Some(obstacle)) if obstacle.is_permanent() => Actor::Person,
        _ if dead_grant(facts).is_some() => Actor::Person,
        _ if facts.unknown_since().is_some() => Actor::Person,
        _ if is_idle => Actor::Command,
        _ => match facts.renewal {
            Renewal::Never => Actor::Person,
            Renewal::ByCommand => Actor::Command,
            Renewal::Automatic => Actor::Nobody,
        },
    }
}

/// Derives the state. A refused grant counts as gone however long its access token is still valid.
fn state(facts: &Facts, next: &NextStep, obstacle: Option<&Obstacle>, now: Timestamp) -> State {
    match &facts.standing {
        _ if facts.moved.is_some() => return State::Moved,
        GrantStanding::Revoked { .. } => return State::Revoked,
        GrantStanding::Refused { .. } => return State::Refused,
        GrantStanding::Spent { .. } | GrantStanding::NotUnderstood { .. } => {
            return State::OldCopy;
        }
        GrantStanding::InDoubt { .. } => return State::InDoubt,
        GrantStanding::Good | GrantStanding::BackingOff { .. } | GrantStanding::HandedOver(_) => {}
    }
    match next {
        NextStep::TryLater => return State::BackingOff,
        NextStep::FixConfig => return State::Misconfigured,
        NextStep::NeedsLogin if facts.is_reference => return State::Elsewhere,
        NextStep::NeedsLogin if !facts.secret_present => return State::Empty,
        NextStep::NeedsLogin if obstacle.is_some_and(|it| it.cause == Cause::Misconfigured) => {
            return State::Misconfigured;
        }
        NextStep::NeedsLogin => return State::Expired,
        _ => {}
    }
    if facts.rests_until.is_some_and(|end| end <= now) {
        return State::Idle;
    }
    // Nothing says that the grant is dead, and nothing that it lives.
    let is_tried = matches!(next, NextStep::Refresh | NextStep::WaitUntil(_));
    if is_tried && facts.last_failure().is_some() && facts.failures() >= DOUBTFUL {
        return State::BackingOff;
    }
    let is_final =
        facts.renewal != Renewal::Automatic || obstacle.is_some_and(Obstacle::is_permanent);
    match facts.expires_at().map(|end| now.until(end)) {
        _ if !is_final => State::Ok,
        None => State::Static,
        Some(..=DAY_MS) => State::Expiring,
        Some(_) => State::Ok,
    }
}

/// After so many failures in a row a login whose token has expired is not called well.
const DOUBTFUL: u32 = 3;

/// A login that expires within this many milliseconds is expiring.
const DAY_MS: i64 = 86_400_000;

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
