//! `gateway link`.

use clap::Args;
use serde_json::json;

use crate::app::gateway::link;
use crate::cli::commands::auth::gateway_args::GatewayArgs;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;

/// Print a link that signs your browser in to the page of a running gateway
///
/// It works once, and within a minute. Whoever has it may do what you may.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw gateway link
  openclaw gateway link --gateway-url https://gateway.example --token-file token.txt")]
pub(in crate::cli::commands) struct Link {
    /// Output as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    gateway: GatewayArgs,
}

impl Link {
    /// Asks for it.
    pub(super) fn run(&self, system: &System) -> Answer {
        let link = link::run(system.context(), &self.gateway.options())?;
        let (url, expires_in) = (link.url.expose(), link.expires_in);
        Ok(match self.json {
            true => Output::json(&json!({ "url": url, "expires_in": expires_in })),
            false => Output::line(url.clone()),
        })
    }
}
