//! The keyring of the system, where the session of a user keeps secrets.
//!
//! An implementation owes: a limit at every step, so that a keyring that does not answer is a fault
//! and no wait; no prompt of the system where nobody sits at a terminal, and no keyring that is created;
//! an item that was written is read back before it counts; no fault with a secret in it.

use std::time::Duration;

use crate::model::secret::Secret;

/// The keyring of the system: Secret Service on Linux, Keychain on macOS, Credential Manager on
/// Windows.
pub trait Keyring: Send + Sync {
    /// Returns an item's secret; `None` if there is no such item.
    ///
    /// # Errors
    /// If the keyring does not tell. An item that is locked is a fault, and never `None`.
    fn get(&self, item: &KeyringItem) -> Result<Option<Secret<Vec<u8>>>, KeyringFault>;

    /// Creates an item or replaces its secret, and reads it back. `label` is what people are shown.
    ///
    /// # Errors
    /// If it is not certain that the keyring holds the secret; it may.
    fn put(
        &self,
        item: &KeyringItem,
        label: &str,
        secret: &Secret<Vec<u8>>,
    ) -> Result<(), KeyringFault>;

    /// Removes an item; returns whether there was one.
    ///
    /// # Errors
    /// If it may still be there.
    fn remove(&self, item: &KeyringItem) -> Result<bool, KeyringFault>;
}

/// Where in a keyring a secret lies. Neither part is secret.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyringItem {
    /// The program that it belongs to.
    pub service: String,
    /// Which one of that program's.
    pub account: String,
}

/// Why a keyring gave nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringFault {
    /// This system, or this session, has none; with the reason.
    #[error("there is no system keyring: {0}")]
    Missing(String),
    /// It, or the item, is locked, and whoever uses it must unlock it.
    #[error("the system keyring is locked")]
    Locked,
    /// It runs, and has no default collection to write to: it was never set up.
    #[error("the system keyring has no default collection")]
    NoCollection,
    /// It did not answer.
    #[error("the system keyring did not answer within {} seconds", .limit.as_secs())]
    Silent {
        /// How long one step was waited for.
        limit: Duration,
    },
    /// It answered with an error, or with what cannot be understood; its own words, printable.
    #[error("the system keyring failed: {0}")]
    Refused(String),
}
