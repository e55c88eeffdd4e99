//! `gateway doctor`.

use clap::Args;

use super::database_args::TenantArgs;
use crate::app::database::check;
use crate::app::doctor::Status;
use crate::app::failure::Kind;
use crate::cli::exit_code;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::cli::view;

/// Check the database: server, tables, key, clock, standby, encryption, notifications, and every row
///
/// Changes nothing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw gateway doctor
  openclaw gateway doctor --json

Exits with 1 if something must be done before a gateway runs, and with 0 if there are only warnings.")]
pub(in crate::cli::commands) struct Doctor {
    #[command(flatten)]
    pub(super) database: TenantArgs,
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

impl Doctor {
    /// Looks.
    pub(super) fn run(&self, system: &System) -> Answer {
        let directory = system.rescue_directory()?;
        let near = (system.required_database()?, &*directory);
        let report = check::run(system.context_of_files(), near, self.database.url_file())?;
        let output = match self.json {
            true => Output::json(&view::database::document(&report, &system.hints)),
            false => Output::text(view::database::text(&report, &system.hints)),
        };
        Ok(match report.count(Status::Failed) {
            0 => output,
            _ => output.code(exit_code::code(Kind::Config)),
        })
    }
}
