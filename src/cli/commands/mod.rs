//! One file per command: its arguments, its call, its view. The folders are the command tree.

pub mod agents;
pub mod auth;
pub mod channels;
pub mod completions;
pub mod doctor;
#[cfg(feature = "gateway")]
pub mod gateway;
pub mod models;
pub mod onboard;
pub mod provider;
pub mod secrets;
pub mod tick;

use std::sync::Arc;

use clap::Subcommand;
#[cfg(feature = "gateway")]
use gateway::GatewayCommand;

use super::global::Global;
use super::lazy_args::Deferred;
use super::output::{Answer, Output};
use super::printer::Printer;
#[cfg(feature = "gateway")]
use super::system::engine::SystemEngine;
use super::system::{self, System};
use super::{exit_code, view};
use crate::app::failure::{Failure, Kind};
use crate::app::login;
use crate::app::refresh::recover;
use crate::app::secrets::moving::unfinished;
use crate::cli::hint::Renderer;

/// The first word.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Manage model providers: credentials, status and default models
    Models(Deferred<models::Models>),
    /// Set up a first login: choose a provider, a method and an agent
    Onboard(Deferred<onboard::Onboard>),
    /// Show or refresh the token of one provider
    Provider(Deferred<provider::Provider>),
    /// Manage agents and the credentials they inherit
    Agents(Deferred<agents::Agents>),
    /// Store named secrets, sealed, and manage the key that opens them
    Secrets(Deferred<secrets::Secrets>),
    /// Check and remove the logins that a running gateway keeps
    Auth(Deferred<auth::Auth>),
    /// List logins in the format of OpenClaw's channels command
    Channels(Deferred<channels::Channels>),
    /// Check that this system can store credentials safely
    Doctor(Deferred<doctor::Doctor>),
    /// Refresh tokens that are due and warn about expiring logins (for cron and systemd)
    Tick(Deferred<tick::Tick>),
    /// Serve the logins of this machine to programs and people, with a web page
    #[cfg(feature = "gateway")]
    Gateway(Deferred<gateway::Gateway>),
    /// Print or install a shell completion script
    Completions(Deferred<completions::Completions>),
}

#[cfg(feature = "gateway")]
impl Command {
    /// Whether it runs until it is told to stop.
    pub fn serves(&self) -> bool {
        matches!(self, Self::Gateway(gateway) if gateway.serves())
    }
}

impl Command {
    /// Whether it is about credentials of this machine.
    fn needs_store(&self) -> bool {
        match self {
            Self::Auth(_) | Self::Completions(_) => false,
            Self::Models(models) => models.needs_store(),
            #[cfg(feature = "gateway")]
            Self::Gateway(gateway) => gateway.needs_store(),
            _ => true,
        }
    }
}

/// Completes what a killed process left: a move, and the answers to refreshes and to logins.
fn recover_pending(system: &System) {
    if system.context().lease.is_some() {
        return;
    }
    unfinished::finish_pending(system.context());
    recover::recover_pending(system.context());
    login::recover::recover_pending(system.context());
}

/// Runs a parsed command line; the exit code of a command that did what it was asked for.
pub fn run(command: &Command, global: &Global, printer: &Arc<Printer>) -> Result<u8, Failure> {
    if command.needs_store() {
        system::require_store()?;
    }
    let start = |events| -> Result<System, Failure> {
        let system = System::new(global, printer, events)?;
        recover_pending(&system);
        Ok(system)
    };
    let ordinary = |command: &dyn Fn(&System) -> Answer| {
        let system = start(false)?;
        finish(command(&system), &system)
    };
    match command {
        Command::Onboard(onboard) => ordinary(&|system| onboard.run(system)),
        Command::Models(models) if models.prompt().is_some() => {
            // Nothing of it may fail, and nothing be written.
            let system = System::despite_faults(global, printer, false).ok();
            if let Some(items) = models.prompt().map(|status| status.prompt(system.as_ref()))
                && !items.is_empty()
            {
                // In colour only where that was asked for by name: a shell counts the columns of its
                // prompt. One that cannot be written has no reader.
                let text = view::status_prompt::render(&items, printer.must_color());
                let _ = printer.line_out(&text);
            }
            Ok(0)
        }
        Command::Models(models) => {
            let system = match models.only_looks() {
                true => System::new(global, printer, false)?,
                false => start(models.wants_events())?,
            };
            finish(models.run(&system), &system)
        }
        Command::Provider(provider) => ordinary(&|system| provider.run(system)),
        Command::Agents(agents) => ordinary(&|system| agents.run(system)),
        Command::Secrets(secrets) => {
            // What a killed process left may need the key, and is left for the next command.
            let system = System::new(global, printer, false)?;
            finish(secrets.run(&system), &system)
        }
        Command::Auth(auth) => {
            // What a killed process left here is no matter of a gateway.
            let system = System::new(global, printer, false)?;
            finish(auth.run(&system), &system)
        }
        Command::Tick(tick) => ordinary(&|system| tick.run(system)),
        Command::Channels(channels) => ordinary(&|system| channels.run(system)),
        Command::Doctor(doctor) => match doctor.rival() {
            Some(path) => doctor::compete(path, printer),
            None => {
                let system = System::despite_faults(global, printer, false)?;
                // What a dead process left is not for one to store who does not know the agents.
                if system.fault.is_none() {
                    recover_pending(&system);
                }
                doctor.run(&system)?.print(printer)
            }
        },
        #[cfg(feature = "gateway")]
        Command::Gateway(gateway) => match &gateway.command {
            GatewayCommand::Run(run) => {
                let asked = run.database.asked();
                run.run(&Arc::new(SystemEngine::new(global, printer, asked)?))
            }
            GatewayCommand::Database(command) => {
                let system = System::of_database(global, printer, &command.asked())?;
                finish(command.run(&system), &system)
            }
            GatewayCommand::Other(other) => ordinary(&|system| other.run(system)),
        },
        Command::Completions(completions) => {
            let system = || System::despite_faults(global, printer, false);
            completions.run(&system)?.print(printer)
        }
    }
}

/// Prints the answer, then tells people what happened: a hook may take its time. What happened
/// before a signal is told all the same, for no later command knows of it.
fn finish(result: Result<Output, Failure>, system: &System) -> Result<u8, Failure> {
    let printed = result.and_then(|output| output.print(&system.printer));
    let result = named(printed, system);
    let code = result.unwrap_or_else(|failure| fail(&system.hints, &system.printer, &failure));
    system.tell_alerts();
    Ok(code)
}

/// Says what went wrong; the exit code.
pub(super) fn fail(hints: &Renderer, printer: &Printer, failure: &Failure) -> u8 {
    view::failure::print(printer, hints, failure);
    exit_code::code(failure.kind)
}

/// A prompt knows that it was cancelled and not by which signal.
fn named(result: Result<u8, Failure>, system: &System) -> Result<u8, Failure> {
    result.map_err(|mut failure| {
        let signal = system.context().interrupt.pending();
        if let (Kind::Cancelled(_), Some(signal)) = (failure.kind, signal) {
            failure.kind = Kind::Cancelled(signal);
        }
        failure
    })
}
