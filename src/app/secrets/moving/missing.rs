//! Logins that this machine handed over in a bundle and that no profile holds any more: logged out
//! since, or replaced by others.

use std::collections::{HashMap, HashSet};

use super::content::Content;
use super::merge::brought;
use super::ordering::{add_to_orders, select};
use super::strip::moved_in;
use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::model::bundle::BundleId;
use crate::model::credential::{Credential, OAuth};
use crate::model::grant::GrantDigest;
use crate::model::id::{AgentId, ProfileId};
use crate::model::profiles::AuthProfiles;
use crate::ports::store::{Detail, Scope};

/// Where a login was.
struct Place<'a> {
    agent: &'a AgentId,
    id: &'a ProfileId,
    whole: &'a Credential,
}

/// A login that no profile holds, with the places where it was.
pub(super) struct Missing<'a> {
    places: Vec<Place<'a>>,
}

/// Finds those of the grants that are missing.
///
/// # Errors
/// If a document cannot be read.
pub(super) fn find<'a>(
    cx: Context<'_>,
    content: &'a Content,
    grants: &HashSet<GrantDigest>,
) -> Result<Vec<Missing<'a>>, Failure> {
    let held = held(cx, &content.head.id)?;
    let mut missing: HashMap<GrantDigest, Vec<Place<'a>>> = HashMap::new();
    for one in &content.agents {
        for (id, whole) in one.document.profiles() {
            let grant = whole.as_oauth().and_then(OAuth::grant);
            let grant = grant.filter(|grant| grants.contains(grant) && !held.contains(grant));
            if let Some(grant) = grant {
                let agent = &one.agent;
                let places = missing.entry(grant).or_default();
                places.push(Place { agent, id, whole });
            }
        }
    }
    let missing = missing.into_values();
    Ok(missing.map(|places| Missing { places }).collect())
}

/// The grants that a profile holds, or lost to that bundle.
fn held(cx: Context<'_>, bundle: &BundleId) -> Result<HashSet<GrantDigest>, Failure> {
    let mut held = HashSet::new();
    for agent in cx.store.agents()? {
        let document = cx.store.look(&agent, Scope::All, Detail::Masked)?;
        for login in document.profiles().filter_map(|(_, it)| it.as_oauth()) {
            let moved = moved_in(login, bundle).map(|moved| moved.grant);
            held.extend(login.grant().or(moved));
        }
    }
    Ok(held)
}

impl Missing<'_> {
    /// Puts it back whole wherever its name is free; false if it is nowhere.
    ///
    /// # Errors
    /// If a document cannot be written; it can be done again.
    pub(super) fn put(&self, cx: Context<'_>) -> Result<bool, Failure> {
        let mut is_anywhere = false;
        for Place { agent, id, whole } in &self.places {
            let mut is_put = false;
            cx.change(agent, |document| {
                is_put =
                    !is_taken(document, id) && document.put((*id).clone(), brought(None, whole));
                if is_put {
                    add_to_orders(document, &HashSet::from([(*id).clone()]));
                }
                is_put
            })?;
            if is_put {
                select(cx, agent, &[(*id, *whole)])?;
            }
            is_anywhere |= is_put;
        }
        Ok(is_anywhere)
    }

    /// The profiles that held it.
    pub(super) fn names(&self) -> impl Iterator<Item = (AgentId, ProfileId)> {
        let places = self.places.iter();
        places.map(|place| (place.agent.clone(), place.id.clone()))
    }
}

fn is_taken(document: &AuthProfiles, id: &ProfileId) -> bool {
    let mut keys = document.entries().iter().map(|entry| &entry.key);
    keys.any(|key| key.trim() == id.as_str())
}
