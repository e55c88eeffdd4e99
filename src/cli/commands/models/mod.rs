//! `models`: credentials and what is known of them. Without a further word it is `models status`.

pub mod auth;
pub mod probe_flags;
pub mod status;

use std::sync::Arc;

use clap::{Args, Subcommand};

use crate::app::failure::Failure;
use crate::cli::printer::Printer;
use crate::cli::wire::System;

/// Credentials of model providers: log in, hand out, show
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Models {
    #[command(subcommand)]
    command: Option<ModelsCommand>,
    #[command(flatten)]
    status: status::Status,
}

// A comment on a variant would take the place of the long help of its command.
#[derive(Debug, Subcommand)]
enum ModelsCommand {
    Auth(auth::Auth),
    Status(status::Status),
}

impl Models {
    /// Whether the command reports what happens as JSON lines.
    pub fn wants_events(&self) -> bool {
        matches!(&self.command, Some(ModelsCommand::Auth(auth)) if auth.wants_events())
    }

    /// Whether the command takes no lock and writes nothing, whatever lies around.
    pub fn only_looks(&self) -> bool {
        matches!(&self.command, Some(ModelsCommand::Auth(auth)) if auth.only_looks())
    }

    /// Runs it.
    ///
    /// # Errors
    /// What the command failed with.
    pub fn run(&self, system: &System, printer: &Arc<Printer>) -> Result<u8, Failure> {
        match &self.command {
            Some(ModelsCommand::Auth(auth)) => auth.run(system, printer),
            Some(ModelsCommand::Status(status)) => status.run(system, printer),
            None => self.status.run(system, printer),
        }
    }
}
