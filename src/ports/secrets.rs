//! The secrets that have names.
//!
//! An implementation owes: values that lie on no disk in the clear; a change that is there whole or
//! not at all, however many processes change others at the same time; and a vault that does not open
//! left as it is.

use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::model::vault::{SecretName, VaultFault};

use super::lock::Wait;
use super::vault::VaultError;
use super::vault_keys::NewSlot;

/// The most bytes of a value.
pub const LONGEST: usize = 64 << 10;

/// The secrets of a state directory that have names.
pub trait NamedSecrets: Send + Sync {
    /// Lists them by name, without their values; none where there is no vault.
    ///
    /// # Errors
    /// If the vault does not open: the names are sealed, too.
    fn list(&self) -> Result<Vec<SecretEntry>, VaultFault>;

    /// Returns the value of one; `None` if there is none of that name.
    ///
    /// # Errors
    /// If the vault does not open.
    fn get(&self, name: &SecretName) -> Result<Option<Secret<String>>, VaultFault>;

    /// Stores a value of [`LONGEST`] bytes at most; returns whether it replaced another one. Where
    /// there is no vault, one is made whose key lies in `slot`.
    ///
    /// # Errors
    /// If the vault does not open, is busy, or cannot be written; nothing was changed then.
    fn set(
        &self,
        name: &SecretName,
        value: &Secret<String>,
        slot: &NewSlot,
        wait: &Wait<'_>,
    ) -> Result<bool, VaultError>;

    /// Removes them, all in one step; returns those that were there.
    ///
    /// # Errors
    /// As [`NamedSecrets::set`].
    fn remove(&self, names: &[SecretName], wait: &Wait<'_>) -> Result<Vec<SecretName>, VaultError>;
}

/// What is known of a secret without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretEntry {
    /// Its name.
    pub name: SecretName,
    /// When it was first stored.
    pub created: Timestamp,
    /// When its value was stored.
    pub changed: Timestamp,
}
