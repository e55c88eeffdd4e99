//! What an agent sees: its own document, and the main agent's beneath it.

use std::collections::BTreeSet;
use std::collections::hash_map::Entry as MapEntry;

use foldhash::{HashMap, HashMapExt as _};

use super::{AuthProfiles, Content, Entry};
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
        if let Some((document, owner)) = self.only_document() {
            let usage = self.usage_by_name();
            seen.extend(document.profiles().map(|(id, credential)| VisibleProfile {
                id,
                credential,
                owner,
                usage: usage.get(id.as_str()).copied(),
                release: self.release(),
            }));
            return seen;
        }
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
        for (name, usage) in self.usage_by_name() {
            if let Some(place) = places.get(name) {
                seen[*place].usage = Some(usage);
            }
        }
        seen
    }

    /// The document that holds all profiles, if no two can be of one name.
    fn only_document(&self) -> Option<(&AuthProfiles, &AgentId)> {
        let mut filled = self.documents().filter(|(it, _)| !it.entries.is_empty());
        let (only, owner) = filled.next()?;
        let has_rivals = filled.next().is_some();
        // Keys of one document may differ by white space, which no id has. Their lengths are at hand, and
        // thousands of texts are not.
        let is_id = |entry: &Entry| match &entry.content {
            Content::Valid(id, _) => id.as_str().len() == entry.key.len(),
            Content::Invalid { .. } => true,
        };
        (!has_rivals && only.entries.iter().all(is_id)).then_some((only, owner))
    }

    /// What is known of each profile: the agent's own knowledge, else main's.
    fn usage_by_name(&self) -> HashMap<&str, &Usage> {
        // Backwards, because the first of two entries counts, as in `usage_of`.
        let documents = self.documents();
        let all = documents.flat_map(|(document, _)| document.usage.iter().rev());
        all.map(|(name, usage)| (name.trim(), usage)).collect()
    }

    /// The providers of the visible profiles.
    pub fn providers(&self) -> BTreeSet<ProviderId> {
        let mut providers = BTreeSet::new();
        let mut add = |credentials: &mut dyn Iterator<Item = &Credential>| {
            let mut last = "";
            for credential in credentials {
                // Those of one provider mostly stand together.
                if std::mem::replace(&mut last, credential.raw_provider())
                    != credential.raw_provider()
                {
                    providers.extend(credential.provider());
                }
            }
        };
        match self.only_document() {
            Some((only, _)) => add(&mut only.profiles().map(|(_, credential)| credential)),
            None => add(&mut self.profiles().iter().map(|seen| seen.credential)),
        }
        providers
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
