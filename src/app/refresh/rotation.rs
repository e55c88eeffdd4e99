//! Rotation of refresh tokens: every refresh replaces a grant by a successor, which the journal
//! records.

use std::collections::HashMap;

use crate::model::credential::{Credential, OAuth};
use crate::model::grant::{GrantDigest, GrantRecord};
use crate::model::id::{AgentId, ProfileId};
use crate::ports::store::{Detail, Scope, StoreError};

use crate::app::context::Context;

/// The longest line of successors that is followed.
const LONGEST_LINE: usize = 10_000;

/// Maps each grant to the profile that holds it. A document that cannot be read is left out.
pub(in crate::app) fn holders(cx: Context<'_>) -> HashMap<GrantDigest, (AgentId, ProfileId)> {
    let mut holders = HashMap::new();
    for agent in cx.store.agents().unwrap_or_default() {
        let document = cx
            .store
            .look(&agent, Scope::All, Detail::Masked)
            .unwrap_or_default();
        for (id, credential) in document.profiles() {
            if let Some(grant) = credential.as_oauth().and_then(OAuth::grant) {
                holders.insert(grant, (agent.clone(), id.clone()));
            }
        }
    }
    holders
}

/// The login of a profile that took the place of a spent grant.
#[derive(Clone, Debug)]
pub(in crate::app) struct Holder {
    /// The agent in whose document the profile lies.
    pub(in crate::app) agent: AgentId,
    /// The profile.
    pub(in crate::app) profile: ProfileId,
    /// The login, if another program took it out of the document and the history has it.
    pub(in crate::app) kept: Option<OAuth>,
}

/// Maps each grant to the profile that holds it, or held it until another program took it away.
pub(in crate::app) fn holders_and_keepers(cx: Context<'_>) -> HashMap<GrantDigest, Holder> {
    let mut found = HashMap::new();
    for agent in cx.store.agents().unwrap_or_default() {
        let kept = cx.store.history(&agent, None).unwrap_or_default();
        for history in kept.histories {
            if let Some(Credential::OAuth(login)) = history.saved.map(|saved| saved.credential)
                && let Some(grant) = login.grant()
            {
                let holder = Holder {
                    agent: agent.clone(),
                    profile: history.profile,
                    kept: Some(login),
                };
                found.insert(grant, holder);
            }
        }
    }
    let held = holders(cx).into_iter();
    found.extend(held.map(|(grant, (agent, profile))| {
        let holder = Holder {
            agent,
            profile,
            kept: None,
        };
        (grant, holder)
    }));
    found
}

/// Lists every profile that holds a grant, agent by agent.
pub(in crate::app) fn copies(cx: Context<'_>, grant: &GrantDigest) -> Vec<(AgentId, ProfileId)> {
    let mut copies = Vec::new();
    for agent in cx.store.agents().unwrap_or_default() {
        let document = cx
            .store
            .look(&agent, Scope::All, Detail::Masked)
            .unwrap_or_default();
        for (id, credential) in document.profiles() {
            if credential.as_oauth().and_then(OAuth::grant).as_ref() == Some(grant) {
                copies.push((agent.clone(), id.clone()));
            }
        }
    }
    copies
}

/// Lists the agents that inherit a profile of `owner`.
pub(in crate::app) fn readers(
    cx: Context<'_>,
    owner: &AgentId,
    profile: &ProfileId,
) -> Vec<AgentId> {
    if !owner.is_main() {
        return Vec::new();
    }
    let sees = |agent: &AgentId| {
        let own = cx
            .store
            .look(agent, Scope::Profile(profile), Detail::Masked);
        own.is_ok_and(|own| own.get(profile).is_none())
    };
    let agents = cx.store.agents().unwrap_or_default().into_iter();
    agents
        .filter(|agent| !agent.is_main() && sees(agent))
        .collect()
}

/// Returns the last in the line of successors, beginning with `first`, that is among `living`.
///
/// # Errors
/// If the journal is there and cannot be read.
pub(in crate::app) fn follow<'a, T>(
    cx: Context<'_>,
    first: &GrantDigest,
    living: &'a HashMap<GrantDigest, T>,
) -> Result<Option<&'a T>, StoreError> {
    let mut grant = first.clone();
    let mut newest = living.get(first);
    for _ in 0..LONGEST_LINE {
        let record = cx.store.grant_record(&grant)?;
        match record.as_ref().and_then(GrantRecord::successor) {
            Some(successor) if successor != *first => grant = successor,
            _ => break,
        }
        newest = living.get(&grant).or(newest);
    }
    Ok(newest)
}
