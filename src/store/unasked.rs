//! The store once a lock is held or a refresh token may have been sent: nobody is asked for a passphrase
//! any more.
//!
//! A person may think for as long as they like, and everybody else would wait. Worse, the answer of a
//! server that has come must be stored whatever they say. So the key that was had before suffices: what
//! is sealed under it opens for ever, for whoever changes a key keeps the old ones.

use std::sync::Arc;

use crate::model::vault::VaultFault;
use crate::ports::vault::{Sealer, Vault, VaultPolicy};

use super::io::FileStore;

/// A vault that asks nobody, with the key that was had before.
struct Unasked {
    vault: Arc<dyn Vault>,
    had: Option<Arc<Sealer>>,
}

impl Vault for Unasked {
    fn policy(&self) -> Result<Option<VaultPolicy>, VaultFault> {
        self.vault.policy()
    }

    fn opened(&self) -> Option<Arc<Sealer>> {
        self.had.as_ref()?;
        self.unlock_unasked().ok()
    }

    fn unlock(&self) -> Result<Arc<Sealer>, VaultFault> {
        self.unlock_unasked()
    }

    /// The key of now where it can be had: whoever has just changed it means that one.
    fn unlock_unasked(&self) -> Result<Arc<Sealer>, VaultFault> {
        let unlocked = self.vault.unlock_unasked();
        unlocked.or_else(|fault| self.had.clone().ok_or(fault))
    }
}

impl FileStore {
    /// The same store, from now on.
    pub(super) fn asking_nobody(&self) -> Self {
        Self {
            vault: Arc::new(Unasked {
                had: self.vault.opened(),
                vault: Arc::clone(&self.vault),
            }),
            ..self.clone()
        }
    }
}
