//! From a spent grant to the one that lives: every refresh puts a successor in the place of a grant,
//! and the journal knows which.

use std::collections::HashMap;

use crate::model::credential::OAuth;
use crate::model::grant::{GrantDigest, GrantRecord};
use crate::model::id::{AgentId, ProfileId};
use crate::ports::store::{Scope, StoreError};

use crate::app::context::Context;

/// As many refreshes as are followed.
const LONGEST_LINE: usize = 10_000;

/// The profile that holds each grant. A document that cannot be read tells nothing: its owner
/// learns of that when it is used.
pub(in crate::app) fn holders(cx: Context<'_>) -> HashMap<GrantDigest, (AgentId, ProfileId)> {
    let mut holders = HashMap::new();
    for agent in cx.store.agents().unwrap_or_default() {
        let document = cx.store.load(&agent, Scope::All).unwrap_or_default();
        for (id, credential) in document.profiles() {
            if let Some(grant) = credential.as_oauth().and_then(OAuth::grant) {
                holders.insert(grant, (agent.clone(), id.clone()));
            }
        }
    }
    holders
}

/// Every profile that holds a grant, agent by agent.
pub(in crate::app) fn copies(cx: Context<'_>, grant: &GrantDigest) -> Vec<(AgentId, ProfileId)> {
    let mut copies = Vec::new();
    for agent in cx.store.agents().unwrap_or_default() {
        let document = cx.store.load(&agent, Scope::All).unwrap_or_default();
        for (id, credential) in document.profiles() {
            if credential.as_oauth().and_then(OAuth::grant).as_ref() == Some(grant) {
                copies.push((agent.clone(), id.clone()));
            }
        }
    }
    copies
}

/// The agents that see a profile of `owner` because they have none of that name themselves.
pub(in crate::app) fn readers(
    cx: Context<'_>,
    owner: &AgentId,
    profile: &ProfileId,
) -> Vec<AgentId> {
    if !owner.is_main() {
        return Vec::new();
    }
    let sees = |agent: &AgentId| {
        let own = cx.store.load(agent, Scope::Profile(profile));
        own.is_ok_and(|own| own.get(profile).is_none())
    };
    let agents = cx.store.agents().unwrap_or_default().into_iter();
    agents
        .filter(|agent| !agent.is_main() && sees(agent))
        .collect()
}

/// The first of a line of successors, beginning with `first`, that is among `living`.
///
/// # Errors
/// If the journal is there and cannot be read.
pub(in crate::app) fn follow<'a, T>(
    cx: Context<'_>,
    first: &GrantDigest,
    living: &'a HashMap<GrantDigest, T>,
) -> Result<Option<&'a T>, StoreError> {
    let mut grant = first.clone();
    for _ in 0..LONGEST_LINE {
        if let Some(place) = living.get(&grant) {
            return Ok(Some(place));
        }
        let record = cx.store.grant_record(&grant)?;
        match record.as_ref().and_then(GrantRecord::successor) {
            Some(successor) => grant = successor.clone(),
            None => break,
        }
    }
    Ok(None)
}
