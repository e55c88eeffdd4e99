//! `agents`: who there is, and where their credentials lie.

pub mod add;
pub mod delete;
pub mod list;

use clap::{Args, Subcommand};

use crate::app::failure::Failure;
use crate::cli::printer::Printer;
use crate::cli::wire::System;

/// Agents: each has its own credentials and reads through to main's
#[derive(Debug, Args)]
pub struct Agents {
    #[command(subcommand)]
    command: AgentsCommand,
}

#[derive(Debug, Subcommand)]
enum AgentsCommand {
    /// Add an agent
    Add(add::Add),
    /// List the agents
    List(list::List),
    /// Take an agent out of the configuration and move its files to trash
    Delete(delete::Delete),
}

impl Agents {
    /// Runs it.
    ///
    /// # Errors
    /// What the command failed with.
    pub fn run(&self, system: &System, printer: &Printer) -> Result<u8, Failure> {
        match &self.command {
            AgentsCommand::Add(command) => command.run(system, printer),
            AgentsCommand::List(command) => command.run(system, printer),
            AgentsCommand::Delete(command) => command.run(system, printer),
        }
    }
}
