//! The vault of a state directory, and what this process has of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::model::seal::DataKey;
use crate::model::time::Timestamp;
use crate::model::vault::{VaultFault, VaultId};
use crate::ports::vault::{Sealer, Vault, VaultPolicy};
use crate::ports::vault_keys::KeySource;

use super::attempt::Attempt;
use super::body::Body;
use super::file::{self, Document};
pub use super::passphrase::Cost;
pub use super::places::{VaultDirs, VaultPorts};

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
    key: Mutex<Option<Attempted>>,
}

/// What came of opening a vault.
struct Attempted {
    /// Which file it was. Another process may change the key meanwhile: what is then sealed under the
    /// old one could never be opened again.
    of: Option<FileId>,
    /// Whether a person was asked, if that had to be.
    asking: bool,
    result: Result<Arc<Sealer>, VaultFault>,
}

/// Tells one file from another that has taken its place: device and inode, which another file may have
/// once this one is gone, and the last change.
type FileId = ((u64, u64), Timestamp);

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

    fn file_id(&self) -> Option<FileId> {
        let stat = self.ports.files.stat(&file::path(&self.dirs.state));
        stat.ok()
            .flatten()
            .map(|stat| (stat.identity, stat.modified))
    }

    /// Whether a key opens the document still, of which only something else changed.
    fn still_opens(&self, document: &Document, sealer: &Sealer) -> bool {
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

/// Under which name the kernel keeps the key.
pub(super) fn cache_name(vault: &VaultId) -> String {
    format!("vault:{vault}")
}
