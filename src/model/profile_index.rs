//! The profiles that an agent sees, found by name and by provider: for who asks of many.

use std::collections::HashMap;

use super::id::{ProfileId, ProviderId};
use super::profiles::{Effective, VisibleProfile};

/// The profiles that an agent sees, and where each is.
pub struct ProfileIndex<'a> {
    all: Vec<VisibleProfile<'a>>,
    by_id: HashMap<&'a ProfileId, usize>,
    by_provider: HashMap<ProviderId, Vec<usize>>,
}

impl<'a> ProfileIndex<'a> {
    /// Goes through all of them once.
    pub fn new(effective: &'a Effective) -> Self {
        let all = effective.profiles();
        let mut by_id = HashMap::with_capacity(all.len());
        let mut by_provider: HashMap<ProviderId, Vec<usize>> = HashMap::new();
        for (place, seen) in all.iter().enumerate() {
            by_id.insert(seen.id, place);
            if let Some(provider) = seen.credential.provider() {
                by_provider.entry(provider).or_default().push(place);
            }
        }
        Self {
            all,
            by_id,
            by_provider,
        }
    }

    /// All, in the order of [`Effective::profiles`].
    pub fn all(&self) -> &[VisibleProfile<'a>] {
        &self.all
    }

    /// One of them.
    pub fn get(&self, id: &ProfileId) -> Option<&VisibleProfile<'a>> {
        self.by_id.get(id).map(|place| &self.all[*place])
    }

    /// Those of a provider, in the same order.
    pub fn of(&self, provider: &ProviderId) -> impl Iterator<Item = &VisibleProfile<'a>> {
        let places = self.by_provider.get(provider).into_iter().flatten();
        places.map(|place| &self.all[*place])
    }
}
