//! `auth logout`.

use clap::Args;

use super::gateway_args::GatewayArgs;
use crate::app::gateway::logout;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::model::named::ProviderName;

/// Let a running gateway remove its logins of a provider
///
/// The gateway revokes them at the provider first, where it can. Succeeds as well if there is none.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw auth logout
  openclaw auth logout openai
  openclaw auth logout anthropic --json")]
pub struct Logout {
    /// Provider [default: openai-codex, which `openai` stands for as well]
    #[arg(value_name = "PROVIDER", value_parser = ProviderName::parse)]
    provider: Option<ProviderName>,
    /// Output as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gateway: GatewayArgs,
}

impl Logout {
    /// Asks for it.
    pub fn run(&self, system: &System) -> Answer {
        let (provider, options) = (self.provider.as_ref(), self.gateway.options());
        let outcome = logout::run(system.context(), &system.agent, provider, &options)?;
        let unrevoked = (outcome.revoked == Some(false)).then(|| UNREVOKED.to_owned());
        let output = match self.json {
            true => Output::json(&outcome),
            false => Output::line("OAuth tokens removed."),
        };
        Ok(output.warnings(unrevoked).changed(true))
    }
}

const UNREVOKED: &str =
    "the login was not revoked at the provider, where it is valid until it expires";
