//! The secrets that have names, and the key of the vault that they lie in.

pub mod audit;
mod declared_store;
pub mod get;
pub mod import_dotenv;
pub mod import_sidecars;
mod input;
pub mod list;
pub mod migrate;
pub mod moving;
mod openclaw;
mod references;
pub mod remove;
pub mod reseal;
pub mod resolve;
pub mod rotate;
pub mod set;
pub mod slot;
pub mod status;
pub mod unlock;

use std::path::PathBuf;

use super::context::Context;
use super::failure::{Failure, Kind};
use crate::model::hint::Command;
use crate::model::vault::SecretName;
use crate::ports::vault_keys::KeySource;

pub(in crate::app) use declared_store::require as require_declared_store;
pub use input::{passphrase_from, refuse_argument};
pub(in crate::app) use openclaw::refer_new;

/// Says where the key of this process comes from, before anything is opened.
///
/// # Errors
/// If the passphrase cannot be read.
pub fn use_key(
    cx: Context<'_>,
    passphrase_fd: Option<u32>,
    key_file: Option<PathBuf>,
) -> Result<(), Failure> {
    let passphrase = passphrase_fd
        .map(|fd| passphrase_from(cx, fd))
        .transpose()?;
    cx.vault_keys.take_key_from(KeySource {
        key_file,
        passphrases: passphrase.into_iter().collect(),
    });
    Ok(())
}

/// Reads a name. What is none is not repeated: it may be the secret itself.
///
/// # Errors
/// If it is none.
pub fn parse_name(text: &str) -> Result<SecretName, Failure> {
    SecretName::parse(text).map_err(|error| Failure::new(Kind::Usage, error.to_string()))
}

fn no_such_secret(name: &SecretName) -> Failure {
    let message = format!("no such secret: {name}");
    Failure::new(Kind::NotFound, message).hint(Command::new("secrets list"))
}

fn no_vault(cx: Context<'_>) -> Failure {
    let message = format!("no secrets are stored in {}", cx.dirs.state.display());
    Failure::new(Kind::NotFound, message).hint(Command::new("secrets set NAME"))
}
