//! `secrets import`.

use std::collections::HashSet;
use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueHint};
use serde_json::json;

use super::export::count;
use super::imported::{Manner, is_stored, said};
use super::key_args::KeyArgs;
use super::{import_dotenv, import_sidecars};
use crate::app::failure::{Failure, Kind};
use crate::app::secrets::moving::import::{self, Opening, Outcome, Replacing, Request, Row};
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;

/// Take in credentials and secrets: of `secrets export`, a .env file, or OpenClaw 2026.5
///
/// FILE is one that `secrets export` wrote. --from stores each value of a .env file as a named secret.
/// --from-openclaw brings back the logins that OpenClaw 2026.5.12 encrypted and later releases no
/// longer read. What is imported from stays as it is.
///
/// What is here already and expires later, or has another value, is kept unless --force says
/// otherwise; what is replaced goes to the history. An import that was interrupted can be repeated.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("source").required(true))]
#[command(after_help = "Examples:
  openclaw secrets import backup.openclaw
  openclaw secrets import backup.openclaw --dry-run
  openclaw secrets import backup.age --identity key.txt
  openclaw secrets import --from ~/.openclaw/.env
  openclaw secrets import --from-openclaw")]
pub struct Import {
    /// File to import
    #[arg(value_name = "FILE", group = "source", value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,
    /// Store the values of this .env file as named secrets
    #[arg(long, value_name = "ENV_FILE", group = "source", conflicts_with_all = ["identity", "bundle_passphrase_fd"], value_hint = ValueHint::FilePath)]
    from: Option<PathBuf>,
    /// Rescue the logins that OpenClaw 2026.5.12 keeps in encrypted files
    #[arg(long, group = "source", conflicts_with_all = ["identity", "bundle_passphrase_fd"])]
    from_openclaw: bool,
    /// Let age open the file with this identity file
    #[arg(long, value_name = "PATH", conflicts_with = "bundle_passphrase_fd", value_hint = ValueHint::FilePath)]
    identity: Option<PathBuf>,
    /// Read the passphrase of the file from this file descriptor instead of asking for it
    #[arg(long, value_name = "N")]
    bundle_passphrase_fd: Option<u32>,
    /// Replace credentials and secrets that are here and differ
    #[arg(long)]
    force: bool,
    /// Only say what would be imported
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    key: KeyArgs,
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

impl Import {
    /// Imports it.
    pub fn run(&self, system: &System) -> Answer {
        self.key.apply(system)?;
        let how = Manner {
            force: self.force,
            dry_run: self.dry_run,
            json: self.json,
        };
        if let Some(file) = &self.from {
            return import_dotenv::run(system, file, how);
        }
        if self.from_openclaw {
            return import_sidecars::run(system, how);
        }
        let Some(file) = self.file.clone() else {
            return Err(Failure::new(Kind::Usage, "name the file to import"));
        };
        no_agent(system)?;
        let request = Request {
            file,
            opening: Opening {
                passphrase_fd: self.bundle_passphrase_fd,
                identity: self.identity.clone(),
                passphrase: None,
            },
            replacing: match self.force {
                true => Replacing::Everything,
                false => Replacing::Older,
            },
            only: Vec::new(),
            without: HashSet::new(),
            is_configured: false,
            dry_run: self.dry_run,
        };
        let outcome = import::run(system.context(), &request)?;
        let is_changed = !self.dry_run && outcome.stored() > 0;
        if self.json {
            return Ok(Output::json(&json!({
                "bundle": outcome.head.id,
                "created": outcome.head.created,
                "move": outcome.head.is_move,
                "dryRun": self.dry_run,
                "profiles": outcome.rows,
                "secrets": outcome.secrets,
            }))
            .changed(is_changed));
        }
        let warnings = outcome.rows.iter().filter_map(|row| warning(row, system));
        let warnings: Vec<String> = warnings.collect();
        let output = Output::text(Self::text(&outcome, how)).warnings(warnings);
        Ok(output.changed(is_changed))
    }

    fn text(outcome: &Outcome, how: Manner) -> String {
        let verb = how.verb();
        let profiles = outcome.rows.iter().filter(|row| is_stored(&row.action));
        let secrets = outcome.secrets.iter().filter(|row| is_stored(&row.action));
        let profiles = count(profiles.count(), "profile");
        let secrets = count(secrets.count(), "secret");
        let mut text = format!("{verb} {profiles} and {secrets}\n");
        for row in &outcome.rows {
            let (profile, agent) = (&row.profile, &row.agent);
            let said = said(&row.action);
            text.push_str(&format!("  {profile} of agent {agent}: {said}\n"));
        }
        for row in &outcome.secrets {
            text.push_str(&format!("  {}: {}\n", row.name, said(&row.action)));
        }
        text
    }
}

impl Outcome {
    fn stored(&self) -> usize {
        let profiles = self.rows.iter().map(|row| &row.action);
        let all = profiles.chain(self.secrets.iter().map(|row| &row.action));
        all.filter(|action| is_stored(action)).count()
    }
}

/// What a person would find out too late.
fn warning(row: &Row, system: &System) -> Option<String> {
    let is_copy = is_stored(&row.action) && row.refresh_token == Some(false);
    let end = row.expires.map(|end| system.local().spoken(end));
    let end = end.map_or_else(String::new, |end| format!(", which expires {end}"));
    is_copy.then(|| {
        format!(
            "{} of agent {} came without a refresh token: log in again when its access token ends{end}",
            row.profile, row.agent
        )
    })
}

/// Fails if an agent is named: its profiles would be expected there, and go where they came from.
pub(super) fn no_agent(system: &System) -> Result<(), Failure> {
    if !system.agent_named() {
        return Ok(());
    }
    let message =
        "each profile of a bundle goes to the agent that it came from; nothing was changed";
    Err(Failure::new(Kind::Usage, message).hint("leave out --agent"))
}
