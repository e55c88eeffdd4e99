//! Stale copies of a login: restored from a backup, or missed when the others were refreshed.
//!
//! Its refresh token is spent. To send it would at best be refused; at worst the provider takes it
//! for theft and revokes the successor, too (RFC 9700 section 4.14.2). So the copy takes over what
//! its successor holds, if that lies in any document here, or in the history because another program
//! wrote the document as it was before.

use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::model::credential::{Credential, OAuth};
use crate::model::id::{AgentId, ProfileId};
use crate::ports::store::{Scope, StoreError};

use super::request::RefreshRequest;

/// Replaces the stale copy by what `profile` of `agent` holds, unless either has changed since.
pub(super) fn adopt_successor(
    request: &RefreshRequest<'_>,
    stale: &OAuth,
    (agent, profile): (&AgentId, &ProfileId),
) -> Result<(), Failure> {
    let store = request.cx.store;
    let (successor, is_kept) = match held(request.cx, agent, profile)? {
        Some(held) => (held, false),
        None => match kept(request.cx, agent, profile)? {
            Some(kept) => (kept, true),
            None => return Ok(()),
        },
    };
    let mut replaced = false;
    store.update(request.owner, &mut |document| {
        let copy = document.get(request.profile).and_then(Credential::as_oauth);
        replaced = copy.is_some_and(|copy| copy.grant() == stale.grant());
        match copy.filter(|_| replaced) {
            Some(copy) => {
                let renewed = Credential::OAuth(copy.renewed(&successor));
                replaced = document.put(request.profile.clone(), renewed);
                replaced
            }
            None => false,
        }
    })?;
    if replaced {
        let with = match is_kept {
            true => "the newest one, which the history kept".to_owned(),
            false => format!("{profile} of agent {agent}"),
        };
        request.cx.warn(format!(
            "{} of agent {} was an outdated copy of a login; replaced it with {with}",
            request.profile, request.owner
        ));
    }
    Ok(())
}

/// The login that the document holds, unless it is spent, too.
fn held(cx: Context<'_>, agent: &AgentId, id: &ProfileId) -> Result<Option<OAuth>, StoreError> {
    let document = cx.store.load(agent, Scope::Profile(id))?;
    let held = document.get(id).and_then(Credential::as_oauth);
    let Some(grant) = held.and_then(OAuth::grant) else {
        return Ok(None);
    };
    let record = cx.store.grant_record(&grant)?;
    let is_spent = record.and_then(|record| record.successor()).is_some();
    Ok(held.filter(|_| !is_spent).cloned())
}

/// The login that was stored last.
fn kept(cx: Context<'_>, agent: &AgentId, id: &ProfileId) -> Result<Option<OAuth>, StoreError> {
    let kept = cx.store.history(agent, Some(id))?.histories.pop();
    let saved = kept.and_then(|history| history.saved);
    Ok(saved.and_then(|saved| saved.credential.as_oauth().cloned()))
}
