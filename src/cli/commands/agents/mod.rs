//! `agents`: who there is, and where their credentials lie.

pub mod add;
pub mod delete;
pub mod inherit;
pub mod list;
pub mod purge;
pub mod set_identity;

use clap::{Args, Subcommand};

use crate::cli::output::Answer;
use crate::cli::system::System;

/// Manage agents and the credentials they inherit
///
/// Each agent has its own credentials and inherits those of the main agent.
#[derive(Debug, Args)]
pub struct Agents {
    #[command(subcommand)]
    command: AgentsCommand,
}

// A comment on a variant would take the place of the long help of its command.
#[derive(Debug, Subcommand)]
enum AgentsCommand {
    Add(add::Add),
    List(list::List),
    Delete(delete::Delete),
    Purge(purge::Purge),
    Inherit(inherit::Inherit),
    SetIdentity(set_identity::SetIdentity),
}

impl Agents {
    /// Runs it.
    pub fn run(&self, system: &System) -> Answer {
        match &self.command {
            AgentsCommand::Add(command) => command.run(system),
            AgentsCommand::List(command) => command.run(system),
            AgentsCommand::Delete(command) => command.run(system),
            AgentsCommand::Purge(command) => command.run(system),
            AgentsCommand::Inherit(command) => command.run(system),
            AgentsCommand::SetIdentity(command) => command.run(system),
        }
    }
}
