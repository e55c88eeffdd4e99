//! `models auth import`.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use serde_json::json;

use crate::app::usecase::import;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;

/// Import credentials from a file that is not read
///
/// Understands a store in another directory, and files that name one credential for each provider,
/// such as {"anthropic": {"apiKey": "..."}}. Profiles that exist are never replaced, and the file
/// is left as it is. `openclaw doctor` lists such files.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth import --path ~/.openclaw/credentials/auth-profiles.json
  openclaw models auth import --path old/auth.json --dry-run")]
pub struct Import {
    /// File to import
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    path: PathBuf,
    /// Show what would be imported without storing anything
    #[arg(long)]
    dry_run: bool,
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

impl Import {
    /// Imports it.
    pub fn run(&self, system: &System) -> Answer {
        let agent = &system.agent;
        let outcome = import::run(system.context(), agent, &self.path, self.dry_run)?;
        let changed = !self.dry_run && !outcome.imported.is_empty();
        if self.json {
            let document = json!({
                "agentId": agent,
                "path": outcome.path,
                "dryRun": self.dry_run,
                "imported": outcome.imported,
                "skipped": outcome.skipped,
            });
            return Ok(Output::json(&document).changed(changed));
        }
        let verb = match self.dry_run {
            true => "Would import",
            false => "Imported",
        };
        let imported = outcome.imported.iter().map(|id| format!("{verb} {id}"));
        let skipped = outcome.skipped.iter();
        let skipped = skipped.map(|id| format!("Already stored: the credential of {id}"));
        let lines: Vec<String> = imported.chain(skipped).collect();
        Ok(Output::line(lines.join("\n")).changed(changed))
    }
}
