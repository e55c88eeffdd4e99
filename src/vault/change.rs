//! Changing the vault: one process at a time, in one step.

use std::path::PathBuf;
use std::sync::Arc;

use crate::model::seal::RANDOM;
use crate::model::vault::VaultFault;
use crate::ports::files::{FileLock, Sharing};
use crate::ports::lock::{Wait, lock_within};
use crate::ports::vault::{Sealer, Vault as _, VaultError};

use super::body::Body;
use super::file::{self, Document, Head, Previous};
use super::file_vault::FileVault;
use super::places::random;

/// So often the key may change between our look and our lock.
const ROUNDS: usize = 3;

/// A vault that is open under its lock.
pub(super) struct Opened {
    pub(super) head: Head,
    pub(super) body: Body,
    pub(super) sealer: Arc<Sealer>,
}

impl FileVault {
    /// Changes the vault if `act` says so. Whoever knows the passphrase is asked before anything is
    /// locked.
    ///
    /// # Errors
    /// If there is none, it does not open, is busy, or cannot be written: it is as it was then.
    pub(super) fn change<T>(
        &self,
        wait: &Wait<'_>,
        previous: Previous,
        act: &mut dyn FnMut(&mut Opened) -> Result<Option<T>, VaultError>,
    ) -> Result<Option<T>, VaultError> {
        for _ in 0..ROUNDS {
            let sealer = self.unlock()?;
            let _lock = self.lock_file(wait)?;
            let Some(document) = self.load()? else {
                self.drop_key();
                return Err(VaultFault::NoKey(Vec::new()).into());
            };
            let Some(body) = self.read_body(&document, sealer.key()) else {
                self.drop_key();
                continue;
            };
            let mut opened = Opened {
                head: document.head,
                body,
                sealer,
            };
            let changed = act(&mut opened)?;
            if changed.is_some() {
                self.save(&opened, previous)?;
            }
            return Ok(changed);
        }
        Err(VaultError::Changed)
    }

    /// Seals the body and replaces the file; what is open then is kept.
    pub(super) fn save(&self, opened: &Opened, previous: Previous) -> Result<(), VaultFault> {
        let random = random::<RANDOM>(&*self.ports.random)?;
        let bound = opened.head.bound();
        let body = (opened.sealer.key()).seal(&bound, opened.body.write().expose(), &random);
        let body = body.map_err(|error| VaultFault::Failed(error.to_string()))?;
        let document = Document {
            head: opened.head.clone(),
            body,
        };
        file::save(&*self.ports.files, &self.dirs.state, &document, previous)?;
        self.keep(Arc::clone(&opened.sealer));
        Ok(())
    }

    pub(super) fn lock_file(&self, wait: &Wait<'_>) -> Result<Box<dyn FileLock>, VaultError> {
        let locks: PathBuf = self.dirs.state.join("locks/openclaw-rs");
        let (files, clock) = (&*self.ports.files, &*self.ports.clock);
        files.create_dirs(&locks)?;
        let path = locks.join("secrets.lock");
        Ok(lock_within(files, clock, &path, Sharing::Exclusive, wait)?)
    }
}
