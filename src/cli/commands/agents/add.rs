//! `agents add`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::app::agents::registry;
use crate::app::failure::Failure;
use crate::cli::printer::Printer;
use crate::cli::system::System;
use crate::cli::view;

/// Add an agent
///
/// It sees main's credentials at once; nothing is copied. What is stored for it lies in its own
/// directory.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw agents add work
  openclaw agents add work --workspace ~/work --non-interactive --json
  openclaw models auth login --agent work")]
pub struct Add {
    /// Its name; the id is made from it
    name: String,
    /// Its workspace [default: ~/.openclaw/workspace-ID]
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// Fail instead of choosing a workspace
    #[arg(long)]
    non_interactive: bool,
    /// Print the new agent as JSON
    #[arg(long)]
    json: bool,
}

impl Add {
    /// Adds it.
    ///
    /// # Errors
    /// What the use case says.
    pub fn run(&self, system: &System, printer: &Printer) -> Result<u8, Failure> {
        let added = registry::add(
            system.context(),
            &registry::Add {
                name: self.name.clone(),
                workspace: self.workspace.clone(),
                non_interactive: self.non_interactive,
                version: env!("CARGO_PKG_VERSION"),
            },
        )?;
        if added.id.as_str() != added.name {
            printer.line_err(&format!("Normalized agent id to \"{}\".", added.id));
        }
        if self.json {
            let document = json!({
                "agentId": added.id.as_str(),
                "name": added.name,
                "workspace": added.workspace,
                "agentDir": added.agent_dir,
                "bindings": { "added": [], "skipped": [], "conflicts": [] },
            });
            printer.line_out(&view::pretty(&document))?;
        } else {
            printer.line_out(&format!("Updated {}", added.config_path.display()))?;
            printer.line_out(&format!("Agent: {}", added.id))?;
            printer.line_out(&format!("Workspace: {}", added.workspace.display()))?;
            printer.line_out(&format!("Agent dir: {}", added.agent_dir.display()))?;
            printer.line_out("It reads through to the profiles of main.")?;
        }
        Ok(0)
    }
}
