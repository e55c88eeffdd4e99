//! `models`: credentials, what is known of them, and which models are configured.

pub mod aliases;
pub mod auth;
pub mod defaults;
pub mod list;
pub mod probe_flags;
pub mod status;
mod watch;

use clap::{Args, Subcommand};

use crate::cli::lazy_args::Deferred;
use crate::cli::output::Answer;
use crate::cli::system::System;
use crate::config::edit::Role;

/// Manage model providers: credentials, status and default models
///
/// Without a subcommand, runs `models status`.
#[derive(Debug, Args)]
pub struct Models {
    #[command(subcommand)]
    command: ModelsCommand,
}

#[derive(Debug, Subcommand)]
enum ModelsCommand {
    /// Manage credentials: log in, list, refresh, use and remove them
    Auth(Deferred<auth::Auth>),
    /// Show the status of models and credentials
    Status(Deferred<status::Status>),
    /// List configured models and whether they have credentials
    List(Deferred<list::List>),
    /// Set the default model
    ///
    /// Updates `agents.defaults` in openclaw.json, for every agent without a model of its own.
    /// Fallbacks are kept.
    #[command(after_help = "Examples:
  openclaw models set anthropic/claude-opus-4-6
  openclaw models set opus")]
    Set(Deferred<defaults::Model>),
    /// Set the default image model
    ///
    /// Updates `agents.defaults` in openclaw.json. Fallbacks are kept.
    #[command(after_help = "Examples:
  openclaw models set-image google/gemini-3-pro-preview")]
    SetImage(Deferred<defaults::Model>),
    /// Manage model aliases
    Aliases(Deferred<aliases::Aliases>),
    /// Manage fallbacks of the default model
    Fallbacks(Deferred<defaults::Fallbacks>),
    /// Manage fallbacks of the image model
    ImageFallbacks(Deferred<defaults::Fallbacks>),
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

    /// Whether it is about credentials of this machine.
    pub fn needs_store(&self) -> bool {
        match &self.command {
            ModelsCommand::Auth(auth) => auth.needs_store(),
            ModelsCommand::Status(status) => !status.is_prompt(),
            _ => true,
        }
    }

    /// Runs it.
    pub fn run(&self, system: &System) -> Answer {
        match &self.command {
            ModelsCommand::Auth(auth) => auth.run(system),
            ModelsCommand::Status(status) => status.run(system),
            ModelsCommand::List(command) => command.run(system),
            ModelsCommand::Set(model) => defaults::set(system, Role::Model, model),
            ModelsCommand::SetImage(model) => defaults::set(system, Role::Image, model),
            ModelsCommand::Aliases(command) => command.run(system),
            ModelsCommand::Fallbacks(command) => command.run(system, Role::Model),
            ModelsCommand::ImageFallbacks(command) => command.run(system, Role::Image),
        }
    }
}
