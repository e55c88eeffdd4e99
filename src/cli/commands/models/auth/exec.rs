//! `models auth exec`.

use std::ffi::OsString;
use std::time::Duration;

use clap::Args;

use super::selector_args::SelectorArgs;
use crate::app::failure::{Failure, Kind};
use crate::app::usecase::exec::{self, Request, To};
use crate::app::usecase::token;
use crate::cli::output::Answer;
use crate::cli::system::{self, System};
use crate::cli::value_parsers::seconds;

/// Run a command with a valid token in its environment
///
/// Replaces this process with the command, so signals, terminal and exit code are those of the
/// command. Other credential variables of the provider are removed from its environment. Where
/// OPENCLAW_LEASE_URL names a gateway, the token is leased from there.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth exec --provider anthropic -- ./agent --once
  openclaw models auth exec --profile anthropic:work --env CLAUDE_CODE_OAUTH_TOKEN -- claude
  openclaw models auth exec --provider openai --fd 3 --min-valid 30m -- sh -c 'login <&3'
  openclaw models auth exec --provider openai --only -- ./agent

Without a token, the command is not run. Exits with 3 if a login is needed, 4 if the problem is
temporary, 5 for a storage error, 6 if busy, 126 if the command cannot be run, and 127 if it is not
found.")]
pub struct Exec {
    #[command(flatten)]
    selector: SelectorArgs,
    /// Environment variable for the token [default: the provider's usual one]
    #[arg(long, value_name = "NAME", value_parser = variable)]
    env: Option<String>,
    /// Pass the token on file descriptor N, or on a free one named by OPENCLAW_TOKEN_FD
    #[arg(
        long,
        value_name = "N",
        num_args = 0..=1,
        conflicts_with = "env",
        value_parser = clap::value_parser!(u16).range(3..)
    )]
    fd: Option<Option<u16>>,
    /// Keep this variable; can be repeated
    #[arg(long, value_name = "NAME", value_parser = variable)]
    keep: Vec<String>,
    /// Remove the credential variables of all other providers, too
    #[arg(long)]
    only: bool,
    /// Refresh unless the token is valid for at least this long (default unit: seconds)
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    min_valid: Option<Duration>,
    /// Command and arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Exec {
    /// Runs it; there is no way back from success.
    pub fn run(&self, system: &System) -> Answer {
        let (program, args) = self
            .command
            .split_first()
            .ok_or_else(|| Failure::new(Kind::Usage, "no program is named"))?;
        let request = Request {
            token: token::Request {
                agent: system.agent.clone(),
                want: self.selector.selector(system)?,
                min_valid: self.min_valid,
            },
            to: match (&self.env, self.fd) {
                (Some(name), _) => To::Variable(name.clone()),
                (None, Some(number)) => To::Descriptor(number),
                (None, None) => To::Usual,
            },
            keep: self.keep.clone(),
            only: self.only,
            program: program.clone(),
            args: args.to_vec(),
        };
        let cx = system.context();
        let ready = exec::prepare(cx, &system::exec(), &request)?;
        if let Some(warning) = &ready.warning {
            cx.warn(warning.clone());
        }
        if let Some(short) = &ready.falls_short {
            cx.warn(short.as_str());
        }
        if ready.shows_token {
            cx.warn(
                "an argument of the program holds the token, and every user of this machine can \
                 read arguments; leave it out: the program finds the token in its environment, or \
                 with --fd on a descriptor",
            );
        }
        // Nothing of ours is done once the program runs.
        system.tell_alerts();
        match exec::start(cx, &system::exec(), &ready)? {}
    }
}

/// The name of a variable (POSIX, base definitions 8.1, with the lower case that it allows).
fn variable(name: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    match name.chars().next() {
        Some(first) if !first.is_ascii_digit() && name.chars().all(plain) => Ok(name.to_owned()),
        _ => Err(
            "a name consists of letters, digits and `_`, and does not start with a digit"
                .to_owned(),
        ),
    }
}
