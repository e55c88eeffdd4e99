//! What an agent sees: its own document, and the main agent's beneath it.

use std::collections::hash_map::Entry as MapEntry;

use foldhash::{HashMap, HashMapExt as _};

use super::AuthProfiles;
use crate::model::cooldown::{self, StoreFormat};
use crate::model::credential::Credential;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::time::Timestamp;
use crate::model::usage::{Unusable, Usage};

/// One profile as an agent sees it.
#[derive(Clone, Debug)]
pub struct VisibleProfile<'a> {
    /// Its name.
    pub id: &'a ProfileId,
    /// What it holds.
    pub credential: &'a Credential,
    /// The agent in whose document it lies, where it is refreshed and changed.
    pub owner: &'a AgentId,
    /// What was learnt by using it, the looking agent's own knowledge first.
    pub usage: Option<&'a Usage>,
    /// Whose rules the documents are kept by.
    pub release: StoreFormat,
}

impl VisibleProfile<'_> {
    /// Whether it is passed over at `now` and until when; see [`Usage::unusable`].
    pub fn unusable(&self, now: Timestamp, model: Option<&str>) -> Option<Unusable> {
        let unusable = self.usage?.unusable(now, model)?;
        let provider = self.credential.provider();
        let is_exempt = provider.is_some_and(|id| cooldown::is_exempt(&id, self.release));
        (!is_exempt).then_some(unusable)
    }
}

/// What an agent sees: the main agent's document overlaid by its own, key by key.
///
/// Read-through only. Nothing inherited is ever written into the agent's file, and a refresh
/// happens at the owner: the reference release copied grants on reading, and then every agent but
/// one held a spent refresh token.
#[derive(Clone, Debug)]
pub struct Effective {
    /// The agent that looks.
    pub agent: AgentId,
    /// Its own document.
    pub own: AuthProfiles,
    /// The main agent's, unless the agent is main itself.
    pub main: Option<AuthProfiles>,
    main_id: AgentId,
}

impl Effective {
    /// Lays `own` over `main`; `main` is `None` when the agent is the main one.
    pub fn new(agent: AgentId, own: AuthProfiles, main: Option<AuthProfiles>) -> Self {
        Self {
            agent,
            own,
            main,
            main_id: AgentId::main(),
        }
    }

    /// Every visible profile: main's in its order, each replaced by the agent's own of that name,
    /// then the rest of the agent's own. OpenClaw merges the two maps the same way.
    pub fn profiles(&self) -> Vec<VisibleProfile<'_>> {
        let counts = self.documents().map(|(it, _)| it.entries.len());
        let most = counts.sum();
        let mut seen: Vec<VisibleProfile<'_>> = Vec::with_capacity(most);
        let mut places: HashMap<&str, usize> = HashMap::with_capacity(most);
        for (document, owner) in self.documents() {
            for (id, credential) in document.profiles() {
                let found = VisibleProfile {
                    id,
                    credential,
                    owner,
                    usage: None,
                    release: self.release(),
                };
                match places.entry(id.as_str()) {
                    MapEntry::Vacant(place) => {
                        place.insert(seen.len());
                        seen.push(found);
                    }
                    MapEntry::Occupied(place) if seen[*place.get()].owner != owner => {
                        seen[*place.get()] = found;
                    }
                    // Two keys of one document that differ by white space: the first counts.
                    MapEntry::Occupied(_) => {}
                }
            }
        }
        for (document, _) in self.documents() {
            // Backwards, because the first of two entries counts, as in `usage_of`.
            for (name, usage) in document.usage.iter().rev() {
                if let Some(place) = places.get(name.trim()) {
                    seen[*place].usage = Some(usage);
                }
            }
        }
        seen
    }

    /// The documents, the lower first.
    fn documents(&self) -> impl Iterator<Item = (&AuthProfiles, &AgentId)> {
        let main = self.main.iter().map(|main| (main, &self.main_id));
        main.chain([(&self.own, &self.agent)])
    }

    /// One visible profile.
    pub fn get(&self, id: &ProfileId) -> Option<VisibleProfile<'_>> {
        let own = self.own.profiles().map(|found| (found, &self.agent));
        let main = self.main.iter().flat_map(AuthProfiles::profiles);
        let main = main.map(|found| (found, &self.main_id));
        own.chain(main)
            .find(|((other, _), _)| *other == id)
            .map(|((id, credential), owner)| VisibleProfile {
                id,
                credential,
                owner,
                usage: self.usage_of(id),
                release: self.release(),
            })
    }

    /// Whose rules the documents are kept by.
    pub fn release(&self) -> StoreFormat {
        let below = self.main.as_ref().map(|main| main.release);
        self.own.release.over(below)
    }

    /// What is known of `id`: the agent's own knowledge, else main's.
    pub fn usage_of(&self, id: &ProfileId) -> Option<&Usage> {
        let inherited = || self.main.as_ref().and_then(|main| main.usage_of(id));
        self.own.usage_of(id).or_else(inherited)
    }

    /// The order override for `provider`, the agent's own first.
    pub fn order_of(&self, provider: &ProviderId) -> Option<&[String]> {
        let inherited = || self.main.as_ref().and_then(|main| main.order_of(provider));
        self.own.order_of(provider).or_else(inherited)
    }
}
