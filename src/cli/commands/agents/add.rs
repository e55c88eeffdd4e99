//! `agents add`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::app::agents::registry;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;

/// Add an agent
///
/// The agent inherits the credentials of the main agent; nothing is copied. Its own credentials are
/// stored in its own directory.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw agents add work
  openclaw agents add work --workspace ~/work --non-interactive --json
  openclaw models auth login --agent work")]
pub struct Add {
    /// Name of the agent; its id is derived from it
    name: String,
    /// Workspace directory [default: ~/.openclaw/workspace-ID]
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// Fail instead of choosing a default workspace
    #[arg(long)]
    non_interactive: bool,
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

impl Add {
    /// Adds it.
    pub fn run(&self, system: &System) -> Answer {
        let added = registry::add(
            system.context(),
            &self.name,
            self.workspace.as_deref(),
            self.non_interactive,
        )?;
        let output = match self.json {
            true => Output::json(&json!({
                "agentId": added.id.as_str(),
                "name": added.name,
                "workspace": added.workspace,
                "agentDir": added.agent_dir,
                "bindings": { "added": [], "skipped": [], "conflicts": [] },
            })),
            false => Output::text(format!(
                "Updated {}\nAgent: {}\nWorkspace: {}\nAgent dir: {}\n\
                 Inherits the profiles of main.\n",
                added.config_path.display(),
                added.id,
                added.workspace.display(),
                added.agent_dir.display(),
            )),
        };
        let renamed = (added.id.as_str() != added.name)
            .then(|| format!("Normalized agent id to \"{}\".", added.id));
        Ok(Output {
            notes: renamed.into_iter().collect(),
            ..output
        })
    }
}
