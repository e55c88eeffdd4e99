//! `gateway`: the logins of this machine, over HTTP.

mod key;
mod link;
mod run;

use clap::{Args, Subcommand};

use crate::cli::output::Answer;
use crate::cli::system::System;

/// Serve the logins of this machine to programs and people, with a web page
#[derive(Debug, Args)]
pub struct Gateway {
    #[command(subcommand)]
    pub(super) command: GatewayCommand,
}

// A comment on a variant would take the place of the long help of its command.
#[derive(Debug, Subcommand)]
pub(super) enum GatewayCommand {
    Run(run::Run),
    #[command(flatten)]
    Other(OtherCommand),
}

/// What is over at once.
#[derive(Debug, Subcommand)]
pub(super) enum OtherCommand {
    Key(key::Key),
    Link(link::Link),
}

impl Gateway {
    /// Whether it runs until it is told to stop.
    pub fn serves(&self) -> bool {
        matches!(self.command, GatewayCommand::Run(_))
    }
}

impl OtherCommand {
    /// Runs it.
    pub(super) fn run(&self, system: &System) -> Answer {
        match self {
            Self::Key(command) => command.run(system),
            Self::Link(command) => command.run(system),
        }
    }
}
