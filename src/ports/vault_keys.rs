//! The key of a vault, and the slots that it lies in.
//!
//! An implementation owes: a key that never lies beside what it opens; a slot that opened once before
//! anything depends on it; and every change in one step, so that no moment has a vault without a key.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::model::vault::{SealedPart, TokenStore, VaultFault};

use super::lock::Wait;
use super::vault::{Sealer, VaultError, VaultPolicy};

/// The key of a vault, for the commands that are about it.
pub trait VaultKeys: Send + Sync {
    /// Says where the key of this process is to come from, before it is needed.
    fn take_key_from(&self, source: KeySource);

    /// Has nobody asked for a passphrase from now on: whoever waits for the answer is a program.
    fn ask_nobody(&self);

    /// What can be said without a key; `None` if there is no vault. Asks nobody.
    ///
    /// # Errors
    /// If it is there and cannot be read.
    fn status(&self) -> Result<Option<VaultStatus>, VaultFault>;

    /// Opens the vault, and lets the kernel keep the key for that long; returns until when.
    ///
    /// # Errors
    /// If it does not open, or the kernel does not keep it.
    fn unlock_for(&self, lasts: Duration) -> Result<Timestamp, VaultFault>;

    /// Lets the kernel forget the key; returns whether it had it.
    ///
    /// # Errors
    /// If it may still have it.
    fn lock(&self) -> Result<bool, VaultFault>;

    /// Makes a vault with a new key, which lies in these slots.
    ///
    /// # Errors
    /// If there is one, or it cannot be made. Keys that were written into slots stay there.
    fn create(
        &self,
        store: (TokenStore, SealedPart),
        slots: &[NewSlot],
        wait: &Wait<'_>,
    ) -> Result<Arc<Sealer>, VaultError>;

    /// Changes what the vault says of the secrets of profiles.
    ///
    /// # Errors
    /// As [`NamedSecrets::set`](super::secrets::NamedSecrets::set).
    fn set_store(&self, store: (TokenStore, SealedPart), wait: &Wait<'_>)
    -> Result<(), VaultError>;

    /// Adds a slot; returns it in words.
    ///
    /// # Errors
    /// As [`VaultKeys::create`], and if the vault does not open.
    fn add_slot(&self, slot: &NewSlot, wait: &Wait<'_>) -> Result<String, VaultError>;

    /// Removes the slot of this number, counted from 1; returns it in words. Its key stays where it
    /// is, for copies of the vault may need it, unless `forgets_key`, which is for the keyring.
    ///
    /// # Errors
    /// If it is the last one, or the vault does not open or cannot be written.
    fn remove_slot(
        &self,
        number: usize,
        forgets_key: bool,
        wait: &Wait<'_>,
    ) -> Result<String, VaultError>;

    /// Puts a new key in the place of the old one, in every slot, and seals what has a name under it.
    /// Asks for the passphrase of each slot that has one which was not given.
    /// What it returns opens what was sealed under the old ones, too.
    ///
    /// # Errors
    /// If a slot does not give the key that it wraps with: which one. Nothing was changed then.
    fn renew_key(&self, wait: &Wait<'_>) -> Result<Arc<Sealer>, VaultError>;
}

/// Where the key is to come from, besides the slots.
#[derive(Clone, Debug, Default)]
pub struct KeySource {
    /// A key file, tried first.
    pub key_file: Option<PathBuf>,
    /// Passphrases, instead of a question.
    pub passphrases: Vec<Secret<String>>,
}

/// A slot that is to be made.
#[derive(Clone, Debug)]
pub enum NewSlot {
    /// A key file at this path, or where such files usually lie. One that is there is taken as it is.
    KeyFile(Option<PathBuf>),
    /// A key that this passphrase is stretched to.
    Passphrase(Secret<String>),
    /// A key in the keyring of the system.
    Keyring,
    /// A key that systemd hands to a service (`LoadCredential=`), and has to hand to this command.
    Credential,
}

/// What can be said of a vault without its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultStatus {
    /// Which vault it is, and what it says of profiles.
    pub policy: VaultPolicy,
    /// Its file.
    pub path: PathBuf,
    /// Its slots.
    pub slots: Vec<SlotStatus>,
    /// Until when the kernel keeps the key.
    pub unlocked_until: Option<Timestamp>,
    /// Why the kernel keeps none.
    pub cache_fault: Option<String>,
}

/// What can be said of a slot without opening it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotStatus {
    /// Its type: `passphrase`, `key_file`, `keyring` or `credential`; as it is written for one of a
    /// later release.
    pub kind: String,
    /// In words: "the key file ~/k".
    pub words: String,
    /// Why it does not open now, as far as that can be told.
    pub fault: Option<String>,
    /// The key file.
    pub path: Option<PathBuf>,
}
