//! `gateway import`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use serde_json::json;

use super::database_args::TenantArgs;
use crate::app::database::goclaw;
use crate::app::secrets::moving::import::{Action, Row};
use crate::app::secrets::moving::into_database::{self, Outcome};
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::model::id::ProfileId;

/// Move the logins of this machine's files into the database
///
/// Refresh tokens work once, so they leave the files: from then on only commands with the database
/// refresh these logins. API keys, access tokens and keys to the gateway are copied, and what agents
/// inherit goes along. What the database holds by the same name stays unless --replace says
/// otherwise, and its profile stays in the files. An import that was interrupted can be repeated.
///
/// With --goclaw stores what GoClaw sealed instead: a JSON list of objects with provider, access_token,
/// refresh_token and expires_at, whose tokens begin with aes-gcm: and open under the same key.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw gateway import --dry-run
  openclaw gateway import
  openclaw gateway import --goclaw rows.json")]
pub(in crate::cli::commands) struct Import {
    /// Import rows of GoClaw's database from this JSON file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    goclaw: Option<PathBuf>,
    /// Import this profile only; can be repeated
    #[arg(long = "profile", value_name = "ID", value_parser = ProfileId::parse, conflicts_with = "goclaw")]
    profiles: Vec<ProfileId>,
    /// Replace other credentials of the same names
    #[arg(long, conflicts_with = "goclaw")]
    replace: bool,
    /// Only say what would be imported
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    pub(super) database: TenantArgs,
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

impl Import {
    /// Imports them.
    pub(super) fn run(&self, system: &System) -> Answer {
        system.required_database()?;
        match &self.goclaw {
            Some(file) => self.of_goclaw(system, file),
            None => self.of_files(system),
        }
    }

    fn of_goclaw(&self, system: &System, file: &Path) -> Answer {
        let (cx, key) = (system.context(), system.database_key()?);
        let done = goclaw::run(cx, &system.agent, &key, (file, self.dry_run))?;
        let output = match self.json {
            true => Output::json(&json!({
                "dryRun": self.dry_run,
                "imported": done.imported,
                "skipped": done.skipped,
            })),
            false => {
                let mut text = String::new();
                for id in &done.imported {
                    text.push_str(&format!("{id}: {}\n", self.verb()));
                }
                for id in &done.skipped {
                    text.push_str(&format!("{id}: is there already\n"));
                }
                Output::text(text)
            }
        };
        Ok(output.changed(!self.dry_run && !done.imported.is_empty()))
    }

    fn of_files(&self, system: &System) -> Answer {
        let request = into_database::Request {
            database: system.required_database()?,
            profiles: self.profiles.clone(),
            key: system.database_key()?,
            directory: system.rescue_directory()?,
            replace: self.replace,
            dry_run: self.dry_run,
        };
        let done = into_database::run(system.context_of_files(), system.context(), &request)?;
        let mut output = match self.json {
            true => Output::json(&json!({
                "dryRun": self.dry_run,
                "profiles": done.rows,
                "leftOut": done.left_out,
                "keys": done.keys,
                "orders": done.orders,
            })),
            false => Output::text(self.text(system, &done)),
        };
        output.failure = done.failure(self.dry_run);
        Ok(output.changed(!self.dry_run))
    }

    fn text(&self, system: &System, done: &Outcome) -> String {
        let (mut text, hints) = (String::new(), system.hints_of(&system.agent));
        for row in &done.rows {
            let (profile, agent) = (&row.profile, &row.agent);
            let said = self.said(&row.action);
            text.push_str(&format!("{profile} of agent {agent}: {said}\n"));
            if let Some(remedy) = into_database::remedy(row) {
                text.push_str(&format!("  {}\n", hints.text(&remedy)));
            }
        }
        for one in &done.left_out {
            let (profile, agent, why) = (&one.profile, &one.agent, &one.reason);
            text.push_str(&format!("{profile} of agent {agent}: stays, {why}\n"));
        }
        if done.keys > 0 {
            let (count, verb) = (done.keys, self.verb());
            text.push_str(&format!("Keys to the gateway: {count} {verb}\n"));
        }
        if done.orders > 0 {
            let (count, verb) = (done.orders, self.verb());
            text.push_str(&format!("Orders of inherited profiles: {count} {verb}\n"));
        }
        if !self.dry_run && done.rows.iter().any(is_there) {
            text.push_str(
                "The files refresh these logins no more. Name the database in \
                 OPENCLAW_DATABASE_URL_FILE, and its key in GOCLAW_ENCRYPTION_KEY_FILE, for every \
                 command.\n",
            );
        }
        text
    }

    fn said(&self, action: &Action) -> String {
        match (action, self.dry_run) {
            (Action::Added | Action::Replaced, true) => self.verb().to_owned(),
            (Action::Added, false) => "imported".to_owned(),
            (Action::Replaced, false) => "replaced".to_owned(),
            (Action::Unchanged, _) => "already in the database".to_owned(),
            (Action::Kept(_), _) => {
                "not imported: the database holds another credential of that name".to_owned()
            }
            (Action::Refused(why), _) => format!("not imported: {why}"),
        }
    }

    fn verb(&self) -> &'static str {
        match self.dry_run {
            true => "would be imported",
            false => "imported",
        }
    }
}

fn is_there(row: &Row) -> bool {
    !matches!(row.action, Action::Kept(_) | Action::Refused(_))
}
