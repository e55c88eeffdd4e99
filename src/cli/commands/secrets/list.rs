//! `secrets list`.

use clap::Args;
use serde_json::{Value, json};

use super::key_args::KeyArgs;
use crate::app::secrets::list;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;

/// List the names of secrets, and the files that refer to them
///
/// Values are never shown.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw secrets list
  openclaw secrets list --json")]
pub struct List {
    #[command(flatten)]
    key: KeyArgs,
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

impl List {
    /// Lists them.
    pub fn run(&self, system: &System) -> Answer {
        self.key.apply(system)?;
        let rows = list::run(system.context())?;
        if self.json {
            let secrets = rows.iter().map(|row| {
                json!({
                    "name": row.entry.name,
                    "createdAt": row.entry.created,
                    "changedAt": row.entry.changed,
                    "usedBy": row.used_by,
                })
            });
            let secrets: Vec<Value> = secrets.collect();
            return Ok(Output::json(&json!({ "secrets": secrets })));
        }
        if rows.is_empty() {
            return Ok(Output::line("No secrets."));
        }
        let mut text = String::new();
        for row in rows {
            let age = system.local().spoken_past(row.entry.changed);
            text.push_str(&format!("{}  stored {age}\n", row.entry.name));
            for path in row.used_by {
                text.push_str(&format!("  used in {}\n", path.display()));
            }
        }
        Ok(Output::text(text))
    }
}
