//! A keyring that a test can lock, break and look into.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::model::secret::Secret;
use crate::ports::keyring::{Keyring, KeyringFault, KeyringItem};

/// Keeps items in memory; clones share them.
#[derive(Clone, Debug, Default)]
pub struct MemoryKeyring(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    items: BTreeMap<KeyringItem, (String, Secret<Vec<u8>>)>,
    fault: Option<KeyringFault>,
    calls: usize,
}

impl MemoryKeyring {
    /// Lets every call fail so from now on; `None` mends it.
    pub fn set_fault(&self, fault: Option<KeyringFault>) {
        self.0.lock().fault = fault;
    }

    /// Returns how often it was asked for anything.
    pub fn calls(&self) -> usize {
        self.0.lock().calls
    }

    /// Lists the items that are there, with their labels.
    pub fn items(&self) -> Vec<(KeyringItem, String)> {
        let state = self.0.lock();
        let items = state.items.iter();
        items
            .map(|(item, (label, _))| (item.clone(), label.clone()))
            .collect()
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> Result<T, KeyringFault> {
        let mut state = self.0.lock();
        state.calls += 1;
        match &state.fault {
            Some(fault) => Err(fault.clone()),
            None => Ok(act(&mut state)),
        }
    }
}

impl Keyring for MemoryKeyring {
    fn get(&self, item: &KeyringItem) -> Result<Option<Secret<Vec<u8>>>, KeyringFault> {
        self.with(|state| state.items.get(item).map(|(_, secret)| secret.clone()))
    }

    fn put(
        &self,
        item: &KeyringItem,
        label: &str,
        secret: &Secret<Vec<u8>>,
    ) -> Result<(), KeyringFault> {
        let held = (label.to_owned(), secret.clone());
        self.with(|state| {
            state.items.insert(item.clone(), held);
        })
    }

    fn remove(&self, item: &KeyringItem) -> Result<bool, KeyringFault> {
        self.with(|state| state.items.remove(item).is_some())
    }
}
