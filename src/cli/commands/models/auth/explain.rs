//! `models auth explain`.

use std::mem::ManuallyDrop;

use clap::Args;

use super::selector_args::SelectorArgs;
use crate::app::explain;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::cli::view;

/// Explain which credential is used and why
///
/// Lists all candidates in order (profiles, environment variables, configuration) with account,
/// file, billing, and the reason each one is used or skipped. The credential used is the one
/// `models auth token` prints. Read-only: no network, no locks, no writes, no secrets in the
/// output.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth explain
  openclaw models auth explain --provider anthropic
  openclaw models auth explain --model opus@anthropic:work
  openclaw models auth explain --provider anthropic --json | jq '.providers[0].used'

Without options, explains every provider with credentials, starting with that of the default model.
Exits with 0 even if no credential is usable; use `models auth token` to test for that.")]
pub struct Explain {
    #[command(flatten)]
    selector: SelectorArgs,
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

impl Explain {
    /// Explains.
    pub fn run(&self, system: &System) -> Answer {
        let want = self.selector.selector(system)?;
        // It holds no secret, and the process ends: to take apart a large one would cost a tenth.
        let report = ManuallyDrop::new(explain::run(system.context(), &system.agent, &want)?);
        let hints = &system.hints;
        Ok(match self.json {
            true => Output::json(&view::explain_json::document(&report, hints)),
            false => Output::text(view::explain::render(&report, system.now(), hints)),
        })
    }
}
