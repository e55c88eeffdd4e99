//! `auth status`.

use clap::Args;

use super::gateway_args::GatewayArgs;
use crate::app::failure::Kind;
use crate::app::gateway::status::{self, Report};
use crate::cli::exit_code;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::model::named::ProviderName;

/// Show whether a running gateway has a usable login
///
/// Asks the gateway, and refreshes nothing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw auth status
  openclaw auth status anthropic --check
  openclaw auth status --gateway-url https://gateway.example --token-file token.txt

Exits with 3 if the login of the gateway is no longer valid, and with --check also if there is none.")]
pub struct Status {
    /// Provider [default: openai-codex, which `openai` stands for as well]
    #[arg(value_name = "PROVIDER", value_parser = ProviderName::parse)]
    provider: Option<ProviderName>,
    /// Exit with 3 if there is no login
    #[arg(long)]
    check: bool,
    /// Output as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gateway: GatewayArgs,
}

impl Status {
    /// Asks.
    pub fn run(&self, system: &System) -> Answer {
        let (provider, options) = (self.provider.as_ref(), self.gateway.options());
        let report = status::run(system.context(), &system.agent, provider, &options)?;
        let failure = report.failure();
        let output = match (self.json, &failure) {
            (true, _) => Output::json(&report),
            (false, Some(_)) => Output::default(),
            (false, None) => Output::text(text(&report)),
        };
        let output = Output { failure, ..output };
        Ok(match self.check && !report.authenticated {
            true => output.code(exit_code::code(Kind::NeedsLogin)),
            false => output,
        })
    }
}

/// The lines of `goclaw auth status`, on which scripts rely.
fn text(report: &Report) -> String {
    let id = report.provider_name.as_ref().unwrap_or(&report.provider);
    match (report.authenticated, report.is_of_default()) {
        (true, true) => format!(
            "OpenAI OAuth: active (provider: {id})\n\
             Use model prefix '{id}/' in agent config (e.g. {id}/gpt-4o).\n"
        ),
        (true, false) => format!("{}: active (provider: {id})\n", report.name),
        (false, true) => "No OAuth tokens found.\n\
                          Use the web UI to authenticate with ChatGPT OAuth.\n"
            .to_owned(),
        (false, false) => format!(
            "No OAuth tokens found.\nUse the web UI to authenticate with {}.\n",
            report.name
        ),
    }
}
