//! `provider <id>`: one provider's token, in the words of the guide that many people follow.

use clap::{Args, Subcommand};

use crate::app::credential::provider_name::Purpose;
use crate::app::failure::{Failure, Kind};
use crate::app::refresh::outcome::RefreshResult;
use crate::app::usecase::refresh;
use crate::app::usecase::token_status;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::cli::view::token_status as view;
use crate::model::named::ProviderName;

/// Show or refresh the token of one provider
#[derive(Debug, Args)]
pub struct Provider {
    /// Provider
    #[arg(value_name = "ID", value_parser = ProviderName::parse)]
    id: ProviderName,
    #[command(subcommand)]
    command: ProviderCommand,
}

#[derive(Debug, Subcommand)]
enum ProviderCommand {
    /// Show when the current token expires and how it is refreshed
    ///
    /// Uses the profile that `models auth token` would use. Reads local files only.
    #[command(after_help = "Examples:
  openclaw provider codex token-status

Exits with 3 if no token can be had without logging in.")]
    TokenStatus,
    /// Refresh the token now, even if it is still valid
    ///
    /// With --verbose, shows the token that was there before.
    #[command(after_help = "Examples:
  openclaw provider codex refresh-token --verbose")]
    RefreshToken,
}

impl Provider {
    /// Runs it.
    pub fn run(&self, system: &System) -> Answer {
        let cx = system.context();
        let request = token_status::Request {
            agent: system.agent.clone(),
            provider: cx.known_provider(&system.agent, &self.id, Purpose::Any)?,
        };
        let report = token_status::run(cx, &request)?;
        Ok(match self.command {
            ProviderCommand::TokenStatus => Output {
                failure: report.failure.clone(),
                ..Output::text(view::status(&report, system.now()))
            },
            ProviderCommand::RefreshToken => {
                let Some(profile) = report.profile.clone() else {
                    let source = &report.source;
                    let message =
                        format!("the token comes from {source}, which is never refreshed");
                    return Err(Failure::new(Kind::Usage, message));
                };
                if system.global.verbose > 0 {
                    let before = view::before_refresh(&report, system.now());
                    system.printer.out(&before)?;
                }
                let mut output = Output::default();
                for report in refresh::run(cx, &request.agent, Some(&profile), true)? {
                    let token = report.result?;
                    output
                        .text
                        .push_str(&view::after_refresh(&token, system.now()));
                    output.changed |= token.how == RefreshResult::Refreshed;
                }
                output
            }
        })
    }
}
