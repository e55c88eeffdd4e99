//! `models auth logout`.

use std::io;

use clap::Args;

use crate::app::failure::{Failure, shell_word};
use crate::app::usecase::logout;
use crate::cli::printer::Printer;
use crate::cli::system::System;
use crate::model::id::ProfileId;

/// Forget one profile on this machine
///
/// Removes the credential with its order, last-good and usage entries. The provider is not told:
/// the token works elsewhere until it ends. A copy is kept, so that `models auth undo` can bring it
/// back, until `models auth history PROFILE --clear` removes it, too.
///
/// With --revoke the provider is asked first not to honour the login any longer, wherever it is
/// used, and everything that holds it here goes once it has agreed. If it does not answer or refuses,
/// nothing is removed, unless --force says so.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth logout openai-codex:work --dry-run
  openclaw models auth logout openai-codex:work --yes
  openclaw models auth logout openai-codex:work --revoke")]
pub struct Logout {
    /// The profile
    #[arg(value_name = "PROFILE")]
    profile: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    /// Only say what would go
    #[arg(long)]
    dry_run: bool,
    /// Revoke it at the provider first
    #[arg(long)]
    revoke: bool,
    /// Remove it even if it could not be revoked
    #[arg(long, requires = "revoke")]
    force: bool,
}

impl Logout {
    /// Forgets it.
    ///
    /// # Errors
    /// What the use case says.
    pub fn run(&self, system: &System, printer: &Printer) -> Result<u8, Failure> {
        let outcome = logout::run(
            system.context(),
            &logout::Request {
                agent: system.agent().clone(),
                profile: ProfileId::parse(&self.profile)?,
                yes: self.yes,
                dry_run: self.dry_run,
                revoke: self.revoke,
                force: self.force,
            },
        )?;
        let written = self.show(&outcome, system, printer);
        written.map_err(|error| Failure::unwritten(&error, outcome.removed))?;
        Ok(0)
    }

    fn show(
        &self,
        outcome: &logout::Outcome,
        system: &System,
        printer: &Printer,
    ) -> io::Result<()> {
        let verb = match (self.dry_run, outcome.removed, outcome.replaced) {
            (true, ..) => "Would remove",
            (false, true, _) => "Removed",
            (false, false, true) => "Another login has taken the place of the",
            (false, false, false) => "Another process had removed",
        };
        let kind = outcome.kind.as_str();
        let provider = crate::model::id::printable(&outcome.provider, 80);
        printer.line_out(&format!("Agent: {}", outcome.owner))?;
        if let Some(revocation) = &outcome.revocation {
            self.show_revocation(revocation, printer)?;
        }
        printer.line_out(&format!(
            "{verb} auth profile: {} ({provider}/{kind})",
            outcome.profile
        ))?;
        let also = |what: &str, names: &[String]| -> io::Result<()> {
            if !names.is_empty() {
                printer.line_out(&format!("{verb} its {what}: {}", names.join(", ")))?;
            }
            Ok(())
        };
        also("place in the order of", &outcome.orders)?;
        also("last-good entry of", &outcome.last_good)?;
        if outcome.usage {
            printer.line_out(&format!("{verb} its usage entry"))?;
        }
        let copies = outcome.revocation.iter().flat_map(|told| &told.copies);
        for (agent, id) in copies {
            printer.line_out(&format!("{verb} the same login: {id} of agent {agent}"))?;
        }
        if outcome.kept {
            let word = shell_word(outcome.profile.as_str());
            let text = format!(
                "A copy is kept. To bring it back: openclaw models auth undo {word}\n\
                 To remove the copy, too: openclaw models auth history {word} --clear"
            );
            printer.line_out(&system.global().aimed(&text))?;
        }
        Ok(())
    }

    fn show_revocation(
        &self,
        revocation: &logout::Revocation,
        printer: &Printer,
    ) -> io::Result<()> {
        let endpoint = &revocation.endpoint;
        if revocation.done {
            return printer.line_out(&format!("Revoked at {endpoint}"));
        }
        if !self.dry_run {
            return Ok(());
        }
        printer.line_out(&format!("Would revoke at {endpoint}"))?;
        for end in &revocation.ends {
            printer.line_out(end)?;
        }
        Ok(())
    }
}
