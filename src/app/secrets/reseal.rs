//! Sealing again everything that a state directory holds, as the vault says.

use std::path::PathBuf;

use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::model::state_files::{PENDING, RESCUE};

/// What became of it.
#[derive(Debug, Default)]
pub struct Resealed {
    /// Files in which something does not open, which was left as it is.
    pub left: Vec<PathBuf>,
    /// Whether logins or responses of servers are under way, which are sealed as they were begun.
    pub is_waiting: bool,
}

/// Writes every document and every history anew.
///
/// # Errors
/// If one of them cannot be written: those before it are, and a second run does the rest.
pub(super) fn all(cx: Context<'_>) -> Result<Resealed, Failure> {
    let mut done = Resealed::default();
    for agent in cx.store.agents()? {
        done.left.extend(cx.store_files.reseal(&agent)?);
    }
    done.left.extend(cx.store_files.reseal_trash()?);
    for name in [PENDING, RESCUE] {
        let names = cx.files.list(&cx.dirs.state.join(name))?;
        done.is_waiting |= names.iter().any(|name| !name.ends_with(".tmp"));
    }
    Ok(done)
}
