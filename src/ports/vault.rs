//! The vault of a state directory: the key under which secrets are sealed, and the secrets that have
//! names.
//!
//! An implementation owes: a look that opens nothing and asks nobody; the key kept for the life of
//! the process once it is there; every wait with a limit; no key made while something is opened; and
//! bytes that it does not understand left as they are.

use std::sync::Arc;

use crate::model::seal::{BadSeal, DataKey, RANDOM, Seal};
use crate::model::secret::Secret;
use crate::model::vault::{About, SealedPart, TokenStore, VaultFault, VaultId};

use super::files::FileError;
use super::host::Random;
use super::lock::LockError;

/// What a state directory says of its secrets; read without a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultPolicy {
    /// Which vault it is.
    pub vault: VaultId,
    /// Where the secrets of profiles lie. Plain where there are only named secrets.
    pub store: TokenStore,
    /// Which of them are sealed.
    pub part: SealedPart,
}

/// The vault of a state directory.
pub trait Vault: Send + Sync {
    /// What it says; `None` if there is none, and everything is plain. Opens nothing.
    ///
    /// # Errors
    /// If it is there and cannot be read.
    fn policy(&self) -> Result<Option<VaultPolicy>, VaultFault>;

    /// The key, if this process has it already.
    fn opened(&self) -> Option<Arc<Sealer>>;

    /// Opens the vault, which may ask a person. Later calls give the same.
    ///
    /// # Errors
    /// Why it does not open. Nothing was changed.
    fn unlock(&self) -> Result<Arc<Sealer>, VaultFault>;

    /// The same as far as nobody has to be asked, and without waiting for a thread that asks.
    ///
    /// # Errors
    /// [`VaultFault::NeedsPassphrase`] where somebody would have to be; else as [`Vault::unlock`].
    fn unlock_unasked(&self) -> Result<Arc<Sealer>, VaultFault>;
}

/// A vault that is open: seals and opens what lies on the disk.
pub struct Sealer {
    /// Which vault it is.
    pub vault: VaultId,
    key: DataKey,
    /// Those that were in use before; only while not everything is sealed under the new one yet.
    before: Vec<DataKey>,
    random: Arc<dyn Random>,
}

impl Sealer {
    /// The sealer of a vault.
    pub fn new(vault: VaultId, key: DataKey, random: Arc<dyn Random>) -> Self {
        Self {
            vault,
            key,
            before: Vec::new(),
            random,
        }
    }

    /// The same, which also opens what is still sealed under these keys.
    #[must_use]
    pub fn opening(mut self, before: Vec<DataKey>) -> Self {
        self.before = before;
        self
    }

    /// The keys of before.
    pub fn before(&self) -> &[DataKey] {
        &self.before
    }

    /// Whether a seal has to be made anew, because the key has changed since.
    pub fn is_outdated(&self, about: About<'_>, seal: &Seal) -> bool {
        !self.before.is_empty() && self.key.open(&about.bytes(&self.vault), seal).is_err()
    }

    /// Its key.
    pub fn key(&self) -> &DataKey {
        &self.key
    }

    /// Seals `plain`.
    ///
    /// # Errors
    /// If the system gives no randomness.
    pub fn seal(&self, about: About<'_>, plain: &[u8]) -> Result<Seal, VaultFault> {
        let mut random = [0; RANDOM];
        let filled = self.random.fill(&mut random);
        filled.map_err(|error| VaultFault::Failed(error.to_string()))?;
        let sealed = self.key.seal(&about.bytes(&self.vault), plain, &random);
        sealed.map_err(|error| VaultFault::Failed(error.to_string()))
    }

    /// Opens a seal.
    ///
    /// # Errors
    /// If it is damaged, or about something else.
    pub fn open(&self, about: About<'_>, seal: &Seal) -> Result<Secret<Vec<u8>>, BadSeal> {
        let about = about.bytes(&self.vault);
        let keys = std::iter::once(&self.key).chain(&self.before);
        let mut opened = keys.filter_map(|key| key.open(&about, seal).ok());
        opened.next().ok_or(BadSeal)
    }
}

/// Why a vault was not changed.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// It does not open, or what was asked of it cannot be.
    #[error(transparent)]
    Vault(#[from] VaultFault),
    /// A lock was not taken.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// A file operation failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// What was asked for cannot be, for this reason.
    #[error("{0}")]
    Refused(String),
    /// Other processes changed the key each time it was about to be used.
    #[error("the key of the secrets was just changed by another process")]
    Changed,
}

/// Where nothing is sealed: what is there in a state directory without a vault.
pub struct NoVault;

impl Vault for NoVault {
    fn policy(&self) -> Result<Option<VaultPolicy>, VaultFault> {
        Ok(None)
    }

    fn opened(&self) -> Option<Arc<Sealer>> {
        None
    }

    fn unlock(&self) -> Result<Arc<Sealer>, VaultFault> {
        Err(VaultFault::NoKey(Vec::new()))
    }

    fn unlock_unasked(&self) -> Result<Arc<Sealer>, VaultFault> {
        self.unlock()
    }
}
