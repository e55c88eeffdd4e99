//! `secrets rotate`.

use clap::Args;
use serde_json::json;

use super::migrate::left;
use crate::app::secrets::rotate;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;

/// Make a new key and seal everything under it
///
/// Every slot opens the new key, so all of them must be at hand: key files, the keyring, each passphrase.
/// The old keys are kept, sealed, for what still needs them. A key file that somebody may have copied
/// opens the new key, too: replace its slot first (`secrets slot add`, `secrets slot remove`).
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw secrets rotate
  openclaw secrets rotate --passphrase-fd 0 <passphrase.txt")]
pub struct Rotate {
    /// Read a passphrase from this file descriptor instead of asking for it; once for each passphrase
    #[arg(long, value_name = "N")]
    passphrase_fd: Vec<u32>,
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

impl Rotate {
    /// Carries it out.
    pub fn run(&self, system: &System) -> Answer {
        let done = rotate::run(system.context(), &self.passphrase_fd)?;
        if self.json {
            let output = Output::json(&json!({ "left": done.left }));
            return Ok(output.changed(true));
        }
        let text = format!("Sealed under a new key\n{}", left(&done));
        Ok(Output::text(text).changed(true))
    }
}
