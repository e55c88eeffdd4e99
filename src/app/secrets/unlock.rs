//! `secrets unlock` and `secrets lock`.

use std::time::Duration;

use super::no_vault;
use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::model::time::Timestamp;

/// Opens the vault and lets the kernel keep its key for that long; returns until when.
///
/// # Errors
/// If there is none, it does not open, or the kernel does not keep the key.
pub fn unlock(cx: Context<'_>, lasts: Duration) -> Result<Timestamp, Failure> {
    if cx.vault_keys.status()?.is_none() {
        return Err(no_vault(cx));
    }
    Ok(cx.vault_keys.unlock_for(lasts)?)
}

/// Lets the kernel forget the key; returns whether it had it.
///
/// # Errors
/// If it may still have it.
pub fn lock(cx: Context<'_>) -> Result<bool, Failure> {
    Ok(cx.vault_keys.lock()?)
}
