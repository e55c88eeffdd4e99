//! The secrets that have names.

use crate::model::secret::Secret;
use crate::model::vault::{SealedPart, SecretName, TokenStore, VaultFault};
use crate::ports::lock::Wait;
use crate::ports::secrets::{LONGEST, NamedSecrets, SecretEntry};
use crate::ports::vault::{Vault as _, VaultError};
use crate::ports::vault_keys::NewSlot;

use super::body::Body;
use super::file::Previous;
use super::file_vault::FileVault;

impl NamedSecrets for FileVault {
    fn list(&self) -> Result<Vec<SecretEntry>, VaultFault> {
        let Some(body) = self.body()? else {
            return Ok(Vec::new());
        };
        let secrets = body.secrets.iter();
        // A name of a later release that is none here cannot be asked for.
        let entries = secrets.filter_map(|(name, named)| {
            Some(SecretEntry {
                name: SecretName::parse(name).ok()?,
                created: named.created,
                changed: named.changed,
            })
        });
        Ok(entries.collect())
    }

    fn get(&self, name: &SecretName) -> Result<Option<Secret<String>>, VaultFault> {
        let body = self.body()?;
        Ok(body.and_then(|mut body| Some(body.secrets.remove(name.as_str())?.value)))
    }

    fn set(
        &self,
        name: &SecretName,
        value: &Secret<String>,
        slot: &NewSlot,
        wait: &Wait<'_>,
    ) -> Result<bool, VaultError> {
        if value.expose().is_empty() || value.expose().len() > LONGEST {
            let text = "a secret has 1 byte to 64 KiB".to_owned();
            return Err(VaultError::Refused(text));
        }
        let now = self.ports.clock.now();
        if self.load()?.is_none() {
            let store = (TokenStore::Plain, SealedPart::All);
            // In one step with the vault: nobody ever sees it without the secret.
            let mut body = Body::default();
            body.put(name, value, now);
            let made = self.create_unless_there(store, std::slice::from_ref(slot), body, wait)?;
            if made.is_some() {
                return Ok(false);
            }
        }
        let replaced = self.change(wait, Previous::Kept, &mut |opened| {
            Ok(Some(opened.body.put(name, value, now)))
        })?;
        Ok(replaced.unwrap_or_default())
    }

    fn remove(&self, names: &[SecretName], wait: &Wait<'_>) -> Result<Vec<SecretName>, VaultError> {
        if self.load()?.is_none() {
            return Ok(Vec::new());
        }
        let removed = self.change(wait, Previous::Gone, &mut |opened| {
            let secrets = &mut opened.body.secrets;
            let is_there = |name: &&SecretName| secrets.remove(name.as_str()).is_some();
            let removed: Vec<_> = names.iter().filter(is_there).cloned().collect();
            Ok((!removed.is_empty()).then_some(removed))
        })?;
        Ok(removed.unwrap_or_default())
    }
}

impl FileVault {
    /// What is sealed in the file; `None` if there is no vault. The file is read again, for another
    /// process may have changed it.
    fn body(&self) -> Result<Option<Body>, VaultFault> {
        let mut is_again = false;
        loop {
            let Some(document) = self.load()? else {
                return Ok(None);
            };
            let sealer = self.unlock()?;
            if let Some(body) = self.read_body(&document, sealer.key()) {
                return Ok(Some(body));
            }
            // Another process changed its key, or it was damaged meanwhile: opening it says which.
            self.drop_key();
            if is_again {
                return Err(VaultFault::Failed(VaultError::Changed.to_string()));
            }
            is_again = true;
        }
    }
}
