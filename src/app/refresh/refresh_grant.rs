//! The refresh of a grant: what happens while the grant is locked.
//!
//! Reserve, journal, call, save, commit. The refresh token is single-use: whoever sends it must
//! store what comes back. So what comes back is written down as it is before anything tries to
//! understand it, and until the commit there is no way to be interrupted: SIGINT, SIGTERM and
//! SIGHUP wait.

use std::time::Duration;

use crate::app::credential::assessment::is_valid;
use crate::app::credential::facts::Facts;
use crate::app::credential::obstacle::{
    self, misconfigured, no_token_endpoint, not_understood, refused, unanswered, unavailable,
};
use crate::app::credential::reason_text::refusal_words;
use crate::app::failure::{Failure, Kind, StoreEffect};
use crate::app::issuer::verify_login;
use crate::model::credential::OAuth;
use crate::model::grant::RefreshOutcome;
use crate::model::hint::Command;
use crate::model::id::ProfileId;
use crate::model::provider::Provider;
use crate::model::time::Timestamp;
use crate::oauth::claims;
use crate::oauth::error::OAuthError;
use crate::oauth::grant::Grant;
use crate::ports::store::{Held, PendingRefresh, Reserved, StoreError};

use super::backoff::{WAIT_FOR_OTHERS, next_try};
use super::binding;
use super::notify;
use super::outcome::{RefreshPolicy, RefreshResult, ValidToken};
use super::request::{
    RefreshRequest, brings_no_more, document_facts, fall_back, falls_back, load_login, valid_token,
};
use super::target::Route;

/// After so long a pause before the request, OpenClaw may have taken the locks of a refresh: it
/// takes them for stale after 30 s without a heartbeat.
const OVERSLEPT: Duration = Duration::from_secs(10);

/// Refreshes a grant under its lock; `None` if the login changed meanwhile and must be read again.
pub(super) fn refresh_grant(
    request: &RefreshRequest<'_>,
    held: Box<dyn Held<'_> + '_>,
    facts: &Facts,
    old: OAuth,
) -> Result<Option<ValidToken>, Failure> {
    let cx = request.cx;
    let blocked = |failure: &Failure| obstacle::blocked(facts, failure);
    let route = Route::of(cx, request.provider, &old);
    // A signal ends the request for the issuer's metadata; that is no problem of the provider.
    cx.uninterrupted()?;
    let route = match route {
        Ok(Some(route)) => route,
        Ok(None) => return fall_back(request, facts, old, &no_token_endpoint(facts)).map(Some),
        Err(failure) => return fall_back(request, facts, old, &blocked(&failure)).map(Some),
    };
    let Some(refresh_token) = old.refresh_token() else {
        return Err(Failure::no_such_profile(request.profile));
    };
    let binding = route.binding();
    // Only now is it known where the issuer's metadata sends it.
    let issued_by = facts.issued_by(cx)?;
    let whose = (request.profile, request.provider);
    if let Err(failure) = binding::check(whose, &binding, &issued_by) {
        return fall_back(request, facts, old, &blocked(&failure)).map(Some);
    }
    if brings_no_more(request, facts) {
        let how = RefreshResult::NoneLivesLonger;
        return Ok(Some(valid_token(request, old, how, None)));
    }
    warn_of_unknown_outcome(request, facts);

    // From here to the commit nothing may interrupt: the refresh token is single-use.
    cx.interrupt.defer();
    let begun_at = cx.clock.now();
    let pending = PendingRefresh {
        agent: request.owner.clone(),
        provider: request.provider.id.clone(),
        profile: request.profile.clone(),
        binding,
        begun_at,
    };
    let reserved = match held.reserve(&pending, &cx.wait(patience(request, facts))) {
        Err(StoreError::Conflict { .. }) => return Ok(None),
        other => other?,
    };
    if let Some(signal) = cx.interrupt.pending() {
        withdraw(request, reserved, "interrupted before the request was sent")?;
        return Err(Failure::cancelled(signal));
    }
    let Some(reserved) = confirm_after_sleep(request, facts, (reserved, begun_at))? else {
        return Ok(None);
    };
    let sent = (&old, refresh_token);
    let (reserved, granted) = route.renew(cx, request.provider, sent, begun_at, reserved);
    let granted = granted.and_then(|grant| same_account(request.provider, &old, grant));
    match granted {
        Ok(grant) => commit(request, reserved, (facts, &old), (grant, begun_at)),
        Err(error) => settle(request, reserved, (facts, old), (&error, begun_at)),
    }
}

/// Fails if a grant is about another account than the login that was refreshed: under its name it
/// would be used, and billed, as if it were that.
pub(super) fn same_account(
    provider: &Provider,
    old: &OAuth,
    grant: Grant,
) -> Result<Grant, OAuthError> {
    match claims::other_account(&provider.account, old, &grant) {
        Some(other) => Err(OAuthError::other_account(&other)),
        None => Ok(grant),
    }
}

/// Makes sure that nobody else can have used the grant if the process, or the machine, slept since
/// the locks were taken; `None` if the document has another one.
fn confirm_after_sleep<'r>(
    request: &RefreshRequest<'_>,
    facts: &Facts,
    (mut reserved, begun_at): (Box<dyn Reserved + 'r>, Timestamp),
) -> Result<Option<Box<dyn Reserved + 'r>>, Failure> {
    let cx = request.cx;
    // The monotonic clock stands still while the machine is suspended.
    let slept = begun_at.until(cx.clock.now());
    if i128::from(slept) < OVERSLEPT.as_millis().cast_signed() {
        return Ok(Some(reserved));
    }
    let confirmed = reserved.confirm(&cx.wait(patience(request, facts)));
    if matches!(confirmed, Ok(true)) {
        return Ok(Some(reserved));
    }
    withdraw(request, reserved, "suspended before the request was sent")?;
    Ok(confirmed.map(|_| None)?)
}

/// Ends a refresh of which nothing was sent.
fn withdraw(
    request: &RefreshRequest<'_>,
    reserved: Box<dyn Reserved + '_>,
    reason: &str,
) -> Result<(), Failure> {
    let outcome = RefreshOutcome::Passing {
        reason: reason.to_owned(),
        retry_at: None,
    };
    Ok(reserved.settle(&outcome, request.cx.clock.now())?)
}

/// Returns the time limit for the document's lock: none if the stored token is still valid and a
/// command waits for it.
fn patience(request: &RefreshRequest<'_>, facts: &Facts) -> Duration {
    match request.policy {
        RefreshPolicy::MinValid(_) if falls_back(request, facts) => Duration::ZERO,
        _ => WAIT_FOR_OTHERS,
    }
}

fn commit(
    request: &RefreshRequest<'_>,
    reserved: Box<dyn Reserved + '_>,
    (facts, old): (&Facts, &OAuth),
    (grant, begun_at): (Grant, Timestamp),
) -> Result<Option<ValidToken>, Failure> {
    let cx = request.cx;
    let skew = grant.skew_warning();
    let id_token = grant.id_token.clone();
    let provider = request.provider;
    let new = grant.into_renewal(&provider.id, &provider.refresh, begun_at);
    let changed = reserved.commit(&new, cx.clock.now())?;
    cx.tell_skew(skew);
    // Only now: a doubt about whose it is must not lose a token that cannot be had again.
    let record = facts.record.as_deref();
    verify_login::doubt(cx, request.provider, request.profile, record, id_token);
    let is_stored = changed.contains(request.owner);
    if let Err(failure) = cx.uninterrupted() {
        // The failure is about the command; the hooks tell of the login.
        if is_stored {
            notify::of_refresh(cx, request.whose(), new.expires);
        }
        return Err(failure.touched(StoreEffect::Changed));
    }
    match is_stored {
        true => {
            let how = RefreshResult::Refreshed;
            Ok(Some(valid_token(request, old.renewed(&new), how, None)))
        }
        false => replaced_meanwhile(request),
    }
}

/// Returns the outcome if the profile was removed or replaced during the refresh: the newer one
/// stays. `None` if it must be looked at again, for it may be an old copy that another program wrote.
fn replaced_meanwhile(request: &RefreshRequest<'_>) -> Result<Option<ValidToken>, Failure> {
    let name = request.profile;
    match load_login(request) {
        Ok(newer) if is_valid(&document_facts(request, &newer), request.cx.clock.now()) => {
            let how = RefreshResult::RefreshedElsewhere;
            Ok(Some(valid_token(request, newer, how, None)))
        }
        Ok(_) => Ok(None),
        Err(failure) if failure.kind != Kind::NotFound => Err(failure),
        Err(_) => Err(removed_meanwhile(request, name)?),
    }
}

fn removed_meanwhile(request: &RefreshRequest<'_>, name: &ProfileId) -> Result<Failure, Failure> {
    let kept = request.cx.store.history(request.owner, Some(name))?;
    let is_kept = kept.histories.iter().any(|one| one.saved.is_some());
    Ok(match is_kept {
        true => {
            let message = format!(
                "{name} was removed by another program while it was being refreshed; the new tokens are kept"
            );
            Failure::new(Kind::NotFound, message).hint(Command::undo(name))
        }
        false => {
            let message = format!(
                "{name} was removed while it was being refreshed; the new tokens were discarded"
            );
            Failure::new(Kind::NotFound, message).hint(Command::list())
        }
    })
}

/// Records the failure, and falls back to the stored token if it is valid; `None` if another program
/// has refreshed the login meanwhile.
fn settle(
    request: &RefreshRequest<'_>,
    reserved: Box<dyn Reserved + '_>,
    (facts, old): (&Facts, OAuth),
    (error, begun_at): (&OAuthError, Timestamp),
) -> Result<Option<ValidToken>, Failure> {
    let cx = request.cx;
    let now = cx.clock.now();
    let mut outcome = error.outcome(now);
    let is_unsent = matches!(error, OAuthError::Unsupported { .. });
    if let RefreshOutcome::Passing { retry_at, .. } = &mut outcome
        && !is_unsent
    {
        let reached = matches!(
            error,
            OAuthError::WebPage { .. }
                | OAuthError::Transient {
                    status: Some(_),
                    ..
                }
        );
        *retry_at = retry_at.or_else(|| next_try(cx.random, facts.failures(), reached, now));
    }
    if let Err(error) = reserved.settle(&outcome, now) {
        cx.warn(format!(
            "could not record the outcome of refreshing {}: {error}",
            request.profile
        ));
    }
    // What happened to the grant is said, whatever came with it.
    if matches!(outcome, RefreshOutcome::Passing { .. }) {
        cx.uninterrupted()?;
    }
    let obstacle = match outcome {
        // What was refused is what a sleeper sent too late. It is dead, and the login is not.
        RefreshOutcome::Refused(_) if is_replaced(request, &old) => return Ok(None),
        RefreshOutcome::Refused(refusal) => refused(facts, &refusal_words(&refusal)),
        RefreshOutcome::Passing { reason, .. } if is_unsent => misconfigured(facts, &reason),
        RefreshOutcome::Passing { reason, retry_at } => {
            unavailable(facts, &reason, left(now, retry_at))
        }
        RefreshOutcome::NotUnderstood { reason } => not_understood(facts, begun_at, &reason),
        RefreshOutcome::Unknown { reason } => unanswered(facts, &reason),
        RefreshOutcome::Stored { .. }
        | RefreshOutcome::Revoked
        | RefreshOutcome::HandedOver { .. } => {
            let how = RefreshResult::Refreshed;
            let login = load_login(request)?;
            return Ok(Some(valid_token(request, login, how, None)));
        }
    };
    fall_back(request, facts, old, &obstacle).map(Some)
}

/// Whether the document holds another login than the one that was refreshed.
fn is_replaced(request: &RefreshRequest<'_>, old: &OAuth) -> bool {
    load_login(request)
        .is_ok_and(|now| (now.refresh_token(), &now.access) != (old.refresh_token(), &old.access))
}

pub(super) fn left(now: Timestamp, moment: Option<Timestamp>) -> i64 {
    moment.map_or(0, |at| now.until(at))
}

fn warn_of_unknown_outcome(request: &RefreshRequest<'_>, facts: &Facts) {
    if let Some(since) = facts.unknown_since() {
        request.cx.warn(format!(
            "the refresh of {} started {} has no known outcome, so the refresh token may already be used; trying once more",
            request.profile,
            request.cx.clock.local().spoken(since)
        ));
    }
}
