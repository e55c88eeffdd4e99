//! `agents delete`.

use clap::Args;
use serde_json::json;

use crate::app::agents::registry;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;

/// Delete an agent and move its files to the trash
///
/// The credentials and sessions of the agent are moved to the trash in the state directory. The
/// workspace is kept.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw agents delete work
  openclaw agents delete work --force --json")]
pub struct Delete {
    /// Agent to delete
    id: String,
    /// Skip the confirmation prompt
    #[arg(long)]
    force: bool,
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

impl Delete {
    /// Deletes it.
    pub fn run(&self, system: &System) -> Answer {
        let deleted = registry::delete(system.context(), &self.id, self.force)?;
        let output = match self.json {
            true => Output::json(&json!({
                "agentId": deleted.id.as_str(),
                "workspace": deleted.workspace,
                "agentDir": deleted.agent_dir,
                "sessionsDir": deleted.sessions_dir,
                "removedBindings": deleted.removed_bindings,
                "removedAllow": deleted.removed_allow,
                "movedTo": deleted.moved.iter().map(|(_, to)| to).collect::<Vec<_>>(),
            })),
            false => {
                let moved = deleted.moved.iter();
                let moved: String = moved
                    .map(|(from, to)| format!("Moved {} to {}\n", from.display(), to.display()))
                    .collect();
                Output::text(format!(
                    "Deleted agent: {}\n{moved}Workspace kept: {}\n",
                    deleted.id,
                    deleted.workspace.display()
                ))
            }
        };
        Ok(output.changed(!deleted.moved.is_empty()))
    }
}
