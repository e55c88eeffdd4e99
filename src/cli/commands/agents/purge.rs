//! `agents purge`.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use crate::app::agents::trash::{self, Trashed};
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::model::time::parse_duration;

/// Delete the files of agents in the trash for ever
///
/// `agents delete` moves the files of an agent, credentials included, to the trash in the state
/// directory.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw agents purge --dry-run
  openclaw agents purge --older-than 0d --yes")]
pub struct Purge {
    /// Least time since the agent was deleted
    #[arg(long, value_name = "DURATION", default_value = "30d", value_parser = age)]
    older_than: Duration,
    /// Skip the confirmation prompt
    #[arg(long)]
    yes: bool,
    /// Show what would be deleted without deleting it
    #[arg(long)]
    dry_run: bool,
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

fn age(text: &str) -> Result<Duration, String> {
    parse_duration(text, "d")
}

impl Purge {
    /// Purges.
    pub fn run(&self, system: &System) -> Answer {
        let purged = trash::purge(system.context(), self.older_than, self.yes, self.dry_run)?;
        let output = match self.json {
            true => Output::json(&json!({
                "dryRun": self.dry_run,
                "purged": purged.iter().map(|trashed| &trashed.path).collect::<Vec<_>>(),
            })),
            false if purged.is_empty() => {
                let younger = trash::list(system.context(), Duration::ZERO)?.len();
                Output::text(match younger {
                    0 => "The trash is empty.\n".to_owned(),
                    1 => "Nothing to delete: one agent was deleted more recently.\n".to_owned(),
                    count => {
                        format!("Nothing to delete: {count} agents were deleted more recently.\n")
                    }
                })
            }
            false => Output::text(self.text(&purged)),
        };
        Ok(output.changed(!self.dry_run && !purged.is_empty()))
    }

    fn text(&self, purged: &[Trashed]) -> String {
        let verb = if self.dry_run {
            "Would delete"
        } else {
            "Deleted"
        };
        let lines = purged.iter().map(|trashed| {
            let path = trashed.path.display();
            format!("{verb}: {path}\n")
        });
        lines.collect()
    }
}
