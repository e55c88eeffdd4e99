//! The vault of a state directory, and what this process has of it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use parking_lot::Mutex;

use crate::model::seal::DataKey;
use crate::model::time::Timestamp;
use crate::model::vault::{VaultFault, VaultId};
use crate::ports::vault::Sealer;
use crate::ports::vault_keys::KeySource;

use super::body::Body;
use super::file::{self, Document};
use super::passphrase::Cost;
use super::places::{VaultDirs, VaultPorts};

/// The vault of a state directory, in its files.
pub struct FileVault {
    pub(super) ports: VaultPorts,
    pub(super) dirs: VaultDirs,
    /// What guessing a new passphrase costs.
    pub(super) cost: Cost,
    pub(super) source: Mutex<KeySource>,
    /// Whether nobody is ever asked for a passphrase.
    pub(super) asks_nobody: AtomicBool,
    /// What came of opening it, once that was tried.
    pub(super) key: Mutex<Option<Attempted>>,
}

/// What came of opening a vault.
pub(super) struct Attempted {
    /// Which file it was. Another process may change the key meanwhile: what is then sealed under the
    /// old one could never be opened again.
    pub(super) of: Option<FileId>,
    /// Whether a person was asked, if that had to be.
    pub(super) asking: bool,
    pub(super) result: Result<Arc<Sealer>, VaultFault>,
}

/// Tells one file from another that has taken its place: device and inode, which another file may have
/// once this one is gone, and the last change.
pub(super) type FileId = ((u64, u64), Timestamp);

impl FileVault {
    /// The vault of these directories. Reads nothing yet.
    pub fn new(ports: VaultPorts, dirs: VaultDirs) -> Self {
        Self {
            ports,
            dirs,
            cost: Cost::default(),
            source: Mutex::default(),
            asks_nobody: AtomicBool::new(false),
            key: Mutex::default(),
        }
    }

    /// With passphrases that are stretched so far.
    #[must_use]
    pub fn stretching(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
    }

    pub(super) fn file_id(&self) -> Option<FileId> {
        let stat = self.ports.files.stat(&file::path(&self.dirs.state));
        stat.ok()
            .flatten()
            .map(|stat| (stat.identity, stat.modified))
    }

    /// Whether a key opens the document still, of which only something else changed.
    pub(super) fn still_opens(&self, document: &Document, sealer: &Sealer) -> bool {
        let is_it = sealer.vault == document.head.vault;
        is_it && self.read_body(document, sealer.key()).is_some()
    }

    pub(super) fn load(&self) -> Result<Option<Document>, VaultFault> {
        file::load(&*self.ports.files, &self.dirs.state)
    }

    /// Takes what opens the vault from now on.
    pub(super) fn keep(&self, sealer: Arc<Sealer>) {
        let of = self.file_id();
        *self.key.lock() = Some(Attempted {
            of,
            asking: false,
            result: Ok(sealer),
        });
    }

    /// Forgets a key that no longer opens the vault.
    pub(super) fn drop_key(&self) {
        *self.key.lock() = None;
    }

    /// The sealer of a document, by its key.
    pub(super) fn sealer(&self, document: &Document, key: DataKey) -> Arc<Sealer> {
        let head = &document.head;
        let about = head.bound_to_before();
        let before = (head.before.iter()).filter_map(|old| key.unwrap(&about, old).ok());
        let before = before.collect();
        let sealer = Sealer::new(head.vault.clone(), key, Arc::clone(&self.ports.random));
        Arc::new(sealer.opening(before))
    }

    /// Opens what is sealed in the document.
    pub(super) fn read_body(&self, document: &Document, key: &DataKey) -> Option<Body> {
        let plain = key.open(&document.head.bound(), &document.body).ok()?;
        Body::read(&plain)
    }
}

/// Under which name the kernel keeps the key.
pub(super) fn cache_name(vault: &VaultId) -> String {
    format!("vault:{vault}")
}
