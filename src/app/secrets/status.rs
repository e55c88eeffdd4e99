//! `secrets status`.

use super::moving::unfinished::tell_pending;
use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::ports::vault_keys::VaultStatus;

/// What can be said of the vault without its key; `None` if there is none. Tells of moves that were
/// interrupted, too.
///
/// # Errors
/// If it is there and cannot be read.
pub fn run(cx: Context<'_>) -> Result<Option<VaultStatus>, Failure> {
    tell_pending(cx)?;
    Ok(cx.vault_keys.status()?)
}
