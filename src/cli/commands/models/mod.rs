//! `models`: credentials and what is known of them. Without a further word it is `models status`.

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
use crate::cli::deferred::Deferred;
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

// Where a command is described at once, a comment on its variant would take the place of its long
// help.
#[derive(Debug, Subcommand)]
enum ModelsCommand {
    Auth(auth::Auth),
    Status(status::Status),
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
        matches!(&self.command, Some(ModelsCommand::Auth(auth)) if auth.wants_events())
    }

    /// Whether the command takes no lock and writes nothing, whatever lies around.
    pub fn only_looks(&self) -> bool {
        matches!(&self.command, Some(ModelsCommand::Auth(auth)) if auth.only_looks())
    }

    /// Whether it is for a shell prompt, which is shown whatever is wrong.
    pub fn prompt(&self) -> Option<&status::Status> {
        let status = match &self.command {
            Some(ModelsCommand::Status(status)) => status,
            Some(_) => return None,
            None => &self.status,
        };
        status.is_prompt().then_some(status)
    }

    /// Runs it.
    ///
    /// # Errors
    /// What the command failed with.
    pub fn run(&self, system: &System, printer: &Arc<Printer>) -> Result<u8, Failure> {
        match &self.command {
            Some(ModelsCommand::Auth(auth)) => auth.run(system, printer),
            Some(ModelsCommand::Status(status)) => status.run(system, printer),
            Some(ModelsCommand::List(command)) => command.run(system, printer),
            Some(ModelsCommand::Set(command)) => command.run(system, printer),
            Some(ModelsCommand::SetImage(command)) => command.run(system, printer),
            Some(ModelsCommand::Aliases(command)) => command.run(system, printer),
            Some(ModelsCommand::Fallbacks(command)) => command.run(system, printer),
            Some(ModelsCommand::ImageFallbacks(command)) => command.run(system, printer),
            None => self.status.run(system, printer),
        }
    }
}
