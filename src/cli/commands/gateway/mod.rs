//! `gateway`: the logins of this machine, over HTTP.

mod key;
mod link;
mod run;

use std::sync::Arc;

use clap::{Args, Subcommand};

use crate::app::failure::Failure;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::cli::system::engine::SystemEngine;

/// Serve the logins of this machine to programs and people, with a web page
#[derive(Debug, Args)]
pub struct Gateway {
    #[command(subcommand)]
    command: GatewayCommand,
}

// A comment on a variant would take the place of the long help of its command.
#[derive(Debug, Subcommand)]
enum GatewayCommand {
    Run(run::Run),
    Key(key::Key),
    Link(link::Link),
}

impl Gateway {
    /// Whether it runs until it is told to stop.
    pub fn serves(&self) -> bool {
        matches!(self.command, GatewayCommand::Run(_))
    }

    /// Serves; the exit code.
    ///
    /// # Errors
    /// If it cannot, or may not.
    pub fn serve(&self, engine: &Arc<SystemEngine>) -> Result<u8, Failure> {
        match &self.command {
            GatewayCommand::Run(command) => command.run(engine),
            GatewayCommand::Key(_) => Ok(0),
            GatewayCommand::Link(_) => Ok(0),
        }
    }

    /// Runs what is over at once.
    pub fn run(&self, system: &System) -> Answer {
        match &self.command {
            GatewayCommand::Run(_) => Ok(Output::default()),
            GatewayCommand::Key(command) => command.run(system),
            GatewayCommand::Link(command) => command.run(system),
        }
    }
}
