//! `secrets unlock`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::key_args::KeyArgs;
use crate::app::secrets::{self, unlock};
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::cli::value_parsers::seconds;

/// Open the secrets and keep their key in the memory of the kernel for a while
///
/// No other user can read it, no file holds it, and it is gone at a restart.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw secrets unlock
  openclaw secrets unlock --for 30m
  openclaw secrets unlock --passphrase-fd 0 <passphrase.txt")]
pub struct Unlock {
    /// How long to keep the key
    #[arg(long = "for", value_name = "DURATION", default_value = "8h", value_parser = seconds)]
    lasts: Duration,
    /// Open the secrets with this key file
    #[arg(long, value_name = "PATH")]
    key_file: Option<PathBuf>,
    #[command(flatten)]
    key: KeyArgs,
}

impl Unlock {
    /// Opens them.
    pub fn run(&self, system: &System) -> Answer {
        let cx = system.context();
        secrets::use_key(cx, self.key.passphrase_fd, self.key_file.clone())?;
        let until = unlock::unlock(cx, self.lasts)?;
        let until = system.local().spoken(until);
        Ok(Output::line(format!("Unlocked; locks again {until}")))
    }
}
