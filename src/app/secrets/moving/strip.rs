//! Taking refresh tokens out of the documents, and putting them back.

use std::collections::HashMap;

use super::marker::{Marker, encode};
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::model::bundle::BundleId;
use crate::model::credential::{Credential, OAuth};
use crate::model::grant::GrantDigest;
use crate::model::hint::Command;
use crate::model::id::{AgentId, ProfileId};
use crate::model::json::Verbatim;
use crate::model::moved::Moved;
use crate::model::profiles::AuthProfiles;
use crate::model::secret::Secret;
use crate::ports::store::{Detail, Scope};

/// Takes the refresh tokens that were handed over out of every document, where the access tokens stay,
/// and out of the histories of all agents. Returns the profiles.
///
/// # Errors
/// If a document cannot be written; it can be done again.
pub(super) fn strip(
    cx: Context<'_>,
    marker: &Marker,
) -> Result<Vec<(AgentId, ProfileId)>, Failure> {
    let mut texts = HashMap::new();
    for leaving in &marker.grants {
        let text = String::from_utf8_lossy(&encode(&marker.moved(&leaving.grant))?).into_owned();
        texts.insert(&leaving.grant, text);
    }
    let changed = change_logins(cx, &|login| {
        // Once more, for whoever was killed may have left the document as it was beside it: the next
        // write takes that away.
        if moved_in(login, &marker.bundle).is_some() {
            return Some(login.clone());
        }
        let text = texts.get(&login.grant()?)?;
        let mut rest = login.clone();
        // Blank: early releases of OpenClaw fail without the member.
        rest.refresh = Some(Secret::from(""));
        rest.extra.set(Moved::MEMBER, Verbatim::new(text.clone()));
        Some(rest)
    })?;
    let grants = marker.grants.iter().map(|leaving| leaving.grant.clone());
    let grants: Vec<GrantDigest> = grants.collect();
    for agent in cx.store.agents()? {
        cx.store.strip_history(&agent, &grants)?;
    }
    Ok(changed)
}

/// Puts refresh tokens back where they were taken out for that bundle; returns the profiles.
///
/// # Errors
/// If a document cannot be written; it can be done again.
pub(super) fn put_back(
    cx: Context<'_>,
    bundle: &BundleId,
    tokens: &HashMap<GrantDigest, Secret<String>>,
) -> Result<Vec<(AgentId, ProfileId)>, Failure> {
    change_logins(cx, &|login| {
        let moved = moved_in(login, bundle)?;
        let token = tokens.get(&moved.grant)?;
        let mut whole = login.clone();
        whole.refresh = Some(token.clone());
        whole.extra.0.retain(|(name, _)| name != Moved::MEMBER);
        Some(whole)
    })
}

/// What a login says of having been moved in that bundle.
pub(super) fn moved_in(login: &OAuth, bundle: &BundleId) -> Option<Moved> {
    let moved = login.moved()?;
    (moved.bundle == *bundle).then_some(moved)
}

/// Whether a profile of any agent has lost its refresh token to that bundle.
///
/// # Errors
/// If a document cannot be read.
pub(super) fn is_anywhere(cx: Context<'_>, bundle: &BundleId) -> Result<bool, Failure> {
    for agent in cx.store.agents()? {
        let document = cx.store.look(&agent, Scope::All, Detail::Masked)?;
        let mut logins = document.profiles();
        if logins.any(|(_, it)| {
            it.as_oauth()
                .is_some_and(|it| moved_in(it, bundle).is_some())
        }) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Changes the logins of all agents for which `new` gives another one. Nobody is asked for a passphrase,
/// for others wait meanwhile; a seal that does not open under the key of its vault stays as it is.
///
/// # Errors
/// If a login that is to be changed is not, above all because the vault is closed.
fn change_logins(
    cx: Context<'_>,
    new: &dyn Fn(&OAuth) -> Option<OAuth>,
) -> Result<Vec<(AgentId, ProfileId)>, Failure> {
    let mut changed = Vec::new();
    for agent in cx.store.agents()? {
        let found = |document: &AuthProfiles| -> Vec<(ProfileId, OAuth)> {
            let logins = document.profiles();
            let logins = logins.filter_map(|(id, it)| Some((id.clone(), new(it.as_oauth()?)?)));
            logins.collect()
        };
        // Looked at first: most documents are not concerned, and need not be written.
        let concerned = found(&cx.store.look(&agent, Scope::All, Detail::Masked)?);
        if concerned.is_empty() {
            continue;
        }
        open_unasked(cx, &concerned)?;
        let (mut done, mut left) = (Vec::new(), Vec::new());
        cx.change(&agent, |document| {
            (done, left) = (Vec::new(), Vec::new());
            for (id, login) in found(document) {
                match document.put(id.clone(), Credential::OAuth(login.clone())) {
                    true => done.push(id),
                    false => left.push((id, login)),
                }
            }
            !done.is_empty()
        })?;
        for (id, login) in left {
            tell_left(cx, &agent, &id, &login)?;
        }
        changed.extend(done.into_iter().map(|id| (agent.clone(), id)));
    }
    Ok(changed)
}

/// Opens the vault where the document is sealed, or what is to be changed.
fn open_unasked(cx: Context<'_>, logins: &[(ProfileId, OAuth)]) -> Result<(), Failure> {
    let policy = cx.vault.policy()?;
    let is_sealed = |(_, login): &(ProfileId, OAuth)| Credential::OAuth(login.clone()).is_sealed();
    let seals = policy.as_ref().is_some_and(|policy| policy.store.seals());
    if seals || (policy.is_some() && logins.iter().any(is_sealed)) {
        cx.vault.unlock_unasked()?;
    }
    Ok(())
}

/// Tells of a login that could not be changed.
///
/// # Errors
/// If another attempt may do it: its seal was not tried.
fn tell_left(
    cx: Context<'_>,
    agent: &AgentId,
    id: &ProfileId,
    login: &OAuth,
) -> Result<(), Failure> {
    let known = login.access.as_ref().and_then(Secret::as_sealed);
    if known.is_none_or(|known| known.fault.is_none()) {
        let message = format!("is still as it was for agent {agent}, for it could not be read");
        return Err(Failure::about(id, Kind::Locked, message).hint(Command::new("secrets unlock")));
    }
    cx.warn(format!(
        "{id} of agent {agent} is a sealed copy of the same login that does not open, and stays as it is"
    ));
    Ok(())
}
