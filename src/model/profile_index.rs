//! The profiles that an agent sees, found by name and by provider.

use std::cell::OnceCell;

use foldhash::HashMap;

use super::id::{ProfileId, ProviderId};
use super::profiles::{Effective, VisibleProfile};

/// The profiles that an agent sees, and where each is. That is found out when somebody asks, once.
pub struct ProfileIndex<'a> {
    effective: &'a Effective,
    all: Vec<VisibleProfile<'a>>,
    by_id: OnceCell<HashMap<&'a ProfileId, usize>>,
    by_provider: OnceCell<HashMap<ProviderId, Vec<usize>>>,
}

impl<'a> ProfileIndex<'a> {
    /// Goes through all of them once.
    pub fn new(effective: &'a Effective) -> Self {
        Self {
            effective,
            all: effective.profiles(),
            by_id: OnceCell::new(),
            by_provider: OnceCell::new(),
        }
    }

    /// The documents that hold them.
    pub fn effective(&self) -> &'a Effective {
        self.effective
    }

    /// All, in the order of [`Effective::profiles`].
    pub fn all(&self) -> &[VisibleProfile<'a>] {
        &self.all
    }

    /// One of them.
    pub fn get(&self, id: &ProfileId) -> Option<&VisibleProfile<'a>> {
        let places = self.all.iter().enumerate();
        let by_id = || places.map(|(place, seen)| (seen.id, place)).collect();
        let place = self.by_id.get_or_init(by_id).get(id)?;
        Some(&self.all[*place])
    }

    /// Those of a provider, in the same order.
    pub fn of(&self, provider: &ProviderId) -> impl Iterator<Item = &VisibleProfile<'a>> {
        let places = self.places().get(provider).into_iter().flatten();
        places.map(|place| &self.all[*place])
    }

    /// The providers that they are for, in no order.
    pub fn providers(&self) -> impl Iterator<Item = &ProviderId> {
        self.places().keys()
    }

    fn places(&self) -> &HashMap<ProviderId, Vec<usize>> {
        self.by_provider.get_or_init(|| self.by_provider())
    }

    fn by_provider(&self) -> HashMap<ProviderId, Vec<usize>> {
        let mut by_provider: HashMap<ProviderId, Vec<usize>> = HashMap::default();
        let raw = |seen: &VisibleProfile<'a>| seen.credential.raw_provider();
        let mut end = 0;
        // Those of one provider mostly stand together.
        for same in self.all.chunk_by(|one, next| raw(one) == raw(next)) {
            let places = end..end + same.len();
            end = places.end;
            if let Some(provider) = same[0].credential.provider() {
                by_provider.entry(provider).or_default().extend(places);
            }
        }
        by_provider
    }
}
