//! `gateway run`.

use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use serde_json::json;
use url::Url;

use super::database_args::TenantArgs;
use crate::app::access::gateway_token;
use crate::app::database::ready;
use crate::app::failure::Failure;
use crate::cli::output::Output;
use crate::cli::system::System;
use crate::cli::system::engine::SystemEngine;
use crate::gateway;
use crate::gateway::Ready;
use crate::gateway::options::Options;
use crate::model::access::{Network, parse_network};

/// Run the gateway until it is stopped
///
/// Serves the page and the API, and refreshes what is due. Everything lies in the files of the state
/// directory, which every other command of this program may use meanwhile; or, if a database is named,
/// in PostgreSQL, which several gateways may share. The key of the database is read from the file that
/// GOCLAW_ENCRYPTION_KEY_FILE names, or from GOCLAW_ENCRYPTION_KEY.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw gateway run
  openclaw gateway run --public-url https://logins.example.com
  openclaw gateway run --database-url-file /etc/openclaw/database-url --migrate
  openclaw gateway run --listen 0.0.0.0:3577 --public-url https://x.example --token-file x.token")]
pub(in crate::cli::commands) struct Run {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:3577")]
    listen: SocketAddr,
    /// The URL that browsers and clients use, if it is another one
    #[arg(long, value_name = "URL")]
    public_url: Option<Url>,
    /// File with the token of whoever may do everything [default: GOCLAW_GATEWAY_TOKEN,
    /// GOCLAW_TOKEN, or their _FILE; else one is made in the state directory]
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Network of a reverse proxy that is believed where requests come from (X-Forwarded-For); can be
    /// given several times
    #[arg(long = "trusted-proxy", value_name = "NETWORK", value_parser = parse_network)]
    trusted_proxies: Vec<Network>,
    #[command(flatten)]
    pub(in crate::cli::commands) database: TenantArgs,
    /// Bring the tables of the database up to date first
    #[arg(long)]
    migrate: bool,
    /// Tell where it listens as JSON
    #[arg(long)]
    json: bool,
}

impl Run {
    /// Serves until a signal asks to stop; the exit code.
    ///
    /// # Errors
    /// As [`gateway::run`].
    pub(in crate::cli::commands) fn run(&self, engine: &Arc<SystemEngine>) -> Result<u8, Failure> {
        let system = engine.system();
        self.prepare(&system)?;
        let is_loopback = self.listen.ip().is_loopback();
        let found = gateway_token::find(system.context(), self.token_file.as_deref(), is_loopback)?;
        tracing::info!(target: "openclaw::gateway", "the gateway's own token is that of {}", found.source);
        let options = Options {
            listen: self.listen,
            public_url: self.public_url.clone(),
            token: found.token,
            trusted_proxies: self.trusted_proxies.clone(),
        };
        let printer = Arc::clone(&system.printer);
        gateway::run(options, &engine.ports(), |ready| {
            let told = match self.json {
                true => Output::verbatim(json!({ "url": ready.url }).to_string()),
                false => Output::line(told(ready)),
            };
            told.print(&printer).map(|_| ())
        })?;
        Ok(0)
    }

    fn prepare(&self, system: &System) -> Result<(), Failure> {
        match system.opened() {
            Some(opened) => ready::prepare(&*opened.database, self.migrate),
            None if self.migrate => system.required_database().map(|_| ()),
            None => Ok(()),
        }
    }
}

/// Where it listens, and how to sign in. The link is for a person who sits there: what is not a terminal
/// may be a log, which others read.
fn told(ready: &Ready) -> String {
    let listening = format!("Listening on {}", ready.url);
    let link = ready.link.as_ref();
    match link.filter(|_| io::stdout().is_terminal()) {
        Some(link) => {
            let link = link.expose();
            format!("{listening}\nSign in with this link (once, within a minute):\n  {link}")
        }
        None => listening,
    }
}
