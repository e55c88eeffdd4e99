//! Opening the vault: the places where its key may lie, one after the other.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::model::seal::DataKey;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::model::vault::{SlotFault, VaultFault, VaultId};
use crate::ports::dialog::{DialogError, Notice, Question};
use crate::ports::keyring::KeyringFault;
use crate::ports::vault::{Sealer, Vault, VaultPolicy};
use crate::ports::vault_keys::KeySource;

use super::body::Body;
use super::file::{self, Document};
pub use super::passphrase::Cost;
pub use super::places::{VaultDirs, VaultPorts};
use super::places::{credential_path, expand, read_key_file, read_keyring};
use super::slots::{Place, Slot};

/// The variable that names a key file.
const KEY_FILE: &str = "OPENCLAW_SECRETS_KEY_FILE";

/// So long the kernel keeps the key after a passphrase.
const KEPT: Duration = Duration::from_secs(8 * 60 * 60);

/// So often a person is asked for a passphrase.
const TRIES: usize = 3;

/// The vault of a state directory, in its files.
pub struct FileVault {
    pub(super) ports: VaultPorts,
    pub(super) dirs: VaultDirs,
    /// What guessing a new passphrase costs.
    pub(super) cost: Cost,
    pub(super) source: Mutex<KeySource>,
    /// What came of opening it, once that was tried.
    key: Mutex<Option<Attempted>>,
}

/// What came of opening a vault.
struct Attempted {
    /// Which file it was. Another process may change the key meanwhile: what is then sealed under the
    /// old one could never be opened again.
    of: Option<FileId>,
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
        let mut known = self.key.lock();
        // Before it is read, so that a change in between is seen by the next.
        let of = self.file_id();
        let before = match known.take() {
            Some(known_now) if known_now.of == of => {
                let result = known_now.result.clone();
                *known = Some(known_now);
                return result;
            }
            Some(Attempted { result, .. }) => result.ok(),
            None => None,
        };
        let result = match self.load() {
            Ok(None) => return Err(VaultFault::NoKey(Vec::new())),
            Ok(Some(document)) => match before.filter(|it| self.still_opens(&document, it)) {
                Some(before) => Ok(self.sealer(&document, before.key().clone())),
                None => self.open(&document),
            },
            Err(fault) => Err(fault),
        };
        *known = Some(Attempted {
            of,
            result: result.clone(),
        });
        result
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
            key: Mutex::default(),
        }
    }

    /// With passphrases that are stretched so far.
    #[must_use]
    pub fn stretching(mut self, cost: Cost) -> Self {
        self.cost = cost;
        self
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

    fn open(&self, document: &Document) -> Result<Arc<Sealer>, VaultFault> {
        let mut attempt = Attempt {
            vault: self,
            document,
            slots: document.head.slots.iter().filter_map(Slot::read).collect(),
            faults: Vec::new(),
            is_keyring_locked: false,
        };
        let key = attempt.run()?;
        Ok(self.sealer(document, key))
    }
}

/// Under which name the kernel keeps the key.
pub(super) fn cache_name(vault: &VaultId) -> String {
    format!("vault:{vault}")
}

/// One attempt to open the vault.
struct Attempt<'a> {
    vault: &'a FileVault,
    document: &'a Document,
    slots: Vec<Slot>,
    faults: Vec<SlotFault>,
    is_keyring_locked: bool,
}

impl Attempt<'_> {
    fn run(&mut self) -> Result<DataKey, VaultFault> {
        let found = self.named_key_file();
        let found = found.or_else(|| self.credentials());
        // Not verified by a slot: after a new key it may be the old one.
        if let Some(cached) = found.is_none().then(|| self.cached()).flatten() {
            return Ok(cached);
        }
        let found = found.or_else(|| self.key_files());
        let found = match found.or_else(|| self.keyring()) {
            Some(key) => key,
            None => self.passphrase()?,
        };
        match self.vault.read_body(self.document, &found) {
            Some(_) => Ok(found),
            None => Err(self.damaged()),
        }
    }

    /// The key is right, and the content does not open: somebody changed what is bound to it.
    fn damaged(&self) -> VaultFault {
        let path = file::path(&self.vault.dirs.state).display().to_string();
        VaultFault::Damaged {
            why: "it was changed or damaged since it was written".to_owned(),
            path,
        }
    }

    /// The key of the vault from the first of these slots that is wrapped under `outer`.
    fn unwrap(&self, outer: &DataKey, of_kind: &[&str]) -> Option<DataKey> {
        let vault = &self.document.head.vault;
        let slots = self.slots.iter();
        let mut slots = slots.filter(|slot| of_kind.contains(&slot.place.kind()));
        slots.find_map(|slot| slot.unwrap(vault, outer))
    }

    /// The key file that a person or a variable names; it may have been moved.
    fn named_key_file(&mut self) -> Option<DataKey> {
        let vault = self.vault;
        let option = vault.source.lock().key_file.clone();
        let variable = || vault.ports.env.plain(KEY_FILE).map(PathBuf::from);
        let path = vault.dirs.cwd.join(option.or_else(variable)?);
        let read = read_key_file(&*vault.ports.files, &path);
        let opened = read.and_then(|key| {
            let opened = self.unwrap(&key, &["key_file", "credential"]);
            opened.ok_or_else(|| "it is the key of no slot".to_owned())
        });
        let fault = |why| SlotFault {
            slot: format!("the key file {}", path.display()),
            why,
        };
        opened.map_err(|why| self.faults.push(fault(why))).ok()
    }

    fn credentials(&mut self) -> Option<DataKey> {
        let ports = &self.vault.ports;
        self.try_slots(&|place| {
            let Place::Credential { name } = place else {
                return None;
            };
            let path = credential_path(&*ports.env, name);
            Some(path.and_then(|path| read_key_file(&*ports.files, &path)))
        })
    }

    fn key_files(&mut self) -> Option<DataKey> {
        let vault = self.vault;
        self.try_slots(&|place| {
            let Place::KeyFile { path } = place else {
                return None;
            };
            let path = expand(path, &vault.dirs);
            Some(read_key_file(&*vault.ports.files, &path))
        })
    }

    fn keyring(&mut self) -> Option<DataKey> {
        let keyring = &*self.vault.ports.keyring;
        let is_locked = std::cell::Cell::new(false);
        let found = self.try_slots(&|place| {
            let Place::Keyring { service, account } = place else {
                return None;
            };
            let read = read_keyring(keyring, (service, account));
            is_locked.set(is_locked.get() || matches!(read, Err(KeyringFault::Locked)));
            Some(read.unwrap_or_else(|fault| Err(fault.to_string())))
        });
        self.is_keyring_locked = is_locked.get();
        found
    }

    /// Tries the slots for which `read` has an answer, and keeps why each of them gave nothing.
    fn try_slots(
        &mut self,
        read: &dyn Fn(&Place) -> Option<Result<DataKey, String>>,
    ) -> Option<DataKey> {
        let vault = &self.document.head.vault;
        for slot in &self.slots {
            let opened = read(&slot.place).map(|key| {
                let opened = slot.unwrap(vault, &key?);
                opened.ok_or_else(|| "its key opens nothing here".to_owned())
            });
            match opened {
                None => {}
                Some(Ok(key)) => return Some(key),
                Some(Err(why)) => self.faults.push(slot.place.fault(why)),
            }
        }
        None
    }

    fn cached(&self) -> Option<DataKey> {
        let name = cache_name(&self.document.head.vault);
        let cached = self.vault.ports.cache.get(&name).ok()??;
        let key = DataKey::new(cached.key)?;
        let opens = self.vault.read_body(self.document, &key).is_some();
        opens.then_some(key)
    }

    fn passphrase(&mut self) -> Result<DataKey, VaultFault> {
        let kinds = ["passphrase"];
        if !(self.slots.iter()).any(|slot| kinds.contains(&slot.place.kind())) {
            return Err(match self.is_keyring_locked {
                true => VaultFault::KeyringLocked,
                false => VaultFault::NoKey(std::mem::take(&mut self.faults)),
            });
        }
        let KeySource {
            passphrase,
            asks_nobody,
            ..
        } = self.vault.source.lock().clone();
        let key = match passphrase {
            Some(given) => self.stretch(&given)?,
            None if asks_nobody => return Err(VaultFault::NeedsPassphrase),
            None => self.ask()?,
        };
        self.keep(&key);
        Ok(key)
    }

    fn ask(&self) -> Result<DataKey, VaultFault> {
        let dialog = &*self.vault.ports.dialog;
        for left in (0..TRIES).rev() {
            let state = self.vault.dirs.state.display();
            let question = Question::Passphrase(format!("Passphrase of the secrets in {state}"));
            let answer = dialog.ask(&question, &|| false);
            let answer = answer.map_err(|error| match error {
                DialogError::NobodyThere => VaultFault::NeedsPassphrase,
                DialogError::Cancelled | DialogError::Withdrawn => VaultFault::Cancelled,
                DialogError::Failed(_) => VaultFault::Failed(error.to_string()),
            })?;
            match self.stretch(&answer) {
                Err(VaultFault::WrongPassphrase) if left > 0 => {
                    let text = "the passphrase is wrong; try again";
                    dialog.notice(&Notice::Warning(text.into()));
                }
                other => return other,
            }
        }
        Err(VaultFault::WrongPassphrase)
    }

    /// Tries a passphrase on every slot that has one.
    fn stretch(&self, passphrase: &Secret<String>) -> Result<DataKey, VaultFault> {
        let vault = &self.document.head.vault;
        let mut faults = Vec::new();
        for slot in &self.slots {
            let Place::Passphrase(stretch) = &slot.place else {
                continue;
            };
            match stretch.apply(passphrase) {
                Err(why) => faults.push(slot.place.fault(why)),
                Ok(key) => {
                    if let Some(key) = slot.unwrap(vault, &key) {
                        return Ok(key);
                    }
                }
            }
        }
        match faults.is_empty() {
            true => Err(VaultFault::WrongPassphrase),
            false => Err(VaultFault::NoKey(
                self.faults.iter().cloned().chain(faults).collect(),
            )),
        }
    }

    /// Lets the kernel keep the key, so that the next command does not ask.
    fn keep(&self, key: &DataKey) {
        let ports = &self.vault.ports;
        let until = ports.clock.now().after(KEPT);
        let name = cache_name(&self.document.head.vault);
        if let Err(fault) = ports.cache.put(&name, key.bytes(), until, KEPT) {
            let text = format!("{fault}, so the passphrase is asked for each time");
            ports.dialog.notice(&Notice::Warning(text.into()));
        }
    }
}
