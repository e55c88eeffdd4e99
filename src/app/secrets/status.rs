//! `secrets status`.

use super::moving::unfinished::tell_pending;
use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::model::credential::{Credential, OAuth};
use crate::ports::database::{Database, SealedRows};
use crate::ports::store::{Detail, Scope};
use crate::ports::vault_keys::VaultStatus;

/// What can be said of the profiles where they are in a database.
#[derive(Debug)]
pub struct InDatabase {
    /// Where it is, without what is secret.
    pub at: String,
    /// What is sealed there.
    pub rows: SealedRows,
    /// So many profiles still hold tokens or keys in files of this machine.
    pub in_files: usize,
}

/// What can be said of the vault without its key; `None` if there is none. Tells of moves that were
/// interrupted, too.
///
/// # Errors
/// If it is there and cannot be read.
pub fn run(cx: Context<'_>) -> Result<Option<VaultStatus>, Failure> {
    tell_pending(cx)?;
    Ok(cx.vault_keys.status()?)
}

/// Counts what is sealed in the database, and what is left in `files`.
///
/// # Errors
/// If the database or a document cannot be read.
pub fn of_database(database: &dyn Database, files: Context<'_>) -> Result<InDatabase, Failure> {
    let mut in_files = 0;
    for agent in files.store.agents()? {
        let document = files.store.look(&agent, Scope::All, Detail::Masked)?;
        in_files += document.profiles().filter(|(_, it)| holds_any(it)).count();
    }
    Ok(InDatabase {
        at: database.shown(),
        rows: database.sealed()?,
        in_files,
    })
}

fn holds_any(credential: &Credential) -> bool {
    let refresh = credential.as_oauth().and_then(OAuth::refresh_token);
    credential.bearer().is_some() || refresh.is_some()
}
