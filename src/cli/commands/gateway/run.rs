//! `gateway run`.

use std::net::SocketAddr;
use std::sync::Arc;

use clap::Args;
use serde_json::json;
use url::Url;

use crate::app::failure::{Failure, Kind};
use crate::cli::output::Output;
use crate::cli::system::engine::SystemEngine;
use crate::gateway;
use crate::gateway::options::Options;
use crate::model::secret::Secret;

/// Run the gateway until it is stopped
///
/// Serves the page, the API and the refresh of what is due. Without a database it keeps everything in
/// the files of the state directory, beside every other command of this program.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw gateway run
  openclaw gateway run --listen 0.0.0.0:3577 --public-url https://logins.example.com")]
pub(super) struct Run {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:3577")]
    listen: SocketAddr,
    /// The URL that browsers and clients use, if it is another one
    #[arg(long, value_name = "URL")]
    public_url: Option<Url>,
    /// Tell where it listens as JSON
    #[arg(long)]
    json: bool,
}

impl Run {
    /// Serves until a signal asks to stop; the exit code.
    ///
    /// # Errors
    /// As [`gateway::run`].
    pub(super) fn run(&self, engine: &Arc<SystemEngine>) -> Result<u8, Failure> {
        let options = Options {
            listen: self.listen,
            public_url: self.public_url.clone(),
            token: token(engine)?,
        };
        let printer = Arc::clone(&engine.system().printer);
        gateway::run(options, &engine.ports(), |ready| {
            let told = match self.json {
                true => Output::verbatim(json!({ "url": ready.url }).to_string()),
                false => Output::line(format!("Listening on {}", ready.url)),
            };
            told.print(&printer).map(|_| ())
        })?;
        Ok(0)
    }
}

/// The bearer that may do everything.
fn token(engine: &SystemEngine) -> Result<Secret<String>, Failure> {
    let system = engine.system();
    let env = system.context().env;
    let token = ["GOCLAW_GATEWAY_TOKEN", "GOCLAW_TOKEN"].into_iter();
    let token = token.filter_map(|name| env.var(name)).next();
    token.ok_or_else(|| {
        let message = "the gateway has no token";
        Failure::new(Kind::Usage, message).hint("export GOCLAW_GATEWAY_TOKEN")
    })
}
