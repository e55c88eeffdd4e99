//! `secrets`: values that have names, and the key that they are sealed under.

pub mod audit;
pub mod export;
pub mod get;
pub mod import;
mod import_dotenv;
mod import_sidecars;
mod imported;
mod key_args;
pub mod list;
pub mod lock;
pub mod migrate;
pub mod remove;
pub mod resolve;
pub mod rotate;
pub mod set;
pub mod slot;
pub mod status;
pub mod take_back;
pub mod unlock;

use clap::{Args, Subcommand};

use crate::cli::output::Answer;
use crate::cli::system::System;

/// Store named secrets, sealed, and manage the key that opens them
///
/// A configuration or manifest refers to one as ${secret:NAME}. The variables NAME and
/// OPENCLAW_SECRET_NAME come first.
#[derive(Debug, Args)]
pub struct Secrets {
    #[command(subcommand)]
    command: SecretsCommand,
}

// A comment on a variant would take the place of the long help of its command.
#[derive(Debug, Subcommand)]
enum SecretsCommand {
    Set(set::Set),
    Get(get::Get),
    List(list::List),
    Remove(remove::Remove),
    Resolve(resolve::Resolve),
    Status(status::Status),
    Unlock(unlock::Unlock),
    Lock(lock::Lock),
    Slot(slot::Slot),
    Migrate(migrate::Migrate),
    Rotate(rotate::Rotate),
    Audit(audit::Audit),
    Export(export::Export),
    Import(import::Import),
    TakeBack(take_back::TakeBack),
}

impl Secrets {
    /// Runs it.
    pub fn run(&self, system: &System) -> Answer {
        match &self.command {
            SecretsCommand::Set(command) => command.run(system),
            SecretsCommand::Get(command) => command.run(system),
            SecretsCommand::List(command) => command.run(system),
            SecretsCommand::Remove(command) => command.run(system),
            SecretsCommand::Resolve(command) => command.run(system),
            SecretsCommand::Status(command) => command.run(system),
            SecretsCommand::Unlock(command) => command.run(system),
            SecretsCommand::Lock(command) => command.run(system),
            SecretsCommand::Slot(command) => command.run(system),
            SecretsCommand::Migrate(command) => command.run(system),
            SecretsCommand::Rotate(command) => command.run(system),
            SecretsCommand::Audit(command) => command.run(system),
            SecretsCommand::Export(command) => command.run(system),
            SecretsCommand::Import(command) => command.run(system),
            SecretsCommand::TakeBack(command) => command.run(system),
        }
    }
}
