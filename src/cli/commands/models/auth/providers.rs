//! `models auth providers`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::app::credential::provider_name::Purpose;
use crate::app::usecase::providers;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::cli::view;
use crate::model::named::ProviderName;

/// List providers or validate a provider manifest
///
/// Shows the login methods of each provider, preferred first, and its environment variables.
/// Providers are defined by manifests; add your own to providers/ in the state directory.
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
    /// Show all details of one provider
    #[arg(long, value_name = "ID", value_parser = ProviderName::parse)]
    provider: Option<ProviderName>,
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

// A comment on a variant would take the place of the long help of its command.
#[derive(Debug, Subcommand)]
enum ProvidersCommand {
    Check(Check),
}

/// Validate a provider manifest
///
/// Shows the resulting provider, or errors with line and column. Nothing is stored or sent. Exits
/// with 1 if the manifest is invalid, and with 0 if there are only warnings.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth providers check acme.toml")]
struct Check {
    /// Manifest file
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Providers {
    /// Lists them, or checks one.
    pub fn run(&self, system: &System) -> Answer {
        if let Some(ProvidersCommand::Check(check)) = &self.command {
            let checked = providers::check(system.context(), &check.file)?;
            let text = view::providers::checked(&checked);
            return Ok(Output::text(text).warnings(checked.warnings));
        }
        let cx = system.context();
        let named = |name| cx.known_provider(&system.agent, name, Purpose::Any);
        let provider = self.provider.as_ref().map(named).transpose()?;
        let outcome = providers::run(cx, provider.as_ref())?;
        if self.json {
            return Ok(Output::json(&view::providers::document(&outcome)));
        }
        let text = match (&self.provider, outcome.rows.first()) {
            (Some(_), Some(row)) => view::providers::details(row),
            _ => view::providers::text(&outcome, &system.hints),
        };
        Ok(Output::text(text).warnings(outcome.faults))
    }
}
