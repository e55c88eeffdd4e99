//! Recovery of token responses that were saved and not yet stored, because the process was killed
//! or the store failed.
//!
//! It is read by the code that reads an answer off the network, so that there is one way to
//! understand it. Every command begins with [`recover_pending`], and nobody sends a refresh token while an
//! answer to it lies there.

use std::time::Duration;

use crate::model::credential::{Identity, OAuth};
use crate::model::grant::GrantDigest;
use crate::oauth::{plugin, token_response};
use crate::ports::http::Response;
use crate::ports::store::{GrantLock, Held, PendingRefresh, SavedAnswer};

use super::notify;
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
        GrantLock::Held(held) => commit_saved(cx, held).map(drop),
        // Its refresh is under way in another process, or that has just stored the answer.
        GrantLock::Taken { .. } | GrantLock::Spent { .. } => Ok(()),
    }
}

/// The result of a recovery.
pub(in crate::app) enum Recovered<'a> {
    /// The response is part of the documents now.
    Stored,
    /// There is no response, or none that can be understood; the lock is returned.
    NothingFound(Box<dyn Held<'a> + 'a>),
}

/// Stores the saved response to a refresh of a grant, if there is one. A signal may interrupt it at
/// any point: the saved response is removed last.
///
/// # Errors
/// If it cannot be stored; it stays where it is.
pub(in crate::app) fn commit_saved<'a>(
    cx: Context<'_>,
    held: Box<dyn Held<'a> + 'a>,
) -> Result<Recovered<'a>, Failure> {
    let Some(answer) = held.saved()? else {
        return Ok(Recovered::NothingFound(held));
    };
    let Some(new) = understand(cx, &answer) else {
        tracing::info!(at = %answer.at, "a saved answer is not understood");
        return Ok(Recovered::NothingFound(held));
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
            "{}: stored the refresh response received at {}",
            answer.refresh.profile,
            answer.refresh.begun_at.iso8601()
        ));
    }
    Ok(Recovered::Stored)
}

fn understand(cx: Context<'_>, answer: &SavedAnswer) -> Option<OAuth> {
    let PendingRefresh {
        provider: id,
        binding,
        begun_at,
        ..
    } = &answer.refresh;
    if binding.is_to_program() {
        let provider = cx.provider(id);
        let baked = provider.map_or(Duration::ZERO, |provider| provider.refresh.baked_margin);
        let grant = plugin::grant(answer.body.clone(), *begun_at, baked).ok()?;
        return Some(grant.into_credential(id, Identity::default()));
    }
    let provider = cx.catalogue.get(id).ok()?;
    let response = Response {
        status: 200,
        headers: Vec::new(),
        body: answer.body.clone(),
    };
    let grant = token_response::read_saved(&provider, &response, *begun_at).ok()?;
    Some(grant.into_credential(id, Identity::default()))
}
