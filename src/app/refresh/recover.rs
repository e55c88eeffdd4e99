//! Recovery of token responses that were saved and not yet stored, because the process was killed
//! or the store failed.
//!
//! It is read by the code that reads an answer off the network, so that there is one way to
//! understand it. Every command begins with [`recover_pending`], and nobody sends a refresh token while an
//! answer to it lies there.

use crate::model::credential::{Credential, OAuth};
use crate::model::grant::{GrantDigest, GrantStanding, RefreshOutcome};
use crate::oauth::error::OAuthError;
use crate::oauth::{plugin, token_response};
use crate::ports::http::Response;
use crate::ports::store::{GrantLock, Held, PendingRefresh, SavedAnswer, Scope};

use super::notify;
use super::refresh_grant::same_account;
use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::app::hooks::event::ProfileRef;

/// Stores every saved response that belongs to no refresh under way. One that cannot be stored now
/// is reported, and stays for the next command.
pub fn recover_pending(cx: Context<'_>) {
    let grants = match cx.store.pending_answers() {
        Ok(grants) => grants,
        Err(error) => {
            let text = format!("could not look for unsaved refresh responses: {error}");
            cx.warn(text);
            return;
        }
    };
    for grant in grants {
        if let Err(failure) = recover_one(cx, &grant) {
            cx.warn(failure.to_string());
        }
    }
}

fn recover_one(cx: Context<'_>, grant: &GrantDigest) -> Result<(), Failure> {
    match cx.store.try_lock_grant(grant)? {
        GrantLock::Held(held) => commit_saved(cx, grant, held).map(drop),
        // Its refresh is under way in another process, or that has just stored the answer.
        GrantLock::Taken { .. } | GrantLock::Spent { .. } => Ok(()),
    }
}

/// The result of a recovery.
pub(in crate::app) enum Recovered<'a> {
    /// The response is part of the documents now.
    Stored,
    /// The provider granted the refresh, and the saved response is not understood; the journal says
    /// so. The lock is returned if it said so before.
    NotUnderstood(Option<Box<dyn Held<'a> + 'a>>),
    /// There is no response, or one that granted nothing; the lock is returned.
    NothingFound(Box<dyn Held<'a> + 'a>),
}

/// Stores the saved response to a refresh of a grant, if there is one. A signal may interrupt it at
/// any point: the saved response is removed last.
///
/// # Errors
/// If it cannot be stored; it stays where it is.
pub(in crate::app) fn commit_saved<'a>(
    cx: Context<'_>,
    grant: &GrantDigest,
    held: Box<dyn Held<'a> + 'a>,
) -> Result<Recovered<'a>, Failure> {
    let Some(answer) = held.saved()? else {
        return Ok(Recovered::NothingFound(held));
    };
    let new = match understand(cx, grant, &answer) {
        Understood::Renewal(new) => new,
        Understood::NoGrant => return Ok(Recovered::NothingFound(held)),
        Understood::NotYet(reason) => {
            tracing::info!(at = %answer.at, "a saved answer is not understood");
            return mark_spent(cx, (grant, held), &answer, reason);
        }
    };
    let changed = held.resume(&answer)?.commit(&new, cx.clock.now())?;
    if let Some(agent) = changed.first() {
        let whose = ProfileRef {
            agent,
            profile: &answer.refresh.profile,
            provider: &answer.refresh.provider,
        };
        notify::of_refresh(cx, whose, new.expires);
        cx.info(format!(
            "{}: stored the refresh response received {}",
            answer.refresh.profile,
            cx.clock.local().spoken(answer.refresh.begun_at)
        ));
    }
    Ok(Recovered::Stored)
}

/// What a saved response is.
enum Understood {
    Renewal(OAuth),
    /// No grant: the refresh may be repeated.
    NoGrant,
    /// A grant, as it seems, that is missing this; the refresh token is spent.
    NotYet(String),
}

/// Writes into the journal that the grant must not be sent again, unless it says so.
fn mark_spent<'a>(
    cx: Context<'_>,
    (grant, held): (&GrantDigest, Box<dyn Held<'a> + 'a>),
    answer: &SavedAnswer,
    reason: String,
) -> Result<Recovered<'a>, Failure> {
    let record = cx.store.grant_record(grant)?;
    let standing = record.map_or(GrantStanding::Good, |record| record.standing());
    if matches!(standing, GrantStanding::NotUnderstood { .. }) {
        return Ok(Recovered::NotUnderstood(Some(held)));
    }
    let outcome = RefreshOutcome::NotUnderstood { reason };
    held.resume(answer)?.settle(&outcome, cx.clock.now())?;
    Ok(Recovered::NotUnderstood(None))
}

fn understand(cx: Context<'_>, spent: &GrantDigest, answer: &SavedAnswer) -> Understood {
    let PendingRefresh {
        provider: id,
        binding,
        begun_at,
        ..
    } = &answer.refresh;
    let provider = cx.provider(id).ok();
    let settings = provider.as_ref().map(|provider| provider.refresh.clone());
    let settings = settings.unwrap_or_default();
    let granted = match (binding.is_to_program(), &provider) {
        (true, _) => plugin::grant(answer.body.clone(), *begun_at, settings.baked_margin),
        (false, Some(provider)) => {
            let response = Response {
                status: 200,
                headers: Vec::new(),
                body: answer.body.clone(),
            };
            token_response::read_saved(provider, &response, *begun_at)
        }
        // Without its manifest nothing is sent either.
        (false, None) => return Understood::NoGrant,
    };
    let old = login_of(cx, spent, answer);
    if let (None, Some(reason)) = (&old, reason_against(cx, spent)) {
        // It was judged while there was a login to judge it by.
        return Understood::NotYet(reason);
    }
    let granted = granted.and_then(|grant| match (&provider, old) {
        (Some(provider), Some(old)) => same_account(provider, &old, grant),
        _ => Ok(grant),
    });
    match granted {
        Ok(grant) => Understood::Renewal(grant.into_renewal(id, &settings, *begun_at)),
        Err(OAuthError::NotUnderstood { reason }) => Understood::NotYet(reason),
        Err(_) => Understood::NoGrant,
    }
}

/// The login that was refreshed, or a copy of it in another agent, if one is left.
fn login_of(cx: Context<'_>, spent: &GrantDigest, answer: &SavedAnswer) -> Option<OAuth> {
    let owner = answer.refresh.agent.clone();
    let others = cx.store.agents().unwrap_or_default();
    let others = others.into_iter().filter(|agent| *agent != owner);
    std::iter::once(owner.clone())
        .chain(others)
        .find_map(|agent| {
            let document = cx.store.load(&agent, Scope::All).ok()?;
            document
                .profiles()
                .find_map(|(_, credential)| match credential {
                    Credential::OAuth(login) if login.grant().as_ref() == Some(spent) => {
                        Some(login.clone())
                    }
                    _ => None,
                })
        })
}

/// Why an answer was not used before, by the journal.
fn reason_against(cx: Context<'_>, spent: &GrantDigest) -> Option<String> {
    match cx.store.grant_record(spent).ok()??.standing() {
        GrantStanding::NotUnderstood { reason, .. } => Some(reason.clone()),
        _ => None,
    }
}
