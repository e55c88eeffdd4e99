//! `models auth explain`.

use clap::Args;

use super::selector_args::SelectorArgs;
use crate::app::explain;
use crate::app::failure::Failure;
use crate::cli::output::Output;
use crate::cli::system::System;
use crate::cli::view;

/// Say which credential would be used, and why
///
/// Every candidate in order: profiles, variables, the configuration; each with its account, its
/// file, whose bill it runs up, and why it is used, waits, or is passed over. What is used is what
/// `models auth token` prints. Shows no secret, asks nobody, takes no lock and writes nothing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth explain
  openclaw models auth explain --provider anthropic
  openclaw models auth explain --model opus@anthropic:work
  openclaw models auth explain --provider anthropic --json | jq '.providers[0].used'

Without a flag: every provider that has anything, the default model's first. The exit code is 0
also if nothing would be used; `models auth token` says so by its own.")]
pub struct Explain {
    #[command(flatten)]
    selector: SelectorArgs,
    /// Print it as one JSON document
    #[arg(long)]
    json: bool,
}

impl Explain {
    /// Explains.
    ///
    /// # Errors
    /// What the use case says.
    pub fn run(&self, system: &System) -> Result<Output, Failure> {
        let request = explain::Request {
            agent: system.agent().clone(),
            agent_named: system.agent_named(),
            want: self.selector.selector(),
        };
        let report = explain::run(system.context(), &request)?;
        if self.json {
            return Ok(Output::json(&view::explain_json::document(
                &report,
                system.hints(),
            )));
        }
        let now = system.now();
        Ok(Output::text(view::explain::render(
            &report,
            now,
            system.hints(),
        )))
    }
}
