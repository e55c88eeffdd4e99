//! `gateway`: the logins of this machine, over HTTP.

mod database_args;
mod doctor;
mod import;
mod key;
mod link;
mod migrate;
mod rekey;
mod run;
mod tenant;

use clap::{Args, Subcommand};

use crate::app::database::source::Asked;
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
    Database(DatabaseCommand),
    #[command(flatten)]
    Other(OtherCommand),
}

/// What is about the database that gateways share, or may be.
#[derive(Debug, Subcommand)]
pub(super) enum DatabaseCommand {
    Migrate(migrate::Migrate),
    Doctor(doctor::Doctor),
    Rekey(rekey::Rekey),
    Import(import::Import),
    Key(key::Key),
    Tenant(tenant::Tenant),
}

/// What is over at once.
#[derive(Debug, Subcommand)]
pub(super) enum OtherCommand {
    Link(link::Link),
}

impl Gateway {
    /// Whether it runs until it is told to stop.
    pub fn serves(&self) -> bool {
        matches!(self.command, GatewayCommand::Run(_))
    }

    /// Whether it is about credentials of this machine, and no question to a gateway.
    pub fn needs_store(&self) -> bool {
        !matches!(self.command, GatewayCommand::Other(OtherCommand::Link(_)))
    }
}

impl DatabaseCommand {
    /// The database that it is about.
    pub(super) fn asked(&self) -> Asked {
        match self {
            Self::Migrate(command) => command.database.asked(),
            Self::Doctor(command) => command.database.asked(),
            Self::Rekey(command) => command.database.asked(),
            Self::Import(command) => command.database.asked(),
            Self::Key(command) => command.database().asked(),
            Self::Tenant(command) => command.database().asked(),
        }
    }

    /// Runs it.
    pub(super) fn run(&self, system: &System) -> Answer {
        match self {
            Self::Migrate(command) => command.run(system),
            Self::Doctor(command) => command.run(system),
            Self::Rekey(command) => command.run(system),
            Self::Import(command) => command.run(system),
            Self::Key(command) => command.run(system),
            Self::Tenant(command) => command.run(system),
        }
    }
}

impl OtherCommand {
    /// Runs it.
    pub(super) fn run(&self, system: &System) -> Answer {
        match self {
            Self::Link(command) => command.run(system),
        }
    }
}
