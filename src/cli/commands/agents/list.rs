//! `agents list`.

use clap::Args;
use serde_json::{Map, Value, json};

use crate::app::agents::registry::{self, Row};
use crate::app::failure::Failure;
use crate::cli::printer::Printer;
use crate::cli::system::System;
use crate::cli::view;
use crate::model::id::printable;

/// List the agents
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw agents list
  openclaw agents list --json")]
pub struct List {
    /// Print them as one JSON document
    #[arg(long)]
    json: bool,
}

impl List {
    /// Lists them.
    ///
    /// # Errors
    /// None today.
    pub fn run(&self, system: &System, printer: &Printer) -> Result<u8, Failure> {
        let rows = registry::list(system.context());
        if self.json {
            let rows = rows.iter().map(document).collect();
            printer.line_out(&view::pretty(&Value::Array(rows)))?;
            return Ok(0);
        }
        printer.line_out("Agents:")?;
        for row in rows {
            let name = row
                .name
                .map_or_else(String::new, |name| format!(" ({name})"));
            let default = if row.is_default { " (default)" } else { "" };
            printer.line_out(&format!("- {}{default}{name}", row.id))?;
            let identity = [&row.identity_emoji, &row.identity_name];
            let identity: Vec<String> = identity
                .into_iter()
                .flatten()
                .map(|text| printable(text, 120))
                .collect();
            if !identity.is_empty() {
                printer.line_out(&format!("  Identity: {}", identity.join(" ")))?;
            }
            printer.line_out(&format!("  Workspace: {}", row.workspace.display()))?;
            printer.line_out(&format!("  Agent dir: {}", row.agent_dir.display()))?;
            if let Some(model) = row.model {
                printer.line_out(&format!("  Model: {model}"))?;
            }
        }
        Ok(0)
    }
}

/// One agent, keys in the order of the reference release.
fn document(row: &Row) -> Value {
    let mut object = Map::new();
    let mut set = |key: &str, value: Value| {
        object.insert(key.to_owned(), value);
    };
    set("id", json!(row.id.as_str()));
    for (key, value) in [
        ("name", row.name.as_deref()),
        ("identityName", row.identity_name.as_deref()),
        ("identityEmoji", row.identity_emoji.as_deref()),
        ("identitySource", row.identity_source),
    ] {
        if let Some(value) = value {
            set(key, json!(value));
        }
    }
    set("workspace", json!(row.workspace));
    set("agentDir", json!(row.agent_dir));
    if let Some(model) = &row.model {
        set("model", json!(model));
    }
    set("bindings", json!(row.bindings));
    set("isDefault", json!(row.is_default));
    if row.is_default && row.bindings == 0 {
        set("routes", json!(["default (no explicit rules)"]));
    }
    Value::Object(object)
}
