//! `secrets rotate`: a new key, under which everything is sealed again.
//!
//! The old key opens what is not sealed anew yet, and is forgotten once nothing needs it: a login or a
//! refresh that is under way has its answer sealed under the key that it began with.

use super::reseal::{self, Resealed};
use super::{input, no_vault};
use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::ports::lock;
use crate::ports::vault_keys::KeySource;

/// What was done.
#[derive(Debug)]
pub struct Outcome {
    /// What became of the files.
    pub done: Resealed,
    /// Whether the old key is forgotten.
    pub is_forgotten: bool,
}

/// Carries it out. `passphrase_fd` has the passphrase, if the vault has one.
///
/// # Errors
/// If a slot does not give its key, or something cannot be written: a second run does the rest.
pub fn run(cx: Context<'_>, passphrase_fd: Option<u32>) -> Result<Outcome, Failure> {
    let status = cx.vault_keys.status()?.ok_or_else(|| no_vault(cx))?;
    let needs_passphrase = status.slots.iter().any(|slot| slot.kind == "passphrase");
    let passphrase = match passphrase_fd {
        Some(descriptor) => Some(input::passphrase_from(cx, descriptor)?),
        None if needs_passphrase => Some(input::known_passphrase(cx)?),
        None => None,
    };
    cx.vault_keys.take_key_from(KeySource {
        passphrase,
        ..KeySource::default()
    });
    cx.vault_keys.renew_key(&cx.wait(lock::SHORT))?;
    let done = reseal::all(cx)?;
    let is_forgotten = !done.is_waiting && done.left.is_empty();
    if is_forgotten {
        cx.vault_keys.forget_old_keys(&cx.wait(lock::SHORT))?;
    }
    Ok(Outcome { done, is_forgotten })
}
