//! `models auth refresh`.

use clap::Args;

use crate::app::failure::{Failure, Kind};
use crate::app::refresh::outcome::{RefreshResult, ValidToken};
use crate::app::usecase::refresh::{self, Report};
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::cli::view;
use crate::model::hint::Hint;
use crate::model::named::ProfileName;
use crate::model::time::Timestamp;

/// Refresh stored tokens
///
/// Refreshes every token that is due, several at once; with --profile only that one. Shows the old
/// and the new expiry. After two logins without a valid response from a provider, its other logins
/// are left for later.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth refresh
  openclaw models auth refresh --all
  openclaw models auth refresh --profile openai-codex:work --force")]
pub struct Refresh {
    /// Only refresh this profile
    #[arg(long, value_name = "PROFILE", value_parser = ProfileName::parse)]
    profile: Option<ProfileName>,
    /// Refresh every profile of the agent (the default)
    #[arg(long, conflicts_with = "profile")]
    all: bool,
    /// Refresh even if the token is still valid
    #[arg(long)]
    force: bool,
    /// Accept URL as the token endpoint of this imported login in place of the built-in one
    #[arg(long, value_name = "URL", requires = "profile")]
    accept_endpoint: Option<String>,
}

impl Refresh {
    /// Refreshes.
    pub fn run(&self, system: &System) -> Answer {
        let mut output = Output::default();
        let (cx, agent) = (system.context(), &system.agent);
        let named = |name| cx.profile_id(agent, name);
        let profile = self.profile.as_ref().map(named).transpose()?;
        if let (Some(profile), Some(endpoint)) = (&profile, &self.accept_endpoint) {
            refresh::accept_endpoint(cx, agent, profile, endpoint)?;
        }
        let reports = refresh::run(cx, agent, profile.as_ref(), self.force)?;
        if reports.is_empty() {
            output = Output::line("No logins to refresh.");
        }
        for report in &reports {
            if let Ok(ValidToken {
                warning: Some(warning),
                ..
            }) = &report.result
            {
                let warning = Hint::about(&report.profile, warning);
                output = output.warnings([system.hints.text(&warning)]);
            }
            output.changed |= report.is_refreshed;
            let line = line(report, system.now());
            let profile = &report.profile;
            output.text.push_str(&format!("{profile}: {line}\n"));
        }
        let failures = reports.into_iter().filter_map(|report| report.result.err());
        let is_signal = |failure: &Failure| matches!(failure.kind, Kind::Cancelled(_));
        // A signal is told once, and decides about the exit code.
        let (signals, failures): (Vec<Failure>, Vec<Failure>) = failures.partition(is_signal);
        let mut told = signals.into_iter().take(1).chain(failures);
        output.failure = told.next();
        for failure in told {
            let lines = view::failure::lines(&system.hints, &failure);
            output.notes.extend(lines);
        }
        Ok(output)
    }
}

fn line(report: &Report, now: Timestamp) -> String {
    let end = |time: Option<Timestamp>| view::end(time, now);
    match &report.result {
        Ok(token) => outcome(
            token.how,
            &end(report.before),
            &end(token.credential.expires),
        ),
        Err(_) if report.is_refreshed => "refreshed before the signal".to_owned(),
        Err(failure) => {
            let what = match failure.kind {
                Kind::Cancelled(_) => "not refreshed",
                _ => "failed",
            };
            format!("{what}; token {}", end(report.before))
        }
    }
}

/// What became of a token that ended `before` and ends `now`.
fn outcome(how: RefreshResult, before: &str, now: &str) -> String {
    match how {
        RefreshResult::WasFresh => format!("still fresh; token {now}"),
        RefreshResult::StillAlive | RefreshResult::NoneLivesLonger => {
            format!("not refreshed; token {now}")
        }
        RefreshResult::Refreshed => format!("refreshed; previous token {before}; new token {now}"),
        RefreshResult::RefreshedElsewhere => {
            format!("refreshed by another process; previous token {before}; new token {now}")
        }
    }
}
