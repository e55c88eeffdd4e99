//! Makes sure that an access token is valid, by exactly one process: read, lock, read again,
//! refresh.
//!
//! A token that is due but valid never waits for anybody; an expired one waits for whoever holds
//! the grant. What happens next is decided by [`assess`], which knows the journal; a failure never
//! deletes anything. `refresh_grant.rs` is what happens under the lock, and
//! `client_credentials.rs` for a client that asks for itself.

use std::time::Duration;

use crate::app::context::Context;
use crate::app::credential::assessment::{Assessment, NextStep, assess, has_enough_life, is_valid};
use crate::app::credential::facts::{Facts, Renewal};
use crate::app::credential::facts_reader::FactsReader;
use crate::app::credential::obstacle::not_stored;
use crate::app::failure::{Failure, Kind};
use crate::app::issuer::registration;
use crate::model::credential::OAuth;
use crate::model::grant::GrantDigest;
use crate::model::id::{AgentId, ProfileId};
use crate::model::provider::Provider;
use crate::ports::store::{GrantLock, Held, Waited};

use super::backoff::WAIT_FOR_OTHERS;
use super::client_credentials::request_new_token;
use super::outcome::{RefreshPolicy, RefreshResult, ValidToken};
use super::recover::{self, Recovered};
use super::refresh_grant::refresh_grant;
use super::request::{
    RefreshRequest, brings_no_more, document_facts, falls_back, load_login, valid_token,
};
use super::stale_copy::adopt_successor;
use super::{backoff, notify};

/// What helps against another process.
const LATER: &str = "run the command again later";

/// Makes sure that the access token of `profile` in `owner`'s document is valid. `first` is the
/// login as the caller has just read it.
///
/// # Errors
/// [`Kind::NeedsLogin`] if the provider refuses the grant and the token has expired, and the other
/// kinds as they say; a token that is still valid is handed out with a warning instead.
pub fn ensure_fresh(
    cx: Context<'_>,
    owner: &AgentId,
    profile: &ProfileId,
    provider: &Provider,
    policy: RefreshPolicy,
    first: &OAuth,
) -> Result<ValidToken, Failure> {
    let request = RefreshRequest {
        cx,
        owner,
        profile,
        provider,
        policy,
    };
    let result = run(&request, first);
    notify::of_renewal(cx, request.whose(), first, &result);
    result
}

fn run(request: &RefreshRequest<'_>, first: &OAuth) -> Result<ValidToken, Failure> {
    let cx = request.cx;
    let deadline = cx.clock.monotonic() + WAIT_FOR_OTHERS;
    let mut current = first.clone();
    loop {
        let mut facts = document_facts(request, &current);
        let changed = current.access != first.access;
        if let Some(how) = already_fresh(request, &facts, changed)
            && !is_outdated(cx, &current)
        {
            return Ok(valid_token(request, current, how, None));
        }
        // Only now: a process that slept that long may find what another one stored.
        check_deadline(request, deadline)?;
        let assessment = assess_now(request, &mut facts, &current)?;
        match assessment.next {
            NextStep::UseAsIs => return Ok(used_as_is(request, current, &assessment)),
            NextStep::NeedsLogin | NextStep::FixConfig | NextStep::TryLater => {
                return Err(assessment.into_failure(request.profile));
            }
            NextStep::WaitUntil(moment) => backoff::wait_until(cx, moment)?,
            NextStep::AdoptSuccessor(agent, profile) => {
                let adopted = adopt_successor(request, &current, (&agent, &profile));
                if let Err(failure) = adopted {
                    return tolerate_disk(request, &facts, current, failure);
                }
            }
            NextStep::Refresh | NextStep::RefreshThenFallBack
                if brings_no_more(request, &facts) =>
            {
                let how = RefreshResult::NoneLivesLonger;
                return Ok(valid_token(request, current, how, None));
            }
            NextStep::Refresh | NextStep::RefreshThenFallBack => {
                let Some(grant) = &facts.grant else {
                    return Err(Failure::no_such_profile(request.profile));
                };
                registration::open_secrets(cx, request.provider);
                match cx.store.try_lock_grant(grant)? {
                    GrantLock::Held(held) => {
                        match refresh_locked(request, (grant, held), (&current, first)) {
                            Ok(Some(token)) => return Ok(token),
                            Ok(None) => {}
                            Err(failure) => {
                                return tolerate_disk(request, &facts, current, failure);
                            }
                        }
                    }
                    // Between look and lock; the next look at the journal tells what to do.
                    GrantLock::Spent { .. } => {}
                    GrantLock::Taken { .. } if falls_back(request, &facts) => {
                        let how = RefreshResult::StillAlive;
                        return Ok(valid_token(request, current, how, None));
                    }
                    GrantLock::Taken { .. } => wait_for_holder(request, grant, deadline)?,
                }
            }
        }
        current = load_login(request)?;
    }
}

/// Refreshes under the lock of the grant; `None` if everything must be read again.
fn refresh_locked<'h>(
    request: &RefreshRequest<'_>,
    (grant, held): (&GrantDigest, Box<dyn Held<'h> + 'h>),
    (seen, first): (&OAuth, &OAuth),
) -> Result<Option<ValidToken>, Failure> {
    let held = match recover::commit_saved(request.cx, grant, held)? {
        Recovered::Stored | Recovered::NotUnderstood(_) => return Ok(None),
        Recovered::NothingFound(held) => held,
    };
    // Another process may have refreshed it, or failed to, between look and lock.
    let again = load_login(request)?;
    let mut facts = document_facts(request, &again);
    let changed = again.access != first.access;
    if again.refresh_token() != seen.refresh_token()
        || already_fresh(request, &facts, changed).is_some()
    {
        return Ok(None);
    }
    let assessment = assess_now(request, &mut facts, &again)?;
    match assessment.next {
        NextStep::UseAsIs if assessment.obstacle.is_none() => {
            let how = RefreshResult::RefreshedElsewhere;
            Ok(Some(valid_token(request, again, how, None)))
        }
        NextStep::UseAsIs => Ok(Some(used_as_is(request, again, &assessment))),
        NextStep::NeedsLogin | NextStep::FixConfig | NextStep::TryLater => {
            Err(assessment.into_failure(request.profile))
        }
        NextStep::WaitUntil(_) | NextStep::AdoptSuccessor(..) => Ok(None),
        NextStep::Refresh | NextStep::RefreshThenFallBack => {
            match request.provider.client_credentials() {
                Some(flow) if again.is_of_client() => {
                    request_new_token(request, flow, &facts, again)
                }
                _ => refresh_grant(request, held, &facts, again),
            }
        }
    }
}

fn assess_now(
    request: &RefreshRequest<'_>,
    facts: &mut Facts,
    login: &OAuth,
) -> Result<Assessment, Failure> {
    let manifest = (&request.provider.id, Ok(request.provider));
    FactsReader::new(request.cx).add_journal(facts, login, manifest)?;
    // Whoever comes here is the command that refreshes.
    if facts.renewal == Renewal::ByCommand {
        facts.renewal = Renewal::Automatic;
    }
    Ok(assess(facts, request.policy, request.cx.clock.now()))
}

/// Returns the present token: no refresh is needed, or an obstacle prevents it.
fn used_as_is(request: &RefreshRequest<'_>, login: OAuth, assessment: &Assessment) -> ValidToken {
    let how = match &assessment.obstacle {
        Some(_) => RefreshResult::StillAlive,
        None => RefreshResult::WasFresh,
    };
    valid_token(request, login, how, assessment.obstacle.as_deref())
}

/// Whether another program wrote an older copy back: its grant is spent. Where the journal cannot be
/// read, the copy counts as it is.
fn is_outdated(cx: Context<'_>, login: &OAuth) -> bool {
    let is_spent = |grant| cx.store.is_spent(&grant).unwrap_or(false);
    login.grant().is_some_and(is_spent)
}

/// Whether no refresh is needed; `changed` says that the token differs from the one at the start.
fn already_fresh(
    request: &RefreshRequest<'_>,
    facts: &Facts,
    changed: bool,
) -> Option<RefreshResult> {
    let now = request.cx.clock.now();
    let as_asked = RefreshPolicy::MinValid(request.policy.min_valid());
    match (
        has_enough_life(facts, as_asked, now),
        changed,
        request.policy,
    ) {
        (true, true, _) => Some(RefreshResult::RefreshedElsewhere),
        (true, false, RefreshPolicy::MinValid(_) | RefreshPolicy::Due) => {
            Some(RefreshResult::WasFresh)
        }
        // A provider may issue tokens that live for less than what was asked for. Another
        // process got a new one a moment ago; to refresh again would only spend one more.
        (false, true, _) if is_valid(facts, now) => Some(RefreshResult::RefreshedElsewhere),
        _ => None,
    }
}

/// Falls back to a token that is still valid if the disk fails.
fn tolerate_disk(
    request: &RefreshRequest<'_>,
    facts: &Facts,
    credential: OAuth,
    failure: Failure,
) -> Result<ValidToken, Failure> {
    let concerns_disk = matches!(failure.kind, Kind::Storage | Kind::Busy);
    if !concerns_disk || !falls_back(request, facts) {
        return Err(failure);
    }
    // That another program is at work is nothing to worry about.
    let obstacle = (failure.kind == Kind::Storage).then(|| not_stored(&failure));
    let how = RefreshResult::StillAlive;
    Ok(valid_token(request, credential, how, obstacle.as_ref()))
}

fn wait_for_holder(
    request: &RefreshRequest<'_>,
    grant: &GrantDigest,
    deadline: Duration,
) -> Result<(), Failure> {
    let limit = deadline.saturating_sub(request.cx.clock.monotonic());
    match request
        .cx
        .store
        .await_grant(grant, &request.cx.wait(limit))?
    {
        Waited::Released => Ok(()),
        Waited::Stopped(signal) => Err(Failure::cancelled(signal)),
        Waited::TimedOut { owner } => Err(waited_too_long(request, owner)),
        Waited::Abandoned { owner } => {
            let message = format!("{} is being refreshed by {owner}", request.profile);
            Err(Failure::new(Kind::Busy, message).hint(LATER))
        }
    }
}

/// Fails if there is no time left to read again.
fn check_deadline(request: &RefreshRequest<'_>, deadline: Duration) -> Result<(), Failure> {
    match request.cx.clock.monotonic() < deadline {
        true => Ok(()),
        false => Err(waited_too_long(request, None)),
    }
}

fn waited_too_long(request: &RefreshRequest<'_>, owner: Option<String>) -> Failure {
    let owner = owner.unwrap_or_else(|| "another process".to_owned());
    let message = format!(
        "{} is being refreshed by {owner}; gave up waiting after {} s",
        request.profile,
        WAIT_FOR_OTHERS.as_secs()
    );
    Failure::new(Kind::Busy, message).hint(LATER)
}
