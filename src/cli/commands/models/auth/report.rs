//! `models auth report`.

use std::str::FromStr as _;
use std::time::Duration;

use clap::{ArgGroup, Args};

use crate::app::usecase::report::{self, RequestOutcome, State};
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::cli::value_parsers::seconds;
use crate::cli::view;
use crate::model::cooldown::Reason;
use crate::model::named::ProfileName;

/// Report the outcome of a request so that rotation picks the right account
///
/// After a failure, the profile cools down and is skipped for a while, as in OpenClaw; a success
/// ends the cooldown. Only reported outcomes count, not printed tokens. REASON is rate_limit (429),
/// auth (401, 403), auth_permanent, billing (402), timeout, format or unknown.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("ending").required(true))]
#[command(after_help = "Examples:
  openclaw models auth report anthropic:work --ok
  openclaw models auth report anthropic:work --failed rate_limit --retry-after 30
  openclaw models auth report anthropic:work --failed rate_limit --model claude-opus-4-6

See docs/account-rotation.md for cooldown times and examples/rotate.sh for a script.")]
pub struct Report {
    /// Profile that was used, as shown by `models auth token --json`
    #[arg(value_name = "PROFILE", value_parser = ProfileName::parse)]
    profile: ProfileName,
    /// The request succeeded
    #[arg(long, group = "ending")]
    ok: bool,
    /// The request failed for this reason
    #[arg(long, group = "ending", value_name = "REASON", value_parser = Reason::from_str)]
    failed: Option<Reason>,
    /// Model that was requested; a rate limit may only apply to it
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// Retry-After of the response, at most one day (default unit: seconds)
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    #[arg(conflicts_with = "ok")]
    retry_after: Option<Duration>,
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

impl Report {
    /// Writes it down.
    pub fn run(&self, system: &System) -> Answer {
        let cx = system.context();
        let outcome = report::run(
            cx,
            &report::Request {
                agent: system.agent.clone(),
                profile: cx.profile_id(&system.agent, &self.profile)?,
                model: self.model.clone(),
                ending: self.failed.map_or(RequestOutcome::Worked, |reason| {
                    RequestOutcome::Failed {
                        reason,
                        retry_after: self.retry_after,
                    }
                }),
            },
        )?;
        let output = match self.json {
            true => Output::json(&view::versioned(&outcome)),
            false => Output::line(view::report::text(&outcome, system.local())),
        };
        Ok(output.changed(outcome.state != State::Exempt))
    }
}
