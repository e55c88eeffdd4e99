//! Taking refresh tokens out of the documents, and putting them back.

use std::collections::HashMap;

use super::marker::Marker;
use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::model::bundle::BundleId;
use crate::model::credential::{Credential, OAuth};
use crate::model::grant::GrantDigest;
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
    let changed = change_logins(cx, &|login| {
        // Once more, for whoever was killed may have left the document as it was beside it: the next
        // write takes that away.
        if moved_in(login, &marker.bundle).is_some() {
            return Some(login.clone());
        }
        let grant = login.grant()?;
        let leaves = marker.grants.iter().any(|leaving| leaving.grant == grant);
        let mut rest = login.clone();
        // Blank: early releases of OpenClaw fail without the member.
        rest.refresh = Some(Secret::from(""));
        let text = serde_json::to_string(&marker.moved(&grant)).unwrap_or_default();
        rest.extra.set(Moved::MEMBER, Verbatim::new(text));
        leaves.then_some(rest)
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

/// Changes the logins of all agents for which `new` gives another one.
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
        if found(&cx.store.look(&agent, Scope::All, Detail::Masked)?).is_empty() {
            continue;
        }
        let mut done = Vec::new();
        cx.change(&agent, |document| {
            done = found(document);
            for (id, login) in &done {
                document.put(id.clone(), Credential::OAuth(login.clone()));
            }
            !done.is_empty()
        })?;
        changed.extend(done.into_iter().map(|(id, _)| (agent.clone(), id)));
    }
    Ok(changed)
}
