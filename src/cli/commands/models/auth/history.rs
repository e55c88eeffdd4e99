//! `models auth history`.

use clap::Args;

use crate::app::usecase::history;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::cli::view;
use crate::model::named::ProfileName;

/// Show previous versions of a profile
///
/// Shows when and why each version was replaced and whether `models auth undo` can restore it.
/// Secrets are never shown. The last 5 versions of each profile are kept next to the store; set
/// OPENCLAW_AUTH_HISTORY in the environment or in .env of the state directory to change that (0
/// keeps none).
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth history
  openclaw models auth history openai-codex:work --json
  openclaw models auth history openai-codex:work --clear")]
pub struct History {
    /// Profile [default: all profiles with a history]
    #[arg(value_name = "PROFILE", value_parser = ProfileName::parse)]
    profile: Option<ProfileName>,
    /// Output as JSON
    #[arg(long)]
    json: bool,
    /// Delete the history; previous versions can no longer be restored
    #[arg(long, conflicts_with = "json")]
    clear: bool,
    /// Skip the confirmation prompt
    #[arg(long, requires = "clear")]
    yes: bool,
}

impl History {
    /// Shows it, or forgets it.
    pub fn run(&self, system: &System) -> Answer {
        let (cx, agent) = (system.context(), &system.agent);
        let named = |name| cx.profile_id(agent, name);
        let profile = self.profile.as_ref().map(named).transpose()?;
        let profile = profile.as_ref();
        if self.clear {
            let count = history::clear(cx, agent, profile, self.yes)?;
            let plural = if count == 1 { "" } else { "s" };
            return Ok(Output::line(format!("Deleted {count} generation{plural}")));
        }
        let outcome = history::run(cx, agent, profile)?;
        if self.json {
            return Ok(Output::json(&view::history::document(agent, &outcome)));
        }
        let text = view::history::text(agent, &outcome, system.local(), &system.hints);
        Ok(Output::text(text).warnings(outcome.faults))
    }
}
