//! `secrets remove`.

use clap::Args;
use serde_json::{Value, json};

use super::key_args::KeyArgs;
use crate::app::secrets::{self, remove};
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;

/// Remove secrets
///
/// They are removed all at once. Files that still refer to them are named. A removed secret cannot
/// be restored.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw secrets remove CODEX_CLIENT_SECRET
  openclaw secrets remove ONE TWO --json")]
pub struct Remove {
    /// Names of the secrets
    #[arg(value_name = "NAME", required = true)]
    names: Vec<String>,
    #[command(flatten)]
    key: KeyArgs,
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

impl Remove {
    /// Removes them.
    pub fn run(&self, system: &System) -> Answer {
        let names = self.names.iter().map(|name| secrets::parse_name(name));
        let names: Vec<_> = names.collect::<Result<_, _>>()?;
        self.key.apply(system)?;
        let removed = remove::run(system.context(), &names)?;
        if self.json {
            let rows = removed
                .iter()
                .map(|(name, used_by)| json!({ "name": name, "usedBy": used_by }));
            let rows: Vec<Value> = rows.collect();
            return Ok(Output::json(&json!({ "removed": rows })).changed(true));
        }
        let mut text = String::new();
        let mut warnings = Vec::new();
        for (name, used_by) in removed {
            text.push_str(&format!("Removed secret {name}\n"));
            let paths = used_by.iter().map(|path| path.display().to_string());
            warnings.extend(paths.map(|path| format!("{path} still refers to {name}")));
        }
        Ok(Output::text(text).warnings(warnings).changed(true))
    }
}
