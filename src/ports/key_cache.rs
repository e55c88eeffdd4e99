//! A key in the memory of the kernel, so that a passphrase is asked for once and not at every command.
//!
//! An implementation owes: nothing on a disk; no other user who can read it; no key beyond its time.

use std::time::Duration;

use crate::model::secret::Secret;
use crate::model::time::Timestamp;

/// Keeps a key in kernel memory for a while: nowhere on disk, gone at a restart, readable by this user
/// alone.
pub trait KeyCache: Send + Sync {
    /// Returns the key of this name; `None` if there is none, or its time is over.
    ///
    /// # Errors
    /// If the system does not tell.
    fn get(&self, name: &str) -> Result<Option<CachedKey>, KeyCacheFault>;

    /// Keeps a key, or replaces it. The system forgets it after `lasts`; `until` is the same moment on
    /// the wall clock, and is kept with it for people.
    ///
    /// # Errors
    /// If it is not kept; a key that was there before may be gone.
    fn put(
        &self,
        name: &str,
        key: &Secret<Vec<u8>>,
        until: Timestamp,
        lasts: Duration,
    ) -> Result<(), KeyCacheFault>;

    /// Forgets a key; returns whether there was one.
    ///
    /// # Errors
    /// If it may still be there.
    fn remove(&self, name: &str) -> Result<bool, KeyCacheFault>;
}

/// A key that is kept for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachedKey {
    /// The key.
    pub key: Secret<Vec<u8>>,
    /// When the system forgets it.
    pub until: Timestamp,
}

/// Why a key is not kept, or cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyCacheFault {
    /// This system has no such memory; with the reason.
    #[error("the kernel keeps no keys here: {0}")]
    Missing(String),
    /// It has one and refused, as the kernel of some containers does; its own words.
    #[error("the kernel refused to keep a key: {0}")]
    Refused(String),
}
