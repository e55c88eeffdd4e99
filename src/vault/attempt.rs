//! One attempt to open the vault: the places where its key may lie, one after the other.

use std::path::PathBuf;
use std::time::Duration;

use crate::model::seal::DataKey;
use crate::model::secret::Secret;
use crate::model::vault::{SlotFault, VaultFault};
use crate::ports::dialog::Notice;
use crate::ports::keyring::KeyringFault;

use super::file::{self, Document};
use super::file_vault::{FileVault, cache_name};
use super::places::{credential_path, expand, read_credential, read_key_file, read_keyring};
use super::slots::{Place, Slot};

/// The variable that names a key file.
const KEY_FILE: &str = "OPENCLAW_SECRETS_KEY_FILE";

/// So long the kernel keeps the key after a passphrase.
const KEPT: Duration = Duration::from_secs(8 * 60 * 60);

/// One attempt to open the vault.
pub(super) struct Attempt<'a> {
    vault: &'a FileVault,
    document: &'a Document,
    /// Whether a person may be asked.
    asking: bool,
    slots: Vec<Slot>,
    faults: Vec<SlotFault>,
    is_keyring_locked: bool,
}

impl<'a> Attempt<'a> {
    pub(super) fn new(vault: &'a FileVault, document: &'a Document, asking: bool) -> Self {
        Self {
            vault,
            document,
            asking,
            slots: document.head.slots.iter().filter_map(Slot::read).collect(),
            faults: Vec::new(),
            is_keyring_locked: false,
        }
    }

    pub(super) fn run(&mut self) -> Result<DataKey, VaultFault> {
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
            Some(path.and_then(|path| read_credential(&*ports.files, &path)))
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
        let given = self.vault.source.lock().passphrases.clone();
        let key = match given.is_empty() {
            false => self.stretch_any(&given)?,
            true if !self.asking => return Err(VaultFault::NeedsPassphrase),
            true => (self.vault).ask_passphrase(None, &|answer| self.stretch(answer))?,
        };
        self.keep(&key);
        Ok(key)
    }

    fn stretch_any(&self, given: &[Secret<String>]) -> Result<DataKey, VaultFault> {
        let mut result = Err(VaultFault::WrongPassphrase);
        for passphrase in given {
            result = self.stretch(passphrase);
            if !matches!(result, Err(VaultFault::WrongPassphrase)) {
                break;
            }
        }
        result
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
