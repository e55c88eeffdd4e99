//! `secrets export`.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use serde_json::json;

use super::key_args::KeyArgs;
use crate::app::secrets::moving::collect::{Row, Selection};
use crate::app::secrets::moving::export::{self, Outcome, Request};
use crate::app::secrets::moving::hand_over;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::model::id::ProfileId;

/// Write credentials and secrets into one sealed file, as a backup or for another machine
///
/// All agents and all named secrets go along, unless --agent or --profile names what does. The file
/// is sealed by a passphrase, or by age for its recipients; it is never overwritten.
///
/// Of a login only the access token goes along: its refresh token works once, so that two machines
/// that have it end each other's login. With --move the refresh token goes, too, and is no longer
/// here: from then on the other machine has the login.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw secrets export --to backup.openclaw
  openclaw secrets export --move --to house.openclaw
  openclaw secrets export --to keys.openclaw --profile openai:default
  openclaw secrets export --to backup.age --recipient age1...")]
pub struct Export {
    /// File to write
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    to: PathBuf,
    /// Hand the logins over with their refresh tokens, which are no longer here then
    #[arg(long = "move")]
    is_move: bool,
    /// Export this profile only; can be repeated
    #[arg(long = "profile", value_name = "ID", value_parser = ProfileId::parse)]
    profiles: Vec<ProfileId>,
    /// Let age seal the file for this recipient, instead of a passphrase; can be repeated
    #[arg(
        long = "recipient",
        value_name = "RECIPIENT",
        conflicts_with = "bundle_passphrase_fd"
    )]
    recipients: Vec<String>,
    /// Read the passphrase of the file from this file descriptor instead of asking for it
    #[arg(long, value_name = "N")]
    bundle_passphrase_fd: Option<u32>,
    /// Only say what would be written
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    key: KeyArgs,
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

impl Export {
    /// Writes it.
    pub fn run(&self, system: &System) -> Answer {
        self.key.apply(system)?;
        let request = Request {
            to: self.to.clone(),
            selection: Selection {
                agent: system.agent_named().then(|| system.agent.clone()),
                profiles: self.profiles.clone(),
                ..Selection::default()
            },
            recipients: self.recipients.clone(),
            passphrase_fd: self.bundle_passphrase_fd,
            dry_run: self.dry_run,
        };
        let outcome = match self.is_move {
            true => hand_over::run(system.context(), &request)?,
            false => export::copy(system.context(), &request)?,
        };
        let is_changed = self.is_move && outcome.bundle.is_some();
        if self.json {
            return Ok(Output::json(&json!({
                "path": outcome.path,
                "bundle": outcome.bundle,
                "move": self.is_move,
                "completed": outcome.is_completed,
                "dryRun": self.dry_run,
                "profiles": outcome.rows,
                "secrets": outcome.secrets,
                "leftOut": outcome.left_out,
            }))
            .changed(is_changed));
        }
        let warnings = outcome.warnings();
        let output = Output::text(self.text(&outcome, system)).warnings(warnings);
        Ok(output.changed(is_changed))
    }

    fn text(&self, outcome: &Outcome, system: &System) -> String {
        let verb = match self.dry_run {
            true => "Would export",
            false => "Exported",
        };
        let profiles = count(outcome.rows.len(), "profile");
        let secrets = count(outcome.secrets.len(), "secret");
        let path = outcome.path.display();
        if outcome.is_completed {
            return format!("The move to {path} is complete\n");
        }
        let mut text = format!("{verb} {profiles} and {secrets} to {path}\n");
        for row in &outcome.rows {
            text.push_str(&format!("  {}\n", line(row, system)));
        }
        for name in &outcome.secrets {
            text.push_str(&format!("  {name}\n"));
        }
        text
    }
}

impl Outcome {
    /// What a person would miss on the other machine.
    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for row in self
            .rows
            .iter()
            .filter(|row| row.refresh_token == Some(false))
        {
            let (profile, agent) = (&row.profile, &row.agent);
            warnings.push(format!(
                "{profile} of agent {agent} goes without its refresh token, so the copy works until its access token expires"
            ));
        }
        for one in &self.left_out {
            let (profile, agent, reason) = (&one.profile, &one.agent, &one.reason);
            warnings.push(format!("{profile} of agent {agent} is left out: {reason}"));
        }
        warnings
    }
}

fn line(row: &Row, system: &System) -> String {
    let (profile, agent) = (&row.profile, &row.agent);
    if row.refresh_token == Some(true) {
        return format!("{profile} of agent {agent}, moved with its refresh token");
    }
    match row.expires {
        Some(end) => {
            let end = system.local().spoken(end);
            format!("{profile} of agent {agent}, token expires {end}")
        }
        None => format!("{profile} of agent {agent}"),
    }
}

/// A number of things.
pub(super) fn count(number: usize, noun: &str) -> String {
    match number {
        1 => format!("1 {noun}"),
        number => format!("{number} {noun}s"),
    }
}
