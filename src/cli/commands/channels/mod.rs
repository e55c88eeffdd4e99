//! `channels`: of OpenClaw's channels only what it lists beside them, the logins.

pub mod list;

use clap::{Args, Subcommand};

use crate::cli::output::Answer;
use crate::cli::system::System;

/// List logins in the format of OpenClaw's channels command
#[derive(Debug, Args)]
pub struct Channels {
    #[command(subcommand)]
    command: ChannelsCommand,
}

// A comment on a variant would take the place of the long help of its command.
#[derive(Debug, Subcommand)]
enum ChannelsCommand {
    List(list::List),
}

impl Channels {
    /// Runs it.
    pub fn run(&self, system: &System) -> Answer {
        match &self.command {
            ChannelsCommand::List(command) => command.run(system),
        }
    }
}
