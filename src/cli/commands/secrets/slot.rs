//! `secrets slot`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

use super::key_args::KeyArgs;
use crate::app::secrets::set::KeyPlace;
use crate::app::secrets::slot;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;

/// Add or remove a place where the key of the secrets lies
///
/// Each slot opens the same secrets. With two of them, the loss of one loses nothing.
#[derive(Debug, Args)]
pub struct Slot {
    #[command(subcommand)]
    command: SlotCommand,
}

#[derive(Debug, Subcommand)]
enum SlotCommand {
    Add(Add),
    Remove(Remove),
}

impl Slot {
    /// Runs it.
    pub fn run(&self, system: &System) -> Answer {
        match &self.command {
            SlotCommand::Add(command) => command.run(system),
            SlotCommand::Remove(command) => command.run(system),
        }
    }
}

/// Add a place where the key of the secrets lies
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("place").required(true))]
#[command(after_help = "Examples:
  openclaw secrets slot add --passphrase
  openclaw secrets slot add --key-file /media/stick/openclaw.key
  openclaw secrets slot add --passphrase --new-passphrase-fd 0 <passphrase.txt")]
pub struct Add {
    /// Protect the key by a passphrase
    #[arg(long, group = "place")]
    passphrase: bool,
    /// Keep the key in this file, which is made if it is not there
    #[arg(long, value_name = "PATH", group = "place")]
    key_file: Option<PathBuf>,
    /// Keep the key in the system keyring
    #[arg(long, group = "place")]
    keychain: bool,
    /// Take the key that systemd gives to this service (LoadCredential=)
    #[arg(long, group = "place")]
    credential: bool,
    /// Read the new passphrase from this file descriptor instead of asking for it
    #[arg(long, value_name = "N", requires = "passphrase")]
    new_passphrase_fd: Option<u32>,
    #[command(flatten)]
    key: KeyArgs,
}

impl Add {
    /// Adds it.
    pub fn run(&self, system: &System) -> Answer {
        self.key.apply(system)?;
        let place = match &self.key_file {
            Some(path) => KeyPlace::KeyFile(Some(path.clone())),
            None if self.passphrase => KeyPlace::Passphrase(self.new_passphrase_fd),
            None if self.keychain => KeyPlace::Keyring,
            None => KeyPlace::Credential,
        };
        let words = slot::add(system.context(), &place)?;
        Ok(Output::line(format!("Added {words}")).changed(true))
    }
}

/// Remove a place where the key of the secrets lies
///
/// The last one stays. A key file itself is left where it is: it opens nothing any more.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw secrets slot remove 2
  openclaw secrets slot remove passphrase")]
pub struct Remove {
    /// Number of the slot, as `secrets status` shows it, or its type
    #[arg(value_name = "SLOT")]
    which: String,
    #[command(flatten)]
    key: KeyArgs,
}

impl Remove {
    /// Removes it.
    pub fn run(&self, system: &System) -> Answer {
        self.key.apply(system)?;
        let words = slot::remove(system.context(), &self.which)?;
        Ok(Output::line(format!("Removed {words}")).changed(true))
    }
}
