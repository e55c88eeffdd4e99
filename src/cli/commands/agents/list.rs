//! `agents list`.

use clap::Args;
use serde_json::json;

use crate::app::agents::registry;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::cli::view::present;
use crate::cli::view::wrap::Sheet;
use crate::model::text::printable_prose;

/// List agents
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw agents list
  openclaw agents list --json")]
pub struct List {
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

impl List {
    /// Lists them.
    pub fn run(&self, system: &System) -> Answer {
        let rows = registry::list(system.context());
        if self.json {
            return Ok(Output::json(&present(json!(rows))));
        }
        let mut page = Sheet::default();
        page.line("Agents:");
        for row in rows {
            let name = row
                .name
                .map_or_else(String::new, |name| format!(" ({name})"));
            let default = if row.is_default { " (default)" } else { "" };
            page.line(&format!("- {}{default}{name}", row.id));
            let identity = [&row.identity_emoji, &row.identity_name];
            let identity: Vec<String> = identity
                .into_iter()
                .flatten()
                .map(|text| printable_prose(text, 120))
                .collect();
            if !identity.is_empty() {
                page.line(&format!("  Identity: {}", identity.join(" ")));
            }
            page.line(&format!("  Workspace: {}", row.workspace.display()));
            page.line(&format!("  Agent dir: {}", row.agent_dir.display()));
            if let Some(model) = row.model {
                page.line(&format!("  Model: {model}"));
            }
        }
        Ok(Output::text(page.into_text()))
    }
}
