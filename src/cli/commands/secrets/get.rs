//! `secrets get`.

use std::io::{self, IsTerminal as _};

use clap::Args;

use super::key_args::KeyArgs;
use crate::app::failure::{Failure, Kind};
use crate::app::secrets::{self, get};
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::model::hint::Command;

/// Print the value of a secret
///
/// The bytes are printed as they were stored, with nothing behind them. On a terminal, --reveal is
/// needed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw secrets get CODEX_CLIENT_SECRET | wc -c
  openclaw secrets get CODEX_CLIENT_SECRET --reveal")]
pub struct Get {
    /// Name of the secret
    #[arg(value_name = "NAME")]
    name: String,
    /// Print it on a terminal, too
    #[arg(long)]
    reveal: bool,
    #[command(flatten)]
    key: KeyArgs,
}

impl Get {
    /// Prints it.
    pub fn run(&self, system: &System) -> Answer {
        let name = secrets::parse_name(&self.name)?;
        if io::stdout().is_terminal() && !self.reveal {
            let hint = Command::new("secrets get").arg(&name).arg("--reveal");
            let message = "the value would be shown on this terminal";
            return Err(Failure::new(Kind::Usage, message).hint(hint));
        }
        self.key.apply(system)?;
        let value = get::run(system.context(), &name)?;
        let mut output = Output::text(value.expose().as_str());
        output.is_verbatim = true;
        Ok(output)
    }
}
