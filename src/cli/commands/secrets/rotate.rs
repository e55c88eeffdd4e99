//! `secrets rotate`.

use clap::Args;
use serde_json::json;

use super::key_args::KeyArgs;
use crate::app::secrets::rotate;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::model::hint::Command;

/// Make a new key and seal everything under it
///
/// Each slot gets the new key; copies of the old one, and backups of the secrets, open nothing that is
/// stored from now on. Can be repeated; a run that was interrupted is completed by the next.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw secrets rotate
  openclaw secrets rotate --passphrase-fd 0 <passphrase.txt")]
pub struct Rotate {
    #[command(flatten)]
    key: KeyArgs,
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

impl Rotate {
    /// Carries it out.
    pub fn run(&self, system: &System) -> Answer {
        let outcome = rotate::run(system.context(), self.key.passphrase_fd)?;
        if self.json {
            return Ok(Output::json(&json!({
                "oldKeyForgotten": outcome.is_forgotten,
                "left": outcome.done.left,
            }))
            .changed(true));
        }
        let mut text = "Sealed everything under a new key\n".to_owned();
        for path in &outcome.done.left {
            let path = path.display();
            text.push_str(&format!(
                "Left as it is, because it cannot be read: {path}\n"
            ));
        }
        if !outcome.is_forgotten {
            let again = system.hints.command(&Command::new("secrets rotate"));
            text.push_str(&format!(
                "The old key is kept, because something is sealed under it still (a login or a refresh under way, or a file named above); later: {again}\n"
            ));
        }
        Ok(Output::text(text).changed(true))
    }
}
