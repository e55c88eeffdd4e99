//! Opening the vault: once for each state of its file, by one thread.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::model::vault::VaultFault;
use crate::ports::vault::{Sealer, Vault, VaultPolicy};

use super::attempt::Attempt;
use super::file::Document;
use super::file_vault::Attempted;

pub use super::file_vault::FileVault;
pub use super::passphrase::Cost;
pub use super::places::{VaultDirs, VaultPorts};

impl Vault for FileVault {
    fn policy(&self) -> Result<Option<VaultPolicy>, VaultFault> {
        Ok(self.load()?.map(|document| document.head.policy()))
    }

    fn opened(&self) -> Option<Arc<Sealer>> {
        let known = self.key.lock();
        let known = known.as_ref().filter(|known| known.of == self.file_id());
        known?.result.as_ref().ok().cloned()
    }

    /// One thread asks, and the others wait for what comes of it.
    fn unlock(&self) -> Result<Arc<Sealer>, VaultFault> {
        self.try_to_open(&mut self.key.lock(), true)
    }

    fn unlock_unasked(&self) -> Result<Arc<Sealer>, VaultFault> {
        match self.key.try_lock() {
            Some(mut known) => self.try_to_open(&mut known, false),
            None => Err(VaultFault::NeedsPassphrase),
        }
    }
}

impl FileVault {
    /// What comes of opening it, which is tried once for each file; of `asking` a person, too.
    fn try_to_open(
        &self,
        known: &mut Option<Attempted>,
        asking: bool,
    ) -> Result<Arc<Sealer>, VaultFault> {
        // Before it is read, so that a change in between is seen by the next.
        let of = self.file_id();
        if let Some(known) = known.as_ref().filter(|known| known.of == of)
            && (known.asking || !asking || !is_unasked(&known.result))
        {
            return known.result.clone();
        }
        let before = known.take().and_then(|known| known.result.ok());
        let result = match self.load() {
            Ok(None) => return Err(VaultFault::NoKey(Vec::new())),
            Ok(Some(document)) => match before.filter(|it| self.still_opens(&document, it)) {
                Some(before) => Ok(self.sealer(&document, before.key().clone())),
                None => self.open(&document, asking),
            },
            Err(fault) => Err(fault),
        };
        *known = Some(Attempted {
            of,
            asking,
            result: result.clone(),
        });
        result
    }

    fn open(&self, document: &Document, asking: bool) -> Result<Arc<Sealer>, VaultFault> {
        let asking = asking && !self.asks_nobody.load(Ordering::Relaxed);
        let key = Attempt::new(self, document, asking).run()?;
        Ok(self.sealer(document, key))
    }
}

/// Whether a person might still have the answer.
fn is_unasked(result: &Result<Arc<Sealer>, VaultFault>) -> bool {
    matches!(result, Err(VaultFault::NeedsPassphrase))
}
