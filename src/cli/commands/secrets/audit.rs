//! `secrets audit`.

use clap::Args;

use super::status::{in_database, json_of_database, text_of_database};
use crate::app::secrets::audit::{self, Request, Status};
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::cli::view;

/// Find secrets in the clear, and references that lead to nothing
///
/// Reads profiles, histories, backups and configuration. Changes nothing, never shows a secret, and
/// asks for no passphrase: where the secrets are locked, their values are not looked for.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw secrets audit
  openclaw secrets audit --check --json

With --check, exits with 1 if anything is found, and with 2 if a reference leads to nothing.")]
pub struct Audit {
    /// Exit with 1 or 2 if anything is found
    #[arg(long)]
    check: bool,
    /// Run the programs that references name, to see whether they have the secrets
    #[arg(long)]
    allow_exec: bool,
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

impl Audit {
    /// Looks.
    pub fn run(&self, system: &System) -> Answer {
        let request = Request {
            opens: true,
            allow_exec: self.allow_exec,
        };
        let database = in_database(system)?;
        // What a database holds is always sealed: what there is to find is in files.
        let report = audit::run(system.context_of_files(), request)?;
        let output = match self.json {
            true => {
                let mut document = view::secrets_audit::document(&report, &system.hints);
                document["openclaw"]["database"] = json_of_database(database.as_ref());
                Output::json(&document)
            }
            false => {
                let is_all = database.is_none();
                let found = view::secrets_audit::text(&report, is_all, &system.hints);
                let database = database.as_ref().map_or_else(String::new, text_of_database);
                Output::text([database, found].concat())
            }
        };
        Ok(match report.status() {
            Status::Unresolved if self.check => output.code(2),
            Status::Findings if self.check => output.code(1),
            _ => output,
        })
    }
}
