//! `models auth refresh`.

use clap::Args;

use crate::app::failure::Kind;
use crate::app::refresh::outcome::RefreshResult;
use crate::app::usecase::refresh;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::cli::view;
use crate::model::hint::Hint;
use crate::model::named::ProfileName;
use crate::model::time::Timestamp;

/// Refresh stored tokens
///
/// Without --profile, refreshes every token that is due. Shows the old and the new expiry.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth refresh
  openclaw models auth refresh --profile openai-codex:work --force")]
pub struct Refresh {
    /// Only refresh this profile
    #[arg(long, value_name = "PROFILE", value_parser = ProfileName::parse)]
    profile: Option<ProfileName>,
    /// Refresh even if the token is still valid
    #[arg(long)]
    force: bool,
}

impl Refresh {
    /// Refreshes.
    pub fn run(&self, system: &System) -> Answer {
        let mut output = Output::default();
        let (cx, agent) = (system.context(), &system.agent);
        let named = |name| cx.profile_id(agent, name);
        let profile = self.profile.as_ref().map(named).transpose()?;
        let reports = refresh::run(cx, agent, profile.as_ref(), self.force)?;
        if reports.is_empty() {
            output = Output::line("No logins to refresh.");
        }
        for report in reports {
            let end = |time: Option<Timestamp>| view::end(time, system.now());
            let line = match report.result {
                Ok(token) => {
                    let warning = token.warning.as_ref();
                    let warning = warning.map(|warning| Hint::about(&report.profile, warning));
                    output = output.warnings(warning.map(|text| system.hints.text(&text)));
                    output.changed |= report.is_refreshed;
                    outcome(
                        token.how,
                        &end(report.before),
                        &end(token.credential.expires),
                    )
                }
                Err(failure) => {
                    let is_stopped = matches!(failure.kind, Kind::Cancelled(_));
                    match output.failure {
                        None => output.failure = Some(failure),
                        Some(_) => output
                            .notes
                            .extend(view::failure::lines(&system.hints, &failure)),
                    }
                    match (report.is_refreshed, is_stopped) {
                        (true, _) => "refreshed before the signal".to_owned(),
                        (false, true) => format!("not refreshed; token {}", end(report.before)),
                        (false, false) => format!("failed; token {}", end(report.before)),
                    }
                }
            };
            output
                .text
                .push_str(&format!("{}: {line}\n", report.profile));
        }
        Ok(output)
    }
}

/// What became of a token that ended `before` and ends `now`.
fn outcome(how: RefreshResult, before: &str, now: &str) -> String {
    match how {
        RefreshResult::WasFresh => format!("still fresh; token {now}"),
        RefreshResult::StillAlive => format!("not refreshed; token {now}"),
        RefreshResult::Refreshed => format!("refreshed; previous token {before}; new token {now}"),
        RefreshResult::RefreshedElsewhere => {
            format!("refreshed by another process; previous token {before}; new token {now}")
        }
    }
}
