//! `models`: credentials, what is known of them, and which models are configured.

pub mod aliases;
pub mod auth;
pub mod defaults;
pub mod list;
pub mod probe_flags;
pub mod status;
mod watch;

use std::sync::Arc;

use clap::{Args, Subcommand};

use crate::app::failure::Failure;
use crate::cli::lazy_args::Deferred;
use crate::cli::printer::Printer;
use crate::cli::system::System;

/// Credentials of model providers: log in, hand out, show
///
/// Without a further word it is `models status`, with the options of that.
#[derive(Debug, Args)]
pub struct Models {
    #[command(subcommand)]
    command: ModelsCommand,
}

#[derive(Debug, Subcommand)]
enum ModelsCommand {
    /// Log in, paste, hand out, list, refresh and forget credentials
    Auth(Deferred<auth::Auth>),
    /// What is there, until when, and what needs doing
    Status(Deferred<status::Status>),
    /// List the configured models, and whether each has a login
    List(Deferred<list::List>),
    /// Set the default model
    Set(Deferred<defaults::Set>),
    /// Set the model that looks at images
    SetImage(Deferred<defaults::SetImage>),
    /// List and change short names of models
    Aliases(Deferred<aliases::Aliases>),
    /// List and change the models that are tried when the default one fails
    Fallbacks(Deferred<defaults::Fallbacks>),
    /// List and change the models that are tried when the image model fails
    ImageFallbacks(Deferred<defaults::ImageFallbacks>),
}

impl Models {
    /// Whether the command reports what happens as JSON lines.
    pub fn wants_events(&self) -> bool {
        matches!(&self.command, ModelsCommand::Auth(auth) if auth.wants_events())
    }

    /// Whether the command takes no lock and writes nothing, whatever lies around.
    pub fn only_looks(&self) -> bool {
        matches!(&self.command, ModelsCommand::Auth(auth) if auth.only_looks())
    }

    /// Whether it is for a shell prompt, which is shown whatever is wrong.
    pub fn prompt(&self) -> Option<&status::Status> {
        match &self.command {
            ModelsCommand::Status(status) => status.is_prompt().then_some(status),
            _ => None,
        }
    }

    /// Runs it.
    ///
    /// # Errors
    /// What the command failed with.
    pub fn run(&self, system: &System, printer: &Arc<Printer>) -> Result<u8, Failure> {
        match &self.command {
            ModelsCommand::Auth(auth) => auth.run(system, printer),
            ModelsCommand::Status(status) => status.run(system, printer),
            ModelsCommand::List(command) => command.run(system, printer),
            ModelsCommand::Set(command) => command.run(system, printer),
            ModelsCommand::SetImage(command) => command.run(system, printer),
            ModelsCommand::Aliases(command) => command.run(system, printer),
            ModelsCommand::Fallbacks(command) => command.run(system, printer),
            ModelsCommand::ImageFallbacks(command) => command.run(system, printer),
        }
    }
}
