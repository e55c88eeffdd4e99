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
/// The last one stays. The key itself is left where it is, a key file as well as an item of the
/// keyring: copies of secrets.enc that were made before need it. It opens nothing new after
/// `secrets rotate`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw secrets slot remove 2
  openclaw secrets slot remove passphrase
  openclaw secrets slot remove keyring --forget-key")]
pub struct Remove {
    /// Number of the slot, as `secrets status` shows it, or its type
    #[arg(value_name = "SLOT")]
    which: String,
    /// Remove the key from the system keyring, too: copies made before no longer open by it
    #[arg(long)]
    forget_key: bool,
    #[command(flatten)]
    key: KeyArgs,
}

impl Remove {
    /// Removes it.
    pub fn run(&self, system: &System) -> Answer {
        self.key.apply(system)?;
        let removed = slot::remove(system.context(), &self.which, self.forget_key)?;
        let mut text = format!("Removed {}\n", removed.words);
        if removed.leaves_item {
            text.push_str("Its key stays in the keyring, under that name, for copies of secrets.enc made before; --forget-key removes it, too\n");
        }
        Ok(Output::text(text).changed(true))
    }
}
