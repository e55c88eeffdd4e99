//! `models auth refresh`.

use std::io;

use clap::Args;

use crate::app::failure::Failure;
use crate::app::refresh::outcome::RefreshResult;
use crate::app::usecase::refresh::{self, Report};
use crate::cli::printer::Printer;
use crate::cli::system::System;
use crate::cli::view;
use crate::model::id::ProfileId;
use crate::model::time::Timestamp;

/// Refresh stored logins
///
/// Without a profile, every login that is due. Says when each token ended before and ends now.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth refresh
  openclaw models auth refresh --profile openai-codex:work --force")]
pub struct Refresh {
    /// This profile only
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    /// Also if its token lives long enough
    #[arg(long)]
    force: bool,
}

impl Refresh {
    /// Refreshes.
    ///
    /// # Errors
    /// What the use case says; of several failures the first.
    pub fn run(&self, system: &System, printer: &Printer) -> Result<u8, Failure> {
        let request = refresh::Request {
            agent: system.agent().clone(),
            profile: self.profile.as_deref().map(ProfileId::parse).transpose()?,
            force: self.force,
        };
        let reports = refresh::run(system.context(), &request)?;
        let is_new = |report: &Report| matches!(&report.result, Ok(living) if living.how == RefreshResult::Refreshed);
        let changed = reports.iter().any(is_new);
        let written = show(reports, system, printer);
        let first_failure = written.map_err(|error| Failure::unwritten(&error, changed))?;
        first_failure.map_or(Ok(0), Err)
    }
}

/// What became of each profile; of several failures the first is returned and not shown.
fn show(reports: Vec<Report>, system: &System, printer: &Printer) -> io::Result<Option<Failure>> {
    if reports.is_empty() {
        printer.line_out("There is no login that can be refreshed.")?;
    }
    let mut first_failure = None;
    for report in reports {
        let end = |time: Option<Timestamp>| view::end(time, system.now());
        let id = &report.profile;
        match report.result {
            Ok(living) => {
                let what = match living.how {
                    RefreshResult::WasFresh => "fresh enough",
                    RefreshResult::Refreshed => "refreshed",
                    RefreshResult::RefreshedElsewhere => "refreshed by another process",
                    RefreshResult::StillAlive => "not refreshed",
                };
                let was = match living.how {
                    RefreshResult::Refreshed | RefreshResult::RefreshedElsewhere => {
                        format!("the old token {}; the new one ", end(report.before))
                    }
                    RefreshResult::WasFresh | RefreshResult::StillAlive => "its token ".to_owned(),
                };
                let now = end(living.credential.expires);
                printer.line_out(&format!("{id}: {what}; {was}{now}"))?;
                if let Some(warning) = living.warning {
                    let warning = system.global().aimed(&warning);
                    printer.line_err(&format!("Warning: {warning}"));
                }
            }
            Err(failure) => {
                let before = end(report.before);
                printer.line_out(&format!("{id}: failed; its token {before}"))?;
                match first_failure {
                    None => first_failure = Some(failure),
                    Some(_) => {
                        view::failure::print(printer, &system.global().aim(failure));
                    }
                }
            }
        }
    }
    Ok(first_failure)
}
