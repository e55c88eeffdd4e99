//! `models auth undo`.

use clap::Args;

use crate::app::usecase::undo;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::cli::view;
use crate::model::hint::Command;
use crate::model::id::printable;
use crate::model::named::ProfileName;

/// Restore a previous version of a profile
///
/// Without --generation, restores what the last login, paste, logout or undo replaced. The current
/// version is kept, so an undo can be undone. A login whose refresh token was used since is never
/// restored; the error says where its successor is.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth undo openai-codex:work --dry-run
  openclaw models auth undo openai-codex:work
  openclaw models auth undo openai-codex:work --generation 3")]
pub struct Undo {
    /// Profile to restore
    #[arg(value_name = "PROFILE", value_parser = ProfileName::parse)]
    profile: ProfileName,
    /// Version to restore, as numbered by `models auth history`
    #[arg(long, value_name = "NUMBER")]
    generation: Option<u64>,
    /// Show what would be restored without restoring it
    #[arg(long)]
    dry_run: bool,
}

impl Undo {
    /// Puts it back.
    pub fn run(&self, system: &System) -> Answer {
        let (cx, agent) = (system.context(), &system.agent);
        let outcome = undo::run(
            cx,
            agent,
            &cx.profile_id(agent, &self.profile)?,
            self.generation,
            self.dry_run,
        )?;
        let verb = match self.dry_run {
            true => "Would restore",
            false => "Restored",
        };
        let undo::Outcome { profile, row, .. } = &outcome;
        let provider = printable(&row.credential.provider, 80);
        let kind = row.credential.kind.as_str();
        let mut text = format!(
            "Agent: {}\n{verb} auth profile: {profile} ({provider}/{kind})\n\
             Generation {}, replaced by {} {}: {}\n",
            outcome.owner,
            row.number,
            row.cause.as_ref(),
            system.local().spoken(row.replaced_at),
            view::history::stored(&row.credential, system.now()),
        );
        if let Some(was) = outcome.was {
            let back = Command::undo(profile).option("--generation", &was);
            text.push_str(&format!(
                "The replaced version is now generation {was}. To restore it: {}\n",
                system.hints.command(&back)
            ));
        }
        Ok(Output::text(text).changed(!self.dry_run))
    }
}
