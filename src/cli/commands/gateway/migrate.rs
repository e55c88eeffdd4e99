//! `gateway migrate`.

use clap::Args;
use serde_json::json;

use super::database_args::DatabaseArgs;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;

/// Make the tables of the database, or bring them up to date
///
/// Each migration is one transaction, and one process at a time applies them. Make a backup first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw gateway migrate
  openclaw gateway migrate --database-url-file /etc/openclaw/database-url")]
pub(in crate::cli::commands) struct Migrate {
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

impl Migrate {
    /// Applies what is missing.
    pub(super) fn run(&self, system: &System) -> Answer {
        let database = system.required_database()?;
        let applied = database.migrate()?;
        if self.json {
            return Ok(Output::json(&json!({ "applied": applied })));
        }
        Ok(match applied.is_empty() {
            true => Output::line(format!("{} is up to date", database.shown())),
            false => Output::text(applied.iter().fold(String::new(), |text, name| {
                text + &format!("Applied {name}\n")
            })),
        })
    }
}
