//! `agents delete`.

use std::io;

use clap::Args;
use serde_json::json;

use crate::app::agents::registry;
use crate::app::failure::Failure;
use crate::cli::printer::Printer;
use crate::cli::system::System;
use crate::cli::view;

/// Take an agent out of the configuration and move its files to trash
///
/// Its credentials and sessions are moved to the trash of the state directory under a dated name;
/// its workspace stays where it is.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw agents delete work
  openclaw agents delete work --force --json")]
pub struct Delete {
    /// The agent
    id: String,
    /// Do not ask
    #[arg(long)]
    force: bool,
    /// Print what was done as JSON
    #[arg(long)]
    json: bool,
}

impl Delete {
    /// Deletes it.
    ///
    /// # Errors
    /// What the use case says.
    pub fn run(&self, system: &System, printer: &Printer) -> Result<u8, Failure> {
        let deleted = registry::delete(
            system.context(),
            &registry::Delete {
                id: self.id.clone(),
                force: self.force,
                version: env!("CARGO_PKG_VERSION"),
            },
        )?;
        let written = self.show(&deleted, printer);
        written.map_err(|error| Failure::unwritten(&error, !deleted.moved.is_empty()))?;
        Ok(0)
    }

    fn show(&self, deleted: &registry::Deleted, printer: &Printer) -> io::Result<()> {
        if self.json {
            let document = json!({
                "agentId": deleted.id.as_str(),
                "workspace": deleted.workspace,
                "agentDir": deleted.agent_dir,
                "sessionsDir": deleted.sessions_dir,
                "removedBindings": deleted.removed_bindings,
                "removedAllow": deleted.removed_allow,
                "movedTo": deleted.moved.iter().map(|(_, to)| to).collect::<Vec<_>>(),
            });
            return printer.line_out(&view::pretty(&document));
        }
        printer.line_out(&format!("Deleted agent: {}", deleted.id))?;
        for (from, to) in &deleted.moved {
            printer.line_out(&format!("Moved {} to {}", from.display(), to.display()))?;
        }
        printer.line_out(&format!("Workspace kept: {}", deleted.workspace.display()))
    }
}
