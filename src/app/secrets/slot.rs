//! `secrets slot add` and `secrets slot remove`.

use super::no_vault;
use super::set::KeyPlace;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::model::hint::Command;
use crate::ports::lock;

/// Adds another place for the key; returns it in words.
///
/// # Errors
/// If there is no vault, it does not open, or the key cannot be put there.
pub fn add(cx: Context<'_>, place: &KeyPlace) -> Result<String, Failure> {
    if cx.vault_keys.status()?.is_none() {
        return Err(no_vault(cx));
    }
    cx.vault.unlock()?;
    let slot = place.slot(cx)?;
    Ok(cx.vault_keys.add_slot(&slot, &cx.wait(lock::SHORT))?)
}

/// What was removed.
#[derive(Debug)]
pub struct Removed {
    /// The slot, in words.
    pub words: String,
    /// Whether its key stays in the keyring of the system.
    pub leaves_item: bool,
}

/// Removes the slot of that number, or the one of that type, and its key from the keyring if it
/// `forgets_key`.
///
/// # Errors
/// If there is none, or several of that type, it is the last one, or the vault does not open.
pub fn remove(cx: Context<'_>, which: &str, forgets_key: bool) -> Result<Removed, Failure> {
    let status = cx.vault_keys.status()?.ok_or_else(|| no_vault(cx))?;
    let kinds = status.slots.iter().map(|slot| slot.kind.as_str());
    let mut of_kind = kinds.enumerate().filter(|(_, kind)| *kind == which);
    let number = match (which.parse::<usize>(), of_kind.next(), of_kind.next()) {
        (Ok(number), ..) => number,
        (_, Some((place, _)), None) => place + 1,
        (_, Some(_), Some(_)) => return Err(unclear("several slots are of that type")),
        (_, None, _) => return Err(unclear("there is no such slot")),
    };
    let wait = cx.wait(lock::SHORT);
    let words = cx.vault_keys.remove_slot(number, forgets_key, &wait)?;
    let slot = number.checked_sub(1).and_then(|at| status.slots.get(at));
    let is_keyring = slot.is_some_and(|slot| slot.kind == "keyring");
    Ok(Removed {
        words,
        leaves_item: is_keyring && !forgets_key,
    })
}

fn unclear(why: &str) -> Failure {
    let message = format!("{why}; name one by its number");
    Failure::new(Kind::NotFound, message).hint(Command::new("secrets status"))
}
