//! The commands that are about the key: making a vault, its slots, and what the kernel keeps.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value;

use crate::model::id::printable;
use crate::model::seal::{DataKey, NONCE};
use crate::model::time::Timestamp;
use crate::model::vault::{SealedPart, TokenStore, VaultFault, VaultId};
use crate::ports::key_cache::KeyCacheFault;
use crate::ports::keyring::KeyringItem;
use crate::ports::lock::Wait;
use crate::ports::vault::{Sealer, Vault as _, VaultError};
use crate::ports::vault_keys::{KeySource, NewSlot, SlotStatus, VaultKeys, VaultStatus};

use super::body::Body;
use super::change::Opened;
use super::file::{self, Head, MOST_SLOTS, Previous};
use super::file_vault::{FileVault, cache_name};
use super::passphrase::Stretch;
use super::places::{
    credential_path, expand, new_key, random, read_credential, read_key_file, read_keyring,
};
use super::slots::{Place, Slot};

impl VaultKeys for FileVault {
    fn take_key_from(&self, source: KeySource) {
        *self.source.lock() = source;
    }

    fn ask_nobody(&self) {
        self.asks_nobody.store(true, Ordering::Relaxed);
    }

    fn status(&self) -> Result<Option<VaultStatus>, VaultFault> {
        let Some(document) = self.load()? else {
            return Ok(None);
        };
        let head = &document.head;
        let cached = self.ports.cache.get(&cache_name(&head.vault));
        let (unlocked_until, cache_fault) = match cached {
            Ok(cached) => (cached.map(|cached| cached.until), None),
            Err(fault) => (None, Some(fault.to_string())),
        };
        Ok(Some(VaultStatus {
            policy: head.policy(),
            path: file::path(&self.dirs.state),
            slots: head.slots.iter().map(|slot| self.look_at(slot)).collect(),
            unlocked_until,
            cache_fault,
        }))
    }

    fn unlock_for(&self, lasts: Duration) -> Result<Timestamp, VaultFault> {
        let sealer = self.unlock()?;
        let until = self.ports.clock.now().after(lasts);
        let name = cache_name(&sealer.vault);
        let kept = (self.ports.cache).put(&name, sealer.key().bytes(), until, lasts);
        kept.map_err(|fault| VaultFault::Failed(fault.to_string()))?;
        Ok(until)
    }

    fn lock(&self) -> Result<bool, VaultFault> {
        self.drop_key();
        let Some(document) = self.load()? else {
            return Ok(false);
        };
        match self.ports.cache.remove(&cache_name(&document.head.vault)) {
            // What keeps nothing has nothing to forget.
            Err(KeyCacheFault::Missing(_)) => Ok(false),
            forgotten => forgotten.map_err(|fault| VaultFault::Failed(fault.to_string())),
        }
    }

    fn create(
        &self,
        store: (TokenStore, SealedPart),
        slots: &[NewSlot],
        wait: &Wait<'_>,
    ) -> Result<Arc<Sealer>, VaultError> {
        let made = self.create_unless_there(store, slots, Body::default(), wait)?;
        made.ok_or_else(|| VaultError::Refused("the secrets have a key already".to_owned()))
    }

    fn set_store(
        &self,
        (store, part): (TokenStore, SealedPart),
        wait: &Wait<'_>,
    ) -> Result<(), VaultError> {
        // A backup that says something else would have secrets written in the clear.
        self.change(wait, Previous::Gone, &mut |opened| {
            (opened.head.store, opened.head.part) = (store, part);
            Ok(Some(()))
        })?;
        Ok(())
    }

    fn add_slot(&self, slot: &NewSlot, wait: &Wait<'_>) -> Result<String, VaultError> {
        let words = self.change(wait, Previous::Kept, &mut |opened| {
            let (words, slot) = self.new_slot(&opened.head, slot, opened.sealer.key())?;
            opened.head.slots.push(slot);
            Ok(Some(words))
        })?;
        Ok(words.unwrap_or_default())
    }

    fn remove_slot(
        &self,
        number: usize,
        forgets_key: bool,
        wait: &Wait<'_>,
    ) -> Result<String, VaultError> {
        let mut gone = None;
        let words = self.change(wait, Previous::Gone, &mut |opened| {
            let slots = &mut opened.head.slots;
            if number == 0 || number > slots.len() {
                let text = format!("there is no slot {number}, only {}", slots.len());
                return Err(VaultError::Refused(text));
            }
            let vault = &opened.head.vault;
            let others = slots.iter().enumerate().filter(|(at, _)| at + 1 != number);
            if !others
                .into_iter()
                .any(|(_, slot)| self.may_open(vault, slot))
            {
                let text = "the last slot stays: without it nothing would open the secrets";
                return Err(VaultError::Refused(text.to_owned()));
            }
            let slot = slots.remove(number - 1);
            let words = words_of(&slot).1;
            gone = Slot::read(&slot).map(|slot| slot.place);
            if forgets_key && !matches!(gone, Some(Place::Keyring { .. })) {
                let text = format!("{words} is not the keyring: remove its key yourself");
                return Err(VaultError::Refused(text));
            }
            Ok(Some(words))
        })?;
        if let Some(Place::Keyring { service, account }) = gone.filter(|_| forgets_key) {
            let removed = (self.ports.keyring).remove(&KeyringItem { service, account });
            removed.map_err(|fault| {
                let text =
                    format!("the slot was removed; its key is still in the keyring: {fault}");
                VaultFault::Failed(text)
            })?;
        }
        Ok(words.unwrap_or_default())
    }

    fn renew_key(&self, wait: &Wait<'_>) -> Result<Arc<Sealer>, VaultError> {
        // Before the lock: a person may be asked.
        let passphrases = self.passphrase_keys()?;
        // A backup without the new key would open nothing of what is sealed from now on.
        let renewed = self.change(wait, Previous::Gone, &mut |opened| {
            let key = new_key(&*self.ports.random)?;
            let head = &mut opened.head;
            let slots = head.slots.iter();
            let slots: Result<Vec<Value>, VaultError> = slots
                .map(|slot| self.wrap_again(&head.vault, slot, (&key, &passphrases)))
                .collect();
            head.slots = slots?;
            // Every key of before opens by the new one, and none is ever forgotten: what is sealed
            // under it may lie in a backup, in another directory, or in the hands of a process that
            // is at work.
            let mut before = vec![opened.sealer.key().clone()];
            before.extend(opened.sealer.before().iter().cloned());
            let about = head.bound_to_before();
            let wrap = |old| {
                let random = random::<NONCE>(&*self.ports.random)?;
                let wrapped = key.wrap(&about, old, &random);
                wrapped.map_err(|error| VaultFault::Failed(error.to_string()))
            };
            head.before = before.iter().map(wrap).collect::<Result<_, VaultFault>>()?;
            let random = Arc::clone(&self.ports.random);
            let sealer = Sealer::new(head.vault.clone(), key, random).opening(before);
            opened.sealer = Arc::new(sealer);
            Ok(Some(Arc::clone(&opened.sealer)))
        })?;
        let sealer = renewed.ok_or(VaultError::Changed)?;
        self.renew_cached(&sealer);
        Ok(sealer)
    }
}

impl FileVault {
    /// Puts a new key in the place of the one that the kernel keeps, for processes at work: theirs opens
    /// nothing new any more.
    fn renew_cached(&self, sealer: &Sealer) {
        let (cache, name) = (&self.ports.cache, cache_name(&sealer.vault));
        let Ok(Some(cached)) = cache.get(&name) else {
            return;
        };
        let left = self.ports.clock.now().until(cached.until);
        let left = Duration::from_millis(u64::try_from(left).unwrap_or_default());
        if left.is_zero()
            || cache
                .put(&name, sealer.key().bytes(), cached.until, left)
                .is_err()
        {
            let _ = cache.remove(&name);
        }
    }

    /// Makes a vault with this in it; `None` if there is one, which stays as it is.
    pub(super) fn create_unless_there(
        &self,
        store: (TokenStore, SealedPart),
        slots: &[NewSlot],
        body: Body,
        wait: &Wait<'_>,
    ) -> Result<Option<Arc<Sealer>>, VaultError> {
        let _lock = self.lock_file(wait)?;
        if self.load()?.is_some() {
            return Ok(None);
        }
        let vault = VaultId::new(&random::<{ VaultId::RANDOM }>(&*self.ports.random)?);
        let key = new_key(&*self.ports.random)?;
        let mut head = Head::new(vault.clone(), store);
        for slot in slots {
            let (_, slot) = self.new_slot(&head, slot, &key)?;
            head.slots.push(slot);
        }
        let opened = Opened {
            head,
            body,
            sealer: Arc::new(Sealer::new(vault, key, Arc::clone(&self.ports.random))),
        };
        self.save(&opened, Previous::Gone)?;
        Ok(Some(opened.sealer))
    }

    /// Makes a slot, and the key that it is wrapped under; it in words.
    fn new_slot(
        &self,
        head: &Head,
        new: &NewSlot,
        key: &DataKey,
    ) -> Result<(String, Value), VaultError> {
        let vault = &head.vault;
        if head.slots.len() >= MOST_SLOTS {
            let text = format!("there are {MOST_SLOTS} slots, which is as many as there can be");
            return Err(VaultError::Refused(text));
        }
        let (place, outer) = match new {
            NewSlot::KeyFile(path) => self.ports.key_file(&self.dirs, path.as_deref(), vault)?,
            NewSlot::Passphrase(passphrase) => {
                let stretch = Stretch::new(self.cost, random(&*self.ports.random)?);
                let outer = stretch.apply(passphrase).map_err(VaultFault::Failed)?;
                (Place::Passphrase(stretch), outer)
            }
            // A second one would take the first one's place in the keyring.
            NewSlot::Keyring if head.slots.iter().any(|slot| words_of(slot).0 == "keyring") => {
                let text = "the system keyring is a slot already".to_owned();
                return Err(VaultError::Refused(text));
            }
            NewSlot::Keyring => self.ports.keyring_key(vault)?,
            NewSlot::Credential => self.ports.credential(vault)?,
        };
        let words = place.words();
        Ok((words, self.wrap(place, vault, (&outer, key))?))
    }

    fn wrap(
        &self,
        place: Place,
        vault: &VaultId,
        keys: (&DataKey, &DataKey),
    ) -> Result<Value, VaultFault> {
        let random = random::<NONCE>(&*self.ports.random)?;
        let slot = Slot::wrap(place, vault, keys, &random);
        let slot = slot.and_then(|slot| serde_json::to_value(slot).ok());
        slot.ok_or_else(|| VaultFault::Failed("the key could not be wrapped".to_owned()))
    }

    /// The same slot with another key in it.
    fn wrap_again(
        &self,
        vault: &VaultId,
        value: &Value,
        (key, passphrases): (&DataKey, &[(Value, DataKey)]),
    ) -> Result<Value, VaultError> {
        let refused = |why: &str| {
            let words = words_of(value).1;
            VaultError::Refused(format!(
                "{words} cannot be given the new key: {why}; nothing was changed"
            ))
        };
        let slot = Slot::read(value).ok_or_else(|| refused("a later release made it"))?;
        let outer = match slot.place {
            Place::Passphrase(_) => {
                let mut keys = passphrases.iter();
                let key = keys.find_map(|(slot, key)| (slot == value).then(|| key.clone()));
                key.ok_or(VaultError::Changed)?
            }
            _ => self.outer_key(&slot.place).map_err(|why| refused(&why))?,
        };
        if slot.unwrap(vault, &outer).is_none() {
            return Err(refused("its key opens nothing here"));
        }
        Ok(self.wrap(slot.place, vault, (&outer, key))?)
    }

    /// Whether a slot opens now; of a passphrase, whether somebody may know it.
    fn may_open(&self, vault: &VaultId, slot: &Value) -> bool {
        let Some(slot) = Slot::read(slot) else {
            return false;
        };
        matches!(slot.place, Place::Passphrase(_))
            || (self.outer_key(&slot.place)).is_ok_and(|outer| slot.unwrap(vault, &outer).is_some())
    }

    /// The key that a slot is wrapped under, unless a person knows it.
    fn outer_key(&self, place: &Place) -> Result<DataKey, String> {
        let ports = &self.ports;
        match place {
            Place::Passphrase(_) => Err("a person knows it".to_owned()),
            Place::KeyFile { path } => read_key_file(&*ports.files, &expand(path, &self.dirs)),
            Place::Keyring { service, account } => {
                let read = read_keyring(&*ports.keyring, (service, account));
                read.unwrap_or_else(|fault| Err(fault.to_string()))
            }
            Place::Credential { name } => credential_path(&*ports.env, name)
                .and_then(|path| read_credential(&*ports.files, &path)),
        }
    }

    /// What can be said of a slot without its key.
    fn look_at(&self, slot: &Value) -> SlotStatus {
        let (kind, words) = words_of(slot);
        let place = Slot::read(slot).map(|slot| slot.place);
        let path = match &place {
            Some(Place::KeyFile { path }) => Some(expand(path, &self.dirs)),
            _ => None,
        };
        let fault = match place {
            None => Some("a later release made it".to_owned()),
            Some(Place::Passphrase(_)) => None,
            Some(place) => self.outer_key(&place).err(),
        };
        SlotStatus {
            kind,
            words,
            fault,
            path,
        }
    }
}

/// The type of a slot, and it in words.
fn words_of(slot: &Value) -> (String, String) {
    if let Some(slot) = Slot::read(slot) {
        return (slot.place.kind().to_owned(), slot.place.words());
    }
    let kind = slot.get("type").and_then(Value::as_str).unwrap_or("?");
    let kind = printable(kind, 40).to_string();
    let words = format!("a slot of the type {kind}");
    (kind, words)
}
