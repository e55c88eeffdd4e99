//! One file per command: its arguments, its call, its view. The folders are the command tree.

pub mod agents;
pub mod completions;
pub mod models;

use std::sync::Arc;
use std::time::Duration;

use clap::Subcommand;

use super::args::Cli;
use super::printer::Printer;
use super::wire::System;
use crate::app::failure::{Failure, Kind};
use crate::app::rescue;
use crate::model::time::parse_duration;

/// The first word.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Credentials of model providers: log in, hand out, show
    Models(models::Models),
    /// Agents: each has its own credentials and reads through to main's
    Agents(agents::Agents),
    /// Print a completion script for a shell
    Completions(completions::Completions),
}

/// Runs a parsed command line; the exit code of a command that did what it was asked for.
///
/// # Errors
/// What the command failed with.
pub fn run(cli: &Cli, printer: &Arc<Printer>) -> Result<u8, Failure> {
    let start = |events| -> Result<System, Failure> {
        let system = System::new(&cli.global, printer, events)?;
        rescue::take_in(system.ports());
        Ok(system)
    };
    match &cli.command {
        Command::Models(models) => {
            let system = start(models.wants_events())?;
            let result = models.run(&system, printer);
            result.map_err(|failure| named(failure, &system))
        }
        Command::Agents(agents) => {
            let system = start(false)?;
            let result = agents.run(&system, printer);
            result.map_err(|failure| named(failure, &system))
        }
        Command::Completions(completions) => completions.run(printer),
    }
}

/// A prompt knows that it was cancelled and not by which signal.
fn named(mut failure: Failure, system: &System) -> Failure {
    if let (Kind::Cancelled(_), Some(signal)) = (failure.kind, system.ports().interrupt.pending()) {
        failure.kind = Kind::Cancelled(signal);
    }
    failure
}

/// A duration of which a bare number is seconds: `90`, `10m`, `1.5h`.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    parse_duration(text, "s")
}

/// A duration of which a bare number is days, as `--expires-in` of the reference release.
pub(super) fn days(text: &str) -> Result<Duration, String> {
    parse_duration(text, "d")
}
