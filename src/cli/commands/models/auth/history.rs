//! `models auth history`.

use clap::Args;

use crate::app::failure::Failure;
use crate::app::usecase::history;
use crate::cli::output::Output;
use crate::cli::system::System;
use crate::cli::view;
use crate::model::id::ProfileId;

/// Show what profiles held before
///
/// Each generation with when and by what it was replaced, and whether `models auth undo` can bring
/// it back; never with a secret. The last 5 of each profile are kept beside the store, as private
/// as that; OPENCLAW_AUTH_HISTORY in the environment or in the state directory's .env says
/// otherwise, and 0 keeps none.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth history
  openclaw models auth history openai-codex:work --json
  openclaw models auth history openai-codex:work --clear")]
pub struct History {
    /// The profile; without it, every one that has a history
    #[arg(value_name = "PROFILE", value_parser = ProfileId::parse)]
    profile: Option<ProfileId>,
    /// Print it as one JSON document
    #[arg(long)]
    json: bool,
    /// Forget it instead: what was there before can then no longer be brought back
    #[arg(long, conflicts_with = "json")]
    clear: bool,
    /// Do not ask before it is forgotten
    #[arg(long, requires = "clear")]
    yes: bool,
}

impl History {
    /// Shows it, or forgets it.
    ///
    /// # Errors
    /// What the use case says.
    pub fn run(&self, system: &System) -> Result<Output, Failure> {
        let request = history::Request {
            agent: system.agent().clone(),
            profile: self.profile.clone(),
        };
        if self.clear {
            let count = history::clear(system.context(), &request, self.yes)?;
            let plural = if count == 1 { "" } else { "s" };
            return Ok(Output::line(&format!("Forgot {count} generation{plural}")));
        }
        let outcome = history::run(system.context(), &request)?;
        if self.json {
            return Ok(Output::json(&view::history::document(&request, &outcome)));
        }
        let text = view::history::text(&request, &outcome, system.now(), system.hints());
        Ok(Output::text(text).warnings(outcome.faults))
    }
}
