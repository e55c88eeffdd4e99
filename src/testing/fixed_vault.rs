//! A vault whose key a test writes down.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::model::seal::{DataKey, KEY};
use crate::model::secret::Secret;
use crate::model::vault::{SealedPart, TokenStore, VaultFault, VaultId};
use crate::ports::host::{Random, RandomError};
use crate::ports::vault::{Sealer, Vault, VaultPolicy};

/// A vault that opens when asked, unless it is locked.
pub struct FixedVault {
    /// What the state directory says.
    pub policy: Mutex<Option<VaultPolicy>>,
    /// Why it does not open.
    pub fault: Mutex<Option<VaultFault>>,
    /// How often it was asked to open.
    pub asked: Mutex<usize>,
    opened: Mutex<Option<Arc<Sealer>>>,
    sealer: Arc<Sealer>,
}

impl FixedVault {
    /// The vault whose id and key are made of this byte.
    pub fn new(byte: u8, store: TokenStore, part: SealedPart) -> Arc<Self> {
        let (vault, key) = Self::key(byte);
        Arc::new(Self {
            policy: Mutex::new(Some(VaultPolicy {
                vault: vault.clone(),
                store,
                part,
            })),
            fault: Mutex::new(None),
            asked: Mutex::new(0),
            opened: Mutex::new(None),
            sealer: Arc::new(Sealer::new(vault, key, Arc::new(Counting::default()))),
        })
    }

    /// The id and the key that are made of this byte.
    ///
    /// # Panics
    /// Never.
    pub fn key(byte: u8) -> (VaultId, DataKey) {
        let key = DataKey::new(Secret::new(vec![byte; KEY])).expect("it has that length");
        (VaultId::new(&[byte; VaultId::RANDOM]), key)
    }

    /// The same after a change of its key: what was sealed under the key of another byte opens still.
    ///
    /// # Panics
    /// Never.
    #[must_use]
    pub fn after(byte: u8, before: u8) -> Arc<Self> {
        let (vault, _) = Self::key(before);
        let ((_, key), (_, old)) = (Self::key(byte), Self::key(before));
        let mut new = Self::new(before, TokenStore::EncryptedFile, SealedPart::All);
        let sealer = Sealer::new(vault, key, Arc::new(Counting::default()));
        let own = Arc::get_mut(&mut new).expect("nobody else has it");
        own.sealer = Arc::new(sealer.opening(vec![old]));
        new
    }

    /// Closes it, as it is at the start of a process.
    pub fn close(&self, fault: Option<VaultFault>) {
        *self.opened.lock() = None;
        *self.fault.lock() = fault;
    }
}

impl Vault for FixedVault {
    fn policy(&self) -> Result<Option<VaultPolicy>, VaultFault> {
        Ok(self.policy.lock().clone())
    }

    fn opened(&self) -> Option<Arc<Sealer>> {
        self.opened.lock().clone()
    }

    fn unlock(&self) -> Result<Arc<Sealer>, VaultFault> {
        *self.asked.lock() += 1;
        if let Some(fault) = self.fault.lock().clone() {
            return Err(fault);
        }
        *self.opened.lock() = Some(Arc::clone(&self.sealer));
        Ok(Arc::clone(&self.sealer))
    }

    /// A passphrase is all that opens it.
    fn unlock_unasked(&self) -> Result<Arc<Sealer>, VaultFault> {
        self.opened().ok_or(VaultFault::NeedsPassphrase)
    }
}

/// Randomness that never repeats, which is all that a seal asks of it.
#[derive(Default)]
struct Counting(Mutex<u64>);

impl Random for Counting {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
        let mut count = self.0.lock();
        *count += 1;
        buffer.fill(0);
        for (byte, part) in buffer.iter_mut().zip(count.to_le_bytes()) {
            *byte = part;
        }
        Ok(())
    }
}
