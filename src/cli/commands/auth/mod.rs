//! `auth`: the logins that a gateway keeps.

pub(super) mod gateway_args;
pub mod logout;
pub mod status;

use clap::{Args, Subcommand};

use crate::cli::output::Answer;
use crate::cli::system::System;

/// Check and remove the logins that a running gateway keeps
///
/// The gateway is found at GOCLAW_GATEWAY_URL, else at GOCLAW_HOST (127.0.0.1) and GOCLAW_PORT
/// (3577). GOCLAW_TOKEN, or the file that GOCLAW_TOKEN_FILE names, holds its token; that of your own
/// gateway on this machine is found without. For the logins of this machine see `models auth`.
#[derive(Debug, Args)]
pub struct Auth {
    #[command(subcommand)]
    command: AuthCommand,
}

// A comment on a variant would take the place of the long help of its command.
#[derive(Debug, Subcommand)]
enum AuthCommand {
    Status(status::Status),
    Logout(logout::Logout),
}

impl Auth {
    /// Runs it.
    pub fn run(&self, system: &System) -> Answer {
        match &self.command {
            AuthCommand::Status(command) => command.run(system),
            AuthCommand::Logout(command) => command.run(system),
        }
    }
}
