//! `agents list`.

use clap::Args;
use serde_json::{Map, Value, json};

use crate::app::agents::registry::{self, Row};
use crate::app::failure::Failure;
use crate::cli::output::Output;
use crate::cli::system::System;
use crate::cli::view::Page;
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
    pub fn run(&self, system: &System) -> Result<Output, Failure> {
        let rows = registry::list(system.context());
        if self.json {
            let rows: Vec<Value> = rows.iter().map(document).collect();
            return Ok(Output::json(&rows));
        }
        let mut page = Page::default();
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
                .map(|text| printable(text, 120))
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
