//! `models auth token`.

use std::time::Duration;

use clap::Args;

use super::selector_args::SelectorArgs;
use crate::app::refresh::outcome::RefreshResult;
use crate::app::usecase::token;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::cli::value_parsers::seconds;
use crate::cli::view;

/// Print a valid access token, refreshing it first if needed
///
/// Prints nothing else to standard output. If several processes need a refresh at once, only one of
/// them performs it. Where OPENCLAW_LEASE_URL names a gateway, the token is leased from there.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  TOKEN=$(openclaw models auth token --provider openai-codex) || exit
  openclaw models auth token --profile openai-codex:work --min-valid 30m --json
  openclaw models auth token --provider openai-codex --header | curl -H @- https://…

Without a token, exits with 3 if a login is needed, 4 if the problem is temporary, 5 for a storage
error, and 6 if busy.")]
pub struct Token {
    #[command(flatten)]
    selector: SelectorArgs,
    /// Refresh unless the token is valid for at least this long (default unit: seconds)
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    min_valid: Option<Duration>,
    /// Fail with exit code 4 if the token is not valid for as long as --min-valid
    #[arg(long, requires = "min_valid")]
    strict: bool,
    /// Output the token, profile and expiry as JSON
    #[arg(long, conflicts_with = "header")]
    json: bool,
    /// Output an Authorization header, for curl -H @- (every user of the machine can read arguments)
    #[arg(long)]
    header: bool,
}

impl Token {
    /// Prints it.
    pub fn run(&self, system: &System) -> Answer {
        let outcome = token::run(
            system.context(),
            &token::Request {
                agent: system.agent.clone(),
                want: self.selector.selector(system)?,
                min_valid: self.min_valid,
            },
        )?;
        if let Some(warning) = &outcome.warning {
            system.context().warn(warning.clone());
        }
        let now = system.now();
        let mut short = self
            .min_valid
            .and_then(|least| outcome.falls_short(least, now));
        if let Some(failure) = &short
            && !self.strict
        {
            system.context().warn(failure.message.as_str());
        }
        if let Some(failure) = short.take_if(|_| self.strict) {
            return Err(failure);
        }
        let output = if self.json {
            let mut document = view::token_json::document(&outcome, now, &system.hints);
            if self.min_valid.is_some() {
                let is_known = outcome.expires.is_some();
                document["minValidMet"] = is_known.then_some(short.is_none()).into();
            }
            Output::json(&document)
        } else if self.header {
            let token = outcome.bearer.expose();
            Output::verbatim(format!("Authorization: Bearer {token}"))
        } else {
            Output::verbatim(outcome.bearer.expose())
        };
        Ok(output.changed(outcome.how == RefreshResult::Refreshed))
    }
}
