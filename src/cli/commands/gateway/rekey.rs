//! `gateway rekey`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::database_args::DatabaseArgs;
use crate::app::database::rekey;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;

/// Seal everything in the database anew, under another key
///
/// Stop every gateway first: one that has the old key cannot read what is sealed under the new one.
/// Then give the new key to all of them. A run that was interrupted can be repeated.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw gateway rekey --new-key-file new.key")]
pub(in crate::cli::commands) struct Rekey {
    /// File with the new key: 64 hexadecimal digits, 44 characters of base64, or 32 bytes
    #[arg(long, value_name = "FILE")]
    new_key_file: PathBuf,
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

impl Rekey {
    /// Changes the key.
    pub(super) fn run(&self, system: &System) -> Answer {
        let new = system.key_in(&self.new_key_file)?;
        let done = rekey::run(system.required_database()?, &new)?;
        let output = match self.json {
            true => Output::json(&json!({ "rows": done.rows })),
            false => Output::text(format!(
                "Sealed {} rows under the new key\nName it in GOCLAW_ENCRYPTION_KEY_FILE of every gateway now\n",
                done.rows
            )),
        };
        Ok(output.changed(true))
    }
}
