//! Where the keyring of the system and the keys of the kernel are not used.

use std::time::Duration;

use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::ports::key_cache::{CachedKey, KeyCache, KeyCacheFault};
use crate::ports::keyring::{Keyring, KeyringFault, KeyringItem};

/// Has nothing and keeps nothing.
pub struct NoKeyring;

fn missing<T>() -> Result<T, KeyringFault> {
    Err(KeyringFault::Missing("it is not supported yet".to_owned()))
}

impl Keyring for NoKeyring {
    fn get(&self, _item: &KeyringItem) -> Result<Option<Secret<Vec<u8>>>, KeyringFault> {
        missing()
    }

    fn put(&self, _: &KeyringItem, _: &str, _: &Secret<Vec<u8>>) -> Result<(), KeyringFault> {
        missing()
    }

    fn remove(&self, _item: &KeyringItem) -> Result<bool, KeyringFault> {
        missing()
    }
}

fn forgets<T>() -> Result<T, KeyCacheFault> {
    let why = "it is not supported yet".to_owned();
    Err(KeyCacheFault::Missing(why))
}

impl KeyCache for NoKeyring {
    fn get(&self, _name: &str) -> Result<Option<CachedKey>, KeyCacheFault> {
        forgets()
    }

    fn put(
        &self,
        _: &str,
        _: &Secret<Vec<u8>>,
        _: Timestamp,
        _: Duration,
    ) -> Result<(), KeyCacheFault> {
        forgets()
    }

    fn remove(&self, _name: &str) -> Result<bool, KeyCacheFault> {
        forgets()
    }
}
