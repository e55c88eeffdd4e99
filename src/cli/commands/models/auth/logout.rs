//! `models auth logout`.

use clap::Args;

use crate::app::usecase::logout;
use crate::cli::hint::Renderer;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::model::hint::Command;
use crate::model::id::printable;
use crate::model::named::ProfileName;

/// Remove a profile from this machine
///
/// Removes the credential and its order, last-good and usage entries. The provider is not notified,
/// so the token stays valid until it expires. A copy is kept for `models auth undo`; remove it with
/// `models auth history PROFILE --clear`.
///
/// With --revoke, the login is first revoked at the provider, which ends it everywhere, and all
/// local copies are removed. If the revocation fails, nothing is removed unless --force is given.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth logout openai-codex:work --dry-run
  openclaw models auth logout openai-codex:work --yes
  openclaw models auth logout openai-codex:work --revoke")]
pub struct Logout {
    /// Profile to remove
    #[arg(value_name = "PROFILE", value_parser = ProfileName::parse)]
    profile: ProfileName,
    /// Skip the confirmation prompt
    #[arg(long)]
    yes: bool,
    /// Show what would be removed without removing it
    #[arg(long)]
    dry_run: bool,
    /// Revoke the login at the provider first
    #[arg(long)]
    revoke: bool,
    /// Remove the profile even if the revocation fails
    #[arg(long, requires = "revoke")]
    force: bool,
    /// Also delete the copies that are kept for `models auth undo`
    #[arg(long)]
    forget: bool,
}

impl Logout {
    /// Forgets it.
    pub fn run(&self, system: &System) -> Answer {
        let cx = system.context();
        let outcome = logout::run(
            cx,
            &logout::Request {
                agent: system.agent.clone(),
                profile: cx.profile_id(&system.agent, &self.profile)?,
                yes: self.yes,
                dry_run: self.dry_run,
                revoke: self.revoke,
                force: self.force,
                forget: self.forget,
            },
        )?;
        let text = self.text(&outcome, &system.hints);
        Ok(Output::text(text).changed(outcome.removed))
    }

    fn text(&self, outcome: &logout::Outcome, hints: &Renderer) -> String {
        let verb = match (self.dry_run, outcome.removed, outcome.replaced) {
            (true, ..) => "Would remove",
            (false, true, _) => "Removed",
            (false, false, true) => "A new login has replaced the",
            (false, false, false) => "Another process already removed",
        };
        let profile = &outcome.profile;
        let kind = outcome.kind.as_str();
        let provider = printable(&outcome.provider, 80);
        let mut lines = vec![format!("Agent: {}", outcome.owner)];
        match &outcome.revocation {
            Some(revocation) if revocation.done => {
                lines.push(format!("Revoked at {}", revocation.endpoint));
            }
            Some(revocation) if self.dry_run => {
                lines.push(format!("Would revoke at {}", revocation.endpoint));
                lines.extend(revocation.ends.iter().cloned());
            }
            _ => {}
        }
        lines.push(format!(
            "{verb} auth profile: {profile} ({provider}/{kind})"
        ));
        for (what, names) in [
            ("place in the order of", &outcome.orders),
            ("last-good entry of", &outcome.last_good),
        ] {
            if !names.is_empty() {
                lines.push(format!("{verb} its {what}: {}", names.join(", ")));
            }
        }
        if outcome.usage {
            lines.push(format!("{verb} its usage entry"));
        }
        let copies = outcome.revocation.iter().flat_map(|told| &told.copies);
        lines.extend(
            copies.map(|(agent, id)| format!("{verb} the same login: {id} of agent {agent}")),
        );
        if outcome.forgotten > 0 {
            lines.push(format!("Deleted {} kept copies", outcome.forgotten));
        }
        if outcome.kept {
            let back = hints.command(&Command::undo(profile));
            let clear = hints.command(&Command::history(Some(profile)).arg("--clear"));
            lines.push(format!("A copy is kept. To restore it: {back}"));
            lines.push(format!("To delete the copy: {clear}"));
        }
        lines.join("\n") + "\n"
    }
}
