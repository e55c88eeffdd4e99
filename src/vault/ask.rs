//! Asking a person for the passphrases of a vault.

use serde_json::Value;

use crate::model::seal::DataKey;
use crate::model::secret::Secret;
use crate::model::vault::VaultFault;
use crate::ports::dialog::{DialogError, Notice, Question};
use crate::ports::vault::VaultError;

use super::file_vault::FileVault;
use super::passphrase::Stretch;
use super::slots::{Place, Slot};

/// So often a person is asked for a passphrase.
const TRIES: usize = 3;

impl FileVault {
    /// Asks for a passphrase until one is right: for that of the slot of this number, if one is meant.
    ///
    /// # Errors
    /// If nobody is there, they end the question, or each one was wrong.
    pub(super) fn ask_passphrase<T>(
        &self,
        slot: Option<usize>,
        open: &dyn Fn(&Secret<String>) -> Result<T, VaultFault>,
    ) -> Result<T, VaultFault> {
        let dialog = &*self.ports.dialog;
        let state = self.dirs.state.display();
        let text = match slot {
            Some(number) => format!("Passphrase of slot {number} of the secrets in {state}"),
            None => format!("Passphrase of the secrets in {state}"),
        };
        for left in (0..TRIES).rev() {
            let answer = dialog.ask(&Question::Passphrase(text.clone()), &|| false);
            let answer = answer.map_err(|error| match error {
                DialogError::NobodyThere => VaultFault::NeedsPassphrase,
                DialogError::Cancelled | DialogError::Withdrawn => VaultFault::Cancelled,
                DialogError::Failed(_) => VaultFault::Failed(error.to_string()),
            })?;
            match open(&answer) {
                Err(VaultFault::WrongPassphrase) if left > 0 => {
                    let text = "the passphrase is wrong; try again";
                    dialog.notice(&Notice::Warning(text.into()));
                }
                other => return other,
            }
        }
        Err(VaultFault::WrongPassphrase)
    }

    /// The keys that the slots with a passphrase are wrapped under. Each has its own passphrase: one
    /// that opens none that was given is asked for by its number.
    ///
    /// # Errors
    /// If one of them is not opened.
    pub(super) fn passphrase_keys(&self) -> Result<Vec<(Value, DataKey)>, VaultError> {
        let document = self.load()?;
        let Some(head) = document.as_ref().map(|document| &document.head) else {
            return Ok(Vec::new());
        };
        let slots = head.slots.iter().enumerate().filter_map(|(at, value)| {
            let slot = Slot::read(value)?;
            let stretch = match &slot.place {
                Place::Passphrase(stretch) => stretch.clone(),
                _ => return None,
            };
            Some((at + 1, value, slot, stretch))
        });
        let slots: Vec<_> = slots.collect();
        let is_only = slots.len() == 1;
        let mut keys = Vec::new();
        for (number, value, slot, stretch) in slots {
            let open = |passphrase: &Secret<String>| {
                let outer = stretch_of(number, &stretch, passphrase)?;
                match slot.unwrap(&head.vault, &outer) {
                    Some(_) => Ok(outer),
                    None => Err(VaultFault::WrongPassphrase),
                }
            };
            let key = self.passphrase_key((!is_only).then_some(number), &open)?;
            keys.push((value.clone(), key));
        }
        Ok(keys)
    }

    /// The key of one slot. What a person says may open another one, too.
    fn passphrase_key(
        &self,
        slot: Option<usize>,
        open: &dyn Fn(&Secret<String>) -> Result<DataKey, VaultFault>,
    ) -> Result<DataKey, VaultFault> {
        let given = self.source.lock().passphrases.clone();
        for passphrase in &given {
            match open(passphrase) {
                Err(VaultFault::WrongPassphrase) => {}
                other => return other,
            }
        }
        if slot.is_none() && !given.is_empty() {
            return Err(VaultFault::WrongPassphrase);
        }
        let asked = self.ask_passphrase(slot, &|answer| {
            let key = open(answer)?;
            self.source.lock().passphrases.push(answer.clone());
            Ok(key)
        });
        asked.map_err(|fault| match (fault, slot) {
            (VaultFault::NeedsPassphrase, Some(number)) => VaultFault::NeedsPassphraseOf(number),
            (fault, _) => fault,
        })
    }
}

fn stretch_of(
    number: usize,
    stretch: &Stretch,
    passphrase: &Secret<String>,
) -> Result<DataKey, VaultFault> {
    let key = stretch.apply(passphrase);
    key.map_err(|why| VaultFault::Failed(format!("slot {number} cannot be used: {why}")))
}
