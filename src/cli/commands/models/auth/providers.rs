//! `models auth providers`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::app::failure::Failure;
use crate::app::usecase::providers;
use crate::cli::output::Output;
use crate::cli::system::System;
use crate::cli::view;
use crate::model::id::ProviderId;

/// List the providers, or check the manifest of one
///
/// Each with the ways to log in, the preferred one first, and the variables that may carry a key.
/// A provider is a file: one in the state directory's providers/ adds to the built-in ones.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  openclaw models auth providers
  openclaw models auth providers --provider anthropic
  openclaw models auth providers --json
  openclaw models auth providers check acme.toml"
)]
pub struct Providers {
    #[command(subcommand)]
    command: Option<ProvidersCommand>,
    /// All that is known of one provider
    #[arg(long, value_name = "ID", value_parser = ProviderId::parse)]
    provider: Option<ProviderId>,
    /// Print them as one JSON document
    #[arg(long)]
    json: bool,
}

// A comment on a variant would take the place of the long help of its command.
#[derive(Debug, Subcommand)]
enum ProvidersCommand {
    Check(Check),
}

/// Check a provider's manifest
///
/// Says what it would be, or what is wrong with it by line and column; nothing is stored and
/// nothing is sent. The exit code is 1 if it is faulty, 0 with warnings.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth providers check acme.toml")]
struct Check {
    /// The manifest
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Providers {
    /// Lists them, or checks one.
    ///
    /// # Errors
    /// What the use case says.
    pub fn run(&self, system: &System) -> Result<Output, Failure> {
        if let Some(ProvidersCommand::Check(check)) = &self.command {
            let checked = providers::check(system.context(), &check.file)?;
            let text = view::providers::checked(&checked);
            return Ok(Output::text(text).warnings(checked.warnings));
        }
        let provider = self.provider.clone();
        let outcome = providers::run(system.context(), &providers::Request { provider })?;
        if self.json {
            return Ok(Output::json(&view::providers::document(&outcome)));
        }
        let text = match (&self.provider, outcome.rows.first()) {
            (Some(_), Some(row)) => view::providers::details(row),
            _ => view::providers::text(&outcome, system.hints()),
        };
        Ok(Output::text(text).warnings(outcome.faults))
    }
}
