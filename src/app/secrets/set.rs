//! `secrets set`.

use std::path::{Path, PathBuf};

use super::{declared_store, input, reseal};
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::model::hint::Command;
use crate::model::secret::Secret;
use crate::model::vault::{SealedPart, SecretName, TokenStore};
use crate::ports::lock;
use crate::ports::vault_keys::NewSlot;

/// Where the key of a vault lies that has to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPlace {
    /// Behind a passphrase, which comes from this file descriptor or a prompt.
    Passphrase(Option<u32>),
    /// In a key file, at this path or where such files usually lie.
    KeyFile(Option<PathBuf>),
    /// In the keyring of the system.
    Keyring,
    /// Where systemd gives it to a service.
    Credential,
}

impl KeyPlace {
    /// The slot, for which a person may be asked.
    pub(super) fn slot(&self, cx: Context<'_>) -> Result<NewSlot, Failure> {
        Ok(match self {
            Self::Passphrase(descriptor) => {
                let prompt = "New passphrase (input is hidden)";
                NewSlot::Passphrase(input::new_passphrase(
                    cx,
                    ("--new-passphrase-fd", *descriptor),
                    prompt,
                )?)
            }
            Self::KeyFile(path) => NewSlot::KeyFile(path.clone()),
            Self::Keyring => NewSlot::Keyring,
            Self::Credential => NewSlot::Credential,
        })
    }
}

/// What was stored.
#[derive(Debug)]
pub struct Outcome {
    /// Where.
    pub path: PathBuf,
    /// Its length in bytes.
    pub length: usize,
    /// Whether there was one of that name.
    pub replaced: bool,
    /// In words, where the key lies that was made for it.
    pub new_key: Option<String>,
    /// The store of profiles that begins with it, because `config.yaml` asks for it.
    pub sealed_store: Option<TokenStore>,
}

/// Stores a secret; the first one makes the vault. A person is asked before anything is locked.
///
/// # Errors
/// If the value is none, or the vault does not open or cannot be written: nothing was changed then.
pub fn run(
    cx: Context<'_>,
    name: &SecretName,
    file: Option<&Path>,
    place: Option<&KeyPlace>,
) -> Result<Outcome, Failure> {
    let is_new = cx.vault_keys.status()?.is_none();
    // What a declaration asks for begins with the vault.
    let store = is_new.then(|| declared_store::wanted(cx)).flatten();
    let slot = match (is_new, place) {
        (true, Some(place)) => place.slot(cx)?,
        (true, None) => usual_slot(store),
        (false, None) => {
            cx.vault.unlock()?;
            NewSlot::KeyFile(None)
        }
        (false, Some(_)) => {
            let message = "the secrets have a key already";
            let hint = Command::new("secrets slot add --passphrase");
            return Err(Failure::new(Kind::Usage, message).hint(hint));
        }
    };
    let value = input::value(cx, name, file)?;
    cx.uninterrupted()?;
    let replaced = (cx.secrets).set(name, &value, &slot, &cx.wait(lock::SHORT))?;
    begin_store(cx, store)?;
    let status = cx.vault_keys.status()?.ok_or_else(|| super::no_vault(cx))?;
    let made = status.slots.into_iter().next().filter(|_| is_new);
    Ok(Outcome {
        path: status.path,
        length: value.expose().len(),
        replaced,
        new_key: made.map(|slot| slot.words),
        sealed_store: store,
    })
}

/// Stores a value that is there; the first one makes the vault, as [`run`] does it.
///
/// # Errors
/// If the vault does not open or cannot be written: nothing was changed then.
pub(super) fn put(
    cx: Context<'_>,
    name: &SecretName,
    value: &Secret<String>,
) -> Result<(), Failure> {
    let is_new = cx.vault_keys.status()?.is_none();
    let store = is_new.then(|| declared_store::wanted(cx)).flatten();
    let slot = usual_slot(store);
    (cx.secrets).set(name, value, &slot, &cx.wait(lock::SHORT))?;
    begin_store(cx, store)
}

/// Where the key of a new vault lies unless something else is asked for.
fn usual_slot(store: Option<TokenStore>) -> NewSlot {
    match store {
        Some(TokenStore::Keychain) => NewSlot::Keyring,
        _ => NewSlot::KeyFile(None),
    }
}

/// Seals from now on what a declaration wants sealed, and what was stored before.
fn begin_store(cx: Context<'_>, store: Option<TokenStore>) -> Result<(), Failure> {
    if let Some(store) = store {
        let policy = (store, SealedPart::All);
        cx.vault_keys.set_store(policy, &cx.wait(lock::SHORT))?;
        reseal::all(cx)?;
    }
    Ok(())
}
