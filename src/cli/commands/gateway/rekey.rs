//! `gateway rekey`.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::database_args::DatabaseArgs;
use crate::app::database::{damage, rekey};
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::ports::database::Rekeyed;

/// Seal everything in the database anew, under another key
///
/// Stop every gateway first: one that has the old key cannot read what is sealed under the new one.
/// Then give the new key to all of them. A run that was interrupted can be repeated. A row that is
/// damaged stays as it is, and is named (exit 5).
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
        let directory = system.rescue_directory()?;
        let database = system.required_database()?;
        let done = rekey::run(system.context_of_files(), (database, &directory), &new)?;
        let mut output = match self.json {
            true => Output::json(&document(&done)),
            false => Output::text(text(&done)),
        };
        output.failure = rekey::failure(&done);
        Ok(output.changed(true))
    }
}

fn document(done: &Rekeyed) -> Value {
    let left = done.left.iter().map(|row| {
        json!({
            "kind": row.kind.as_ref(),
            "agentId": row.agent,
            "profileId": row.name,
        })
    });
    json!({
        "rows": done.rows,
        "left": left.collect::<Vec<_>>(),
    })
}

fn text(done: &Rekeyed) -> String {
    let rows = done.rows;
    let mut text = format!(
        "Sealed {rows} rows under the new key\nName it in GOCLAW_ENCRYPTION_KEY_FILE of every gateway now\n"
    );
    for row in &done.left {
        let name = damage::name(row);
        text.push_str(&format!("{name}: does not open, and is as it was\n"));
    }
    text
}
