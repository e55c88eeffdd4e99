//! One agent's document.

mod effective;
mod merge;
mod past;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::cooldown::StoreFormat;
use super::credential::{Credential, OAuth};
use super::grant::{Binding, GrantDigest};
use super::id::{ProfileId, ProviderId};
use super::json::{Extra, Verbatim};
use super::mentions::Mentions;
use super::pairs;
use super::secret::Secret;
use super::usage::Usage;
pub use effective::{Effective, VisibleProfile};
pub use past::Past;

/// One entry of `profiles`, under its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The key as it stands in the document; the same text as the id that it mostly is.
    pub key: Arc<str>,
    /// What it holds.
    pub content: Content,
    /// The text it was read from; gone once it is changed, and none where it is only looked at.
    pub text: Option<Verbatim>,
    /// The text that a changed entry was read from: what is written keeps the order of its members.
    pub before: Option<Verbatim>,
}

/// What an entry holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A credential under a usable name.
    Valid(ProfileId, Credential),
    /// Something else: kept as it is, never used, and named in status. One bad entry must not lock
    /// the others out.
    Invalid {
        /// What is wrong with it; holds nothing of its content.
        fault: String,
    },
}

/// One agent's own document: `auth-profiles.json`, and `auth-state.json` where it is split off.
///
/// Order, unknown members, unknown credential types and invalid entries survive reading and
/// writing; see [`Verbatim`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthProfiles {
    entries: Vec<Entry>,
    /// Per-agent order overrides, by provider as written.
    pub order: Vec<(String, Vec<String>)>,
    /// The profile that last worked, by provider as written.
    pub last_good: Vec<(String, String)>,
    /// What was learnt by using the profiles, by profile id as written.
    pub usage: Vec<(String, Usage)>,
    /// Unknown top-level members of the document. A known one is here too as far as it could not
    /// be understood, and a `version` other than 1.
    pub extra: Extra,
    /// The same of `auth-state.json`.
    pub state_extra: Extra,
    /// Whose rules it is kept by.
    pub release: StoreFormat,
    /// Faults of the whole document that do not stop it from being read, each a sentence.
    pub faults: Vec<String>,
    /// Where grants that were put in come from; the history is told of it.
    pub bindings: BTreeMap<GrantDigest, Binding>,
    past: Vec<Past>,
}

impl AuthProfiles {
    /// A document with these entries and nothing else.
    pub fn from_entries(entries: Vec<Entry>) -> Self {
        Self {
            entries,
            ..Self::default()
        }
    }

    /// The document with these entries instead of its own.
    #[must_use]
    pub fn with_entries(mut self, entries: Vec<Entry>) -> Self {
        self.entries = entries;
        self
    }

    /// The part of it that concerns these profiles: for looking at, and never to be written.
    #[must_use]
    pub fn narrowed(mut self, to: &[ProfileId]) -> Self {
        let to: HashSet<&str> = to.iter().map(ProfileId::as_str).collect();
        let is_one = |name: &str| to.contains(name.trim());
        self.entries.retain(|entry| is_one(&entry.key));
        self.retain_state(is_one);
        self
    }

    /// Keeps what orders, last good profiles and usage say of the profiles of these names.
    fn retain_state(&mut self, is_kept: impl Fn(&str) -> bool) {
        for (_, ids) in &mut self.order {
            ids.retain(|id| is_kept(id));
        }
        self.order.retain(|(_, ids)| !ids.is_empty());
        self.last_good.retain(|(_, id)| is_kept(id));
        self.usage.retain(|(id, _)| is_kept(id));
    }

    /// Every entry in the order of the document, invalid ones included.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Says what is wrong with an entry that is no credential, for whoever knows more of it than its text
    /// tells.
    pub fn say_of_invalid(&mut self, key: &str, why: &str) {
        for entry in &mut self.entries {
            if let Content::Invalid { fault } = &mut entry.content
                && &*entry.key == key
            {
                why.clone_into(fault);
            }
        }
    }

    /// The valid profiles in the order of the document.
    pub fn profiles(&self) -> impl Iterator<Item = (&ProfileId, &Credential)> {
        self.entries
            .iter()
            .filter_map(|entry| match &entry.content {
                Content::Valid(id, credential) => Some((id, credential)),
                Content::Invalid { .. } => None,
            })
    }

    /// The profiles that hold a grant.
    pub fn copies(&self, grant: &GrantDigest) -> Vec<(ProfileId, OAuth)> {
        let copy = |(id, credential): (&ProfileId, &Credential)| {
            let oauth = credential.as_oauth()?;
            (oauth.grant().as_ref() == Some(grant)).then(|| (id.clone(), oauth.clone()))
        };
        self.profiles().filter_map(copy).collect()
    }

    /// The credential of one profile.
    pub fn get(&self, id: &ProfileId) -> Option<&Credential> {
        self.profiles()
            .find(|(other, _)| *other == id)
            .map(|(_, credential)| credential)
    }

    /// Resolves references to variables; see [`Credential::resolve`].
    pub fn resolve(&mut self, value: &dyn Fn(&str) -> Option<Secret<String>>) {
        for entry in &mut self.entries {
            if let Content::Valid(_, credential) = &mut entry.content {
                credential.resolve(value);
            }
        }
    }

    /// Stores a credential under `id`: in its old place if there is one, else at the end. Returns
    /// `false`, and changes nothing, for one that is not [held](Credential::is_held): of a secret that
    /// is only looked at nothing is there to be stored.
    #[must_use]
    pub fn put(&mut self, id: ProfileId, credential: Credential) -> bool {
        let place = self.place_of(&id);
        self.put_at(place, id, credential)
    }

    /// Does that with many, and looks for the old places once; returns those that are not held.
    #[must_use]
    pub fn put_all(
        &mut self,
        new: impl IntoIterator<Item = (ProfileId, Credential)>,
    ) -> Vec<ProfileId> {
        let mut places: HashMap<String, usize> = HashMap::new();
        for (place, entry) in self.entries.iter().enumerate() {
            if let Content::Valid(id, _) = &entry.content {
                places.entry(id.to_string()).or_insert(place);
            }
        }
        let exact = self.entries.iter().enumerate();
        places.extend(exact.map(|(place, entry)| (entry.key.to_string(), place)));
        let mut left = Vec::new();
        for (id, credential) in new {
            let place = places.get(id.as_str()).copied();
            match self.put_at(place, id.clone(), credential) {
                true => {
                    let end = self.entries.len().saturating_sub(1);
                    places.entry(id.to_string()).or_insert(end);
                }
                false => left.push(id),
            }
        }
        left
    }

    fn put_at(&mut self, place: Option<usize>, id: ProfileId, credential: Credential) -> bool {
        let is_held = credential.is_held();
        if let Some((id, old)) = self.replace(place, id, credential) {
            self.remember(id, old, Mentions::default());
        }
        is_held
    }

    /// Does the same with a credential that says of its secret what the one there says: the history is
    /// not told.
    pub fn put_same_secret(&mut self, id: ProfileId, credential: Credential) {
        let place = self.place_of(&id);
        self.replace(place, id, credential);
    }

    /// Where a profile stands.
    fn place_of(&self, id: &ProfileId) -> Option<usize> {
        // The exact key first: two keys may differ only by white space around them.
        let exact = self.entries.iter().position(|e| *e.key == *id.as_str());
        exact.or_else(|| {
            self.entries
                .iter()
                .position(|e| matches!(&e.content, Content::Valid(other, _) if other == id))
        })
    }

    /// Returns the credential that was there.
    fn replace(
        &mut self,
        place: Option<usize>,
        id: ProfileId,
        credential: Credential,
    ) -> Option<(ProfileId, Credential)> {
        // The one that is stored stays.
        if !credential.is_held() {
            return None;
        }
        let mut entry = Entry {
            key: id.as_str().into(),
            content: Content::Valid(id, credential),
            text: None,
            before: None,
        };
        match place {
            Some(place) => {
                let old = &mut self.entries[place];
                entry.before = old.text.take().or(old.before.take());
                match std::mem::replace(old, entry).content {
                    Content::Valid(id, credential) => Some((id, credential)),
                    Content::Invalid { .. } => None,
                }
            }
            None => {
                self.entries.push(entry);
                None
            }
        }
    }

    /// Takes a profile out, together with what `order`, `lastGood` and `usageStats` say of it. An
    /// order list that is empty afterwards goes, too. Returns the credential, if it was there.
    pub fn remove(&mut self, id: &ProfileId) -> Option<Credential> {
        let place = self
            .entries
            .iter()
            .position(|e| matches!(&e.content, Content::Valid(other, _) if other == id))?;
        let entry = self.entries.remove(place);
        let mentions = self.mentions_of(id);
        self.retain_state(|name| name.trim() != id.as_str());
        match entry.content {
            Content::Valid(id, credential) => {
                self.remember(id, credential.clone(), mentions);
                Some(credential)
            }
            Content::Invalid { .. } => None,
        }
    }

    /// Only the first that is replaced was ever on disk.
    fn remember(&mut self, id: ProfileId, credential: Credential, mentions: Mentions) {
        if !self.past.iter().any(|past| past.id == id) {
            self.past.push(Past {
                id,
                credential,
                mentions,
            });
        }
    }

    /// Stores a credential that was removed, and what was said of it; `false` as [`Self::put`].
    #[must_use]
    pub fn restore(&mut self, id: &ProfileId, credential: Credential, mentions: &Mentions) -> bool {
        if !self.put(id.clone(), credential) {
            return false;
        }
        let stored: Vec<String> = self.profiles().map(|(id, _)| id.to_string()).collect();
        let is_stored = |name: &str| stored.iter().any(|other| other == name);
        mentions.restore_orders(&mut self.order, id, &is_stored);
        for key in &mentions.last_good {
            let is_it = |other: &String| other == key;
            if pairs::get(&self.last_good, is_it).is_none() {
                self.last_good.push((key.clone(), id.to_string()));
            }
        }
        if let (Some(usage), None) = (&mentions.usage, self.usage_of(id)) {
            self.set_usage(id, usage.clone());
        }
        true
    }

    fn mentions_of(&self, id: &ProfileId) -> Mentions {
        let is_it = |name: &String| name.trim() == id.as_str();
        let orders = self.order.iter();
        let orders = orders.filter(|(_, ids)| ids.iter().any(is_it));
        Mentions {
            orders: orders.cloned().collect(),
            last_good: pairs::keys(&self.last_good, is_it),
            usage: self.usage_of(id).cloned(),
        }
    }

    /// Whether anything was replaced or removed since the document was read.
    pub fn has_past(&self) -> bool {
        !self.past.is_empty()
    }

    /// Takes what was replaced or removed since the document was read: what the history is told of
    /// when the document is written.
    pub fn take_past(&mut self) -> Vec<Past> {
        std::mem::take(&mut self.past)
    }

    /// What was learnt about `id` by using it.
    pub fn usage_of(&self, id: &ProfileId) -> Option<&Usage> {
        pairs::get(&self.usage, |other| other.trim() == id.as_str())
    }

    /// Writes down what was learnt about `id`, in the old place if there is one.
    pub fn set_usage(&mut self, id: &ProfileId, usage: Usage) {
        let is_it = |other: &str| other.trim() == id.as_str();
        *pairs::entry(&mut self.usage, is_it, id.as_str()) = usage;
    }

    /// Writes down which profile of a provider worked last, whichever way its key is written.
    pub fn set_last_good(&mut self, provider: &ProviderId, id: &ProfileId) {
        let is_it = |key: &str| provider.is_named(key);
        *pairs::entry(&mut self.last_good, is_it, provider.as_str()) = id.as_str().to_owned();
    }

    /// The order override whose key normalises to `provider`.
    pub fn order_of(&self, provider: &ProviderId) -> Option<&[String]> {
        pairs::get(&self.order, |key| provider.is_named(key)).map(Vec::as_slice)
    }
}

#[cfg(test)]
mod tests;
