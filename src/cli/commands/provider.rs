//! `provider <id>`: one provider's token, in the words of the guide that many people follow.

use clap::{Args, Subcommand};

use crate::app::failure::{Failure, Kind};
use crate::app::refresh::outcome::RefreshResult;
use crate::app::usecase::refresh;
use crate::app::usecase::token_status::{self, Report};
use crate::cli::printer::Printer;
use crate::cli::system::System;
use crate::cli::view::token_status as view;
use crate::model::id::ProviderId;

/// The token of one provider: how long it lives, and a new one by force
#[derive(Debug, Args)]
pub struct Provider {
    /// The provider
    #[arg(value_name = "ID")]
    id: String,
    #[command(subcommand)]
    command: ProviderCommand,
}

// A comment on a variant would take the place of the long help of its command.
#[derive(Debug, Subcommand)]
enum ProviderCommand {
    TokenStatus(TokenStatus),
    RefreshToken(RefreshToken),
}

/// Say when the current token ends, and what renews it
///
/// Of the profile that selection takes. Touches nothing and asks nobody.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw provider codex token-status

The exit code is 3 if nothing can be handed out without a person.")]
struct TokenStatus {}

/// Get a new token now
///
/// Also if the current one lives long enough. With --verbose, says what was there before.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw provider codex refresh-token --verbose")]
struct RefreshToken {}

impl Provider {
    /// Runs it.
    ///
    /// # Errors
    /// What the command failed with.
    pub fn run(&self, system: &System, printer: &Printer) -> Result<u8, Failure> {
        let request = token_status::Request {
            agent: system.agent().clone(),
            provider: ProviderId::parse(&self.id)?,
        };
        let report = token_status::run(system.context(), &request)?;
        match self.command {
            ProviderCommand::TokenStatus(_) => {
                printer.out(&view::status(&report, system.now()))?;
                let failure = report.failure(&request.provider, system.now());
                failure.map_or(Ok(0), Err)
            }
            ProviderCommand::RefreshToken(_) => refresh(system, printer, &report),
        }
    }
}

fn refresh(system: &System, printer: &Printer, before: &Report) -> Result<u8, Failure> {
    let Some(profile) = &before.profile else {
        let message = format!(
            "the token comes from {}, which is never refreshed",
            before.source
        );
        return Err(Failure::new(Kind::Usage, message));
    };
    if system.global().verbose > 0 {
        printer.out(&view::before_refresh(before, system.now()))?;
    }
    let request = refresh::Request {
        agent: system.agent().clone(),
        profile: Some(profile.clone()),
        force: true,
    };
    for report in refresh::run(system.context(), &request)? {
        let living = report.result?;
        let written = printer.out(&view::after_refresh(&living, system.now()));
        let changed = living.how == RefreshResult::Refreshed;
        written.map_err(|error| Failure::unwritten(&error, changed))?;
    }
    Ok(0)
}
