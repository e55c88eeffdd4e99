//! A cache of keys that forgets when a test says so.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::ports::key_cache::{CachedKey, KeyCache, KeyCacheFault};

/// Keeps keys in memory; clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemoryKeyCache(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    keys: BTreeMap<String, (CachedKey, Duration)>,
    fault: Option<KeyCacheFault>,
    calls: usize,
}

impl MemoryKeyCache {
    /// Lets every call fail so from now on; `None` mends it.
    pub fn set_fault(&self, fault: Option<KeyCacheFault>) {
        self.0.lock().fault = fault;
    }

    /// Forgets every key, as the system does at a restart and when their time is over.
    pub fn forget(&self) {
        self.0.lock().keys.clear();
    }

    /// Returns how often it was asked for anything.
    pub fn calls(&self) -> usize {
        self.0.lock().calls
    }

    /// Lists the keys that are there, by name, and for how long they are kept.
    pub fn kept(&self) -> Vec<(String, Duration)> {
        let state = self.0.lock();
        let keys = state.keys.iter();
        keys.map(|(name, (_, lasts))| (name.clone(), *lasts))
            .collect()
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> Result<T, KeyCacheFault> {
        let mut state = self.0.lock();
        state.calls += 1;
        match &state.fault {
            Some(fault) => Err(fault.clone()),
            None => Ok(act(&mut state)),
        }
    }
}

impl KeyCache for MemoryKeyCache {
    fn get(&self, name: &str) -> Result<Option<CachedKey>, KeyCacheFault> {
        self.with(|state| state.keys.get(name).map(|(key, _)| key.clone()))
    }

    fn put(
        &self,
        name: &str,
        key: &Secret<Vec<u8>>,
        until: Timestamp,
        lasts: Duration,
    ) -> Result<(), KeyCacheFault> {
        let key = CachedKey {
            key: key.clone(),
            until,
        };
        self.with(|state| {
            state.keys.insert(name.to_owned(), (key, lasts));
        })
    }

    fn remove(&self, name: &str) -> Result<bool, KeyCacheFault> {
        self.with(|state| state.keys.remove(name).is_some())
    }
}
