//! The options with which a gateway is reached.

use std::path::PathBuf;

use clap::Args;

use crate::app::gateway::Options;

/// Options with which a gateway is reached.
#[derive(Debug, Args)]
pub(in crate::cli::commands) struct GatewayArgs {
    /// URL of the gateway [default: $GOCLAW_GATEWAY_URL, or http://127.0.0.1:3577]
    #[arg(long, value_name = "URL")]
    gateway_url: Option<String>,
    /// File that holds the token of the gateway [default: $GOCLAW_TOKEN_FILE, or $GOCLAW_TOKEN]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Send the token to another machine without TLS
    #[arg(long)]
    insecure_http: bool,
}

impl GatewayArgs {
    /// For the use case.
    pub(in crate::cli::commands) fn options(&self) -> Options {
        Options {
            url: self.gateway_url.clone(),
            token_file: self.token_file.clone(),
            insecure_http: self.insecure_http,
        }
    }
}
