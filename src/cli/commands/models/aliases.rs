//! `models aliases`.

use clap::{Args, Subcommand};

use super::defaults::{changed, for_all};
use super::list::Form;
use crate::app::credential::model_ref;
use crate::app::models::aliases;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::cli::view;
use crate::model::reference;

/// Manage model aliases
#[derive(Debug, Args)]
pub struct Aliases {
    #[command(subcommand)]
    command: AliasesCommand,
}

#[derive(Debug, Subcommand)]
enum AliasesCommand {
    /// List aliases
    #[command(after_help = "Examples:
  openclaw models aliases list
  openclaw models aliases list --json")]
    List(Form),
    /// Add an alias, replacing the one the model has
    #[command(after_help = "Examples:
  openclaw models aliases add opus anthropic/claude-opus-4-6")]
    Add {
        /// Alias
        alias: String,
        /// Model, as provider/model or alias
        model: String,
    },
    /// Remove an alias
    #[command(after_help = "Examples:
  openclaw models aliases remove opus")]
    Remove {
        /// Alias
        alias: String,
    },
}

impl Aliases {
    /// Does what is asked.
    pub fn run(&self, system: &System) -> Answer {
        let cx = system.context();
        let outcome = match &self.command {
            AliasesCommand::List(form) => {
                let aliases = reference::aliases(&model_ref::configured(cx));
                return Ok(match form.json {
                    true => Output::json(&view::models::aliases_document(&aliases)),
                    false => Output::text(view::models::aliases_text(&aliases, form.plain)),
                });
            }
            AliasesCommand::Add { alias, model } => {
                for_all(system)?;
                aliases::add(cx, alias, model)?
            }
            AliasesCommand::Remove { alias } => {
                for_all(system)?;
                aliases::remove(cx, alias)?
            }
        };
        let alias = &outcome.alias;
        let line = match &outcome.target {
            Some(target) => format!("Alias {alias} -> {}", target.reference),
            None => format!("Alias {alias} removed"),
        };
        Ok(changed(
            outcome.target.as_ref(),
            Some(&outcome.config_path),
            &line,
        ))
    }
}
