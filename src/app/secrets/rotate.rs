//! `secrets rotate`: a new key, under which everything is sealed again.
//!
//! The old keys stay, wrapped under the new one: a backup, or the answer to a request that is under
//! way, may be sealed under one of them. Whoever stole an old key opens nothing new by it.

use super::reseal::{self, Resealed};
use super::{input, no_vault};
use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::ports::lock;
use crate::ports::vault_keys::KeySource;

/// Carries it out. Each of `descriptors` has the passphrase of a slot; others are asked for.
///
/// # Errors
/// If a slot does not give its key, or something cannot be written: a second run does the rest.
pub fn run(cx: Context<'_>, descriptors: &[u32]) -> Result<Resealed, Failure> {
    cx.vault_keys.status()?.ok_or_else(|| no_vault(cx))?;
    let passphrases = descriptors.iter();
    let passphrases = passphrases.map(|descriptor| input::passphrase_from(cx, *descriptor));
    cx.vault_keys.take_key_from(KeySource {
        passphrases: passphrases.collect::<Result<_, _>>()?,
        ..KeySource::default()
    });
    cx.vault_keys.renew_key(&cx.wait(lock::SHORT))?;
    reseal::all(cx)
}
