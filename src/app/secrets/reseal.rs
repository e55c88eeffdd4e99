//! Sealing again everything that a state directory holds, as the vault says.

use std::path::PathBuf;

use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::app::login;

/// What became of it.
#[derive(Debug, Default)]
pub struct Resealed {
    /// Files in which something does not open, which was left as it is.
    pub left: Vec<PathBuf>,
    /// Whether another process is at work on a login or a refresh, which is sealed as it was begun.
    pub is_waiting: bool,
}

/// Writes every document and every history anew, and what waits of logins and refreshes.
///
/// # Errors
/// If one of them cannot be written: those before it are, and a second run does the rest.
pub(super) fn all(cx: Context<'_>) -> Result<Resealed, Failure> {
    let mut done = Resealed::default();
    for agent in cx.store.agents()? {
        done.left.extend(cx.store_files.reseal(&agent)?);
    }
    done.left.extend(cx.store_files.reseal_trash()?);
    for (left, is_waiting) in [cx.store_files.reseal_answers()?, login::reseal::all(cx)?] {
        done.left.extend(left);
        done.is_waiting |= is_waiting;
    }
    Ok(done)
}
