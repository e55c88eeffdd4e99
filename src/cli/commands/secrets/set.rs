//! `secrets set`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::key_args::KeyArgs;
use crate::app::secrets;
use crate::app::secrets::set::{self, KeyPlace};
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::model::hint::Command;

/// Store a secret under a name
///
/// On a terminal, prompts for the value without showing it; otherwise reads it from standard input.
/// It is never taken as an argument, where other users of the machine could see it. One line end at
/// the end is no part of it.
///
/// The first secret makes a key: a key file outside the state directory, unless an option says
/// where else it is to lie.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw secrets set CODEX_CLIENT_SECRET
  printf %s \"$VALUE\" | openclaw secrets set CODEX_CLIENT_SECRET
  openclaw secrets set CODEX_CLIENT_SECRET --value-file secret.txt --passphrase")]
pub struct Set {
    /// Name of the secret: capital letters, digits and underscores
    #[arg(value_name = "NAME")]
    name: String,
    // What somebody puts there is refused in our own words, which do not repeat it.
    #[arg(hide = true, num_args = 0.., allow_hyphen_values = false)]
    argument: Vec<String>,
    /// Read the value from this file
    #[arg(long, value_name = "PATH")]
    value_file: Option<PathBuf>,
    /// For the first secret: protect the key by a passphrase
    #[arg(long, group = "place")]
    passphrase: bool,
    /// Read the new passphrase from this file descriptor instead of asking for it
    #[arg(long, value_name = "N", requires = "passphrase")]
    new_passphrase_fd: Option<u32>,
    /// For the first secret: keep the key in this file, which is made if it is not there
    #[arg(long, value_name = "PATH", group = "place")]
    key_file: Option<PathBuf>,
    /// For the first secret: keep the key in the system keyring
    #[arg(long, group = "place")]
    keychain: bool,
    #[command(flatten)]
    key: KeyArgs,
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

impl Set {
    /// Stores it.
    pub fn run(&self, system: &System) -> Answer {
        if !self.argument.is_empty() {
            return secrets::refuse_argument();
        }
        let name = secrets::parse_name(&self.name)?;
        let place = self.place();
        self.key.apply(system)?;
        let file = self.value_file.as_deref();
        let stored = set::run(system.context(), &name, file, place.as_ref())?;
        if self.json {
            return Ok(Output::json(&json!({
                "name": name,
                "path": stored.path,
                "replaced": stored.replaced,
                "newKey": stored.new_key,
            }))
            .changed(true));
        }
        let verb = match stored.replaced {
            true => "Replaced",
            false => "Stored",
        };
        let path = stored.path.display();
        let length = match stored.length {
            1 => "1 byte".to_owned(),
            length => format!("{length} bytes"),
        };
        let mut text = format!("{verb} secret {name} ({length}), sealed in {path}\n");
        if let Some(key) = stored.new_key {
            let second = Command::new("secrets slot add --passphrase");
            text.push_str(&format!(
                "Key: {key}. Without it nothing opens the secrets; to add a second one: {}\n",
                system.hints.command(&second)
            ));
        }
        if let Some(store) = stored.sealed_store {
            let store = store.as_ref();
            text.push_str(&format!(
                "config.yaml says token_store: {store}, so the stored credentials are sealed from now on\n"
            ));
        }
        Ok(Output::text(text).changed(true))
    }

    fn place(&self) -> Option<KeyPlace> {
        match &self.key_file {
            Some(path) => Some(KeyPlace::KeyFile(Some(path.clone()))),
            None if self.passphrase => Some(KeyPlace::Passphrase(self.new_passphrase_fd)),
            None => self.keychain.then_some(KeyPlace::Keyring),
        }
    }
}
