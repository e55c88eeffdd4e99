//! `secrets resolve`.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _};

use clap::Args;

use crate::app::failure::{Failure, Kind};
use crate::app::secrets::resolve;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::model::secret_exchange::{SecretError, SecretResponse, VERSION};

/// Answer a request for secrets from OpenClaw (exec protocol 1)
///
/// Reads one JSON request from standard input and prints one JSON response. The ids are
/// AGENT/PROFILE for the key or token of a profile, and secret/NAME for a named secret. Never gives
/// out a refresh token, nor an access token that has expired; refreshes nothing and asks nobody. An
/// id that has no secret is in `errors`, and the exit code is 0.
#[derive(Debug, Args)]
#[command(after_help = r#"Examples:
  echo '{"protocolVersion":1,"provider":"vault","ids":["main/openai:default"]}' | openclaw secrets resolve

See docs/secrets.md for the block of openclaw.json that lets OpenClaw run it."#)]
pub struct Resolve;

impl Resolve {
    /// Answers.
    pub fn run(&self, system: &System) -> Answer {
        if io::stdin().is_terminal() {
            let message = "this command is for programs: it reads a request from standard input";
            return Err(Failure::new(Kind::Usage, message));
        }
        let resolved = resolve::run(system.context())?;
        let mut values = BTreeMap::new();
        let mut errors = BTreeMap::new();
        for one in &resolved {
            match &one.value {
                Ok(secret) => {
                    values.insert(one.id.clone(), secret.expose().as_str());
                }
                Err((code, message)) => {
                    let error = SecretError {
                        code: Some(code.as_ref().to_owned()),
                        message: Some(message.clone()),
                    };
                    errors.insert(one.id.clone(), error);
                }
            }
        }
        Ok(Output::json(&SecretResponse {
            version: VERSION,
            values,
            errors,
        }))
    }
}
