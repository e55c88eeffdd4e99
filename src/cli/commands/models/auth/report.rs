//! `models auth report`.

use std::str::FromStr as _;
use std::time::Duration;

use clap::{ArgGroup, Args};

use crate::app::failure::Failure;
use crate::app::usecase::report::{self, RequestOutcome, State};
use crate::cli::output::Output;
use crate::cli::system::System;
use crate::cli::value_parsers::seconds;
use crate::cli::view;
use crate::model::cooldown::Reason;
use crate::model::id::ProfileId;

/// Tell how a request with a profile ended, so that the right account is next
///
/// After a failure the profile is passed over for a while, as OpenClaw would; after a success
/// nothing is held against it any more. Only what you tell is written down: handing out a token
/// counts for nothing. REASON is rate_limit (429), auth (401, 403), auth_permanent, billing (402),
/// timeout, format or unknown.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("ending").required(true))]
#[command(after_help = "Examples:
  openclaw models auth report anthropic:work --ok
  openclaw models auth report anthropic:work --failed rate_limit --retry-after 30
  openclaw models auth report anthropic:work --failed rate_limit --model claude-opus-4-6

docs/account-rotation.md tells how long it is passed over; examples/rotate.sh shows it in a script.")]
pub struct Report {
    /// The profile, as `models auth token --json` names it
    #[arg(value_name = "PROFILE", value_parser = ProfileId::parse)]
    profile: ProfileId,
    /// It ended well
    #[arg(long, group = "ending")]
    ok: bool,
    /// It failed, and why
    #[arg(long, group = "ending", value_name = "REASON", value_parser = Reason::from_str)]
    failed: Option<Reason>,
    /// The model that was asked for: a rate limit may concern it alone
    #[arg(long, value_name = "MODEL")]
    model: Option<String>,
    /// What the server's Retry-After asks for, at most a day; seconds without a unit
    #[arg(long, value_name = "DURATION", value_parser = seconds)]
    #[arg(conflicts_with = "ok")]
    retry_after: Option<Duration>,
    /// Print what follows as JSON
    #[arg(long)]
    json: bool,
}

impl Report {
    /// Writes it down.
    ///
    /// # Errors
    /// What the use case says.
    pub fn run(&self, system: &System) -> Result<Output, Failure> {
        let outcome = report::run(
            system.context(),
            &report::Request {
                agent: system.agent().clone(),
                profile: self.profile.clone(),
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
            true => Output::json(&view::report::document(&outcome)),
            false => Output::line(&view::report::text(&outcome, system.now())),
        };
        Ok(output.changed(outcome.state != State::Exempt))
    }
}
