//! The passes to the page of one gateway alone, in its memory: one that is started again asks everybody
//! anew.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::model::access_key::BearerDigest;
use crate::model::time::Timestamp;
use crate::ports::host::Clock;
use crate::ports::page_passes::{PagePasses, Pass, PassKind};
use crate::ports::store::StoreError;

/// The passes, oldest first.
pub struct PassesInMemory {
    clock: Arc<dyn Clock>,
    passes: Mutex<Vec<(Pass, Timestamp)>>,
}

impl PassesInMemory {
    /// None yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            passes: Mutex::default(),
        }
    }
}

impl PagePasses for PassesInMemory {
    fn put(&self, pass: &Pass, each: usize, most: usize) -> Result<(), StoreError> {
        let now = self.clock.now();
        let mut passes = self.passes.lock();
        passes.retain(|(_, end)| *end > now);
        let places = |is_meant: &dyn Fn(&Pass) -> bool| {
            let all = passes.iter().enumerate();
            let meant = all.filter(|(_, (other, _))| other.kind == pass.kind && is_meant(other));
            meant.map(|(place, _)| place).collect::<Vec<_>>()
        };
        let own = places(&|other| other.bearer == pass.bearer);
        let all = places(&|_| true);
        let oldest = own.first().filter(|_| own.len() >= each);
        if let Some(place) = oldest.or(all.first().filter(|_| all.len() >= most)) {
            passes.remove(*place);
        }
        passes.push((pass.clone(), now.after(pass.left)));
        Ok(())
    }

    fn find(&self, kind: PassKind, digest: &BearerDigest) -> Result<Option<Pass>, StoreError> {
        let now = self.clock.now();
        let passes = self.passes.lock();
        let mut living = passes.iter().filter(|(_, end)| *end > now);
        let found = living.find(|(pass, _)| pass.kind == kind && pass.digest == *digest);
        let left = |end: Timestamp| u64::try_from(now.until(end)).unwrap_or_default();
        Ok(found.map(|(pass, end)| Pass {
            left: Duration::from_millis(left(*end)),
            ..pass.clone()
        }))
    }

    fn take(&self, kind: PassKind, digest: &BearerDigest) -> Result<Option<Pass>, StoreError> {
        let now = self.clock.now();
        let mut passes = self.passes.lock();
        passes.retain(|(_, end)| *end > now);
        let mut all = passes.iter();
        let place = all.position(|(pass, _)| pass.kind == kind && pass.digest == *digest);
        Ok(place.map(|place| passes.remove(place).0))
    }
}
