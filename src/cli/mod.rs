//! Floor 4: the edge. Arguments in, exit code out.

pub mod args;
mod argv;
mod choose;
mod clipboard;
pub mod commands;
mod device_code;
pub mod events;
pub mod exit_code;
mod input;
pub mod lazy_args;
mod line_editor;
pub mod log;
pub mod printer;
mod raw;
mod screen;
pub mod system;
pub mod terminal;
mod usage;
pub mod view;

use std::ffi::OsString;
use std::mem::ManuallyDrop;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{CommandFactory, FromArgMatches};

use crate::app::failure::Failure;
use args::Cli;
use printer::Printer;

/// Runs one command line, program name first.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match parse(args) {
        Ok(cli) => cli,
        Err(error) => return exit_code::of_parse(&usage::advised(error)),
    };
    let printer = Arc::new(Printer::new(cli.global.color));
    log::start(cli.global.verbose);
    match commands::run(&cli, &printer) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => ExitCode::from(fail(&cli, &printer, failure)),
    }
}

/// Says what went wrong; the exit code.
fn fail(cli: &Cli, printer: &Printer, failure: Failure) -> u8 {
    let failure = cli.global.aim(failure);
    view::failure::print(printer, &failure);
    exit_code::code(failure.kind)
}

/// Understands a command line, program name first.
///
/// What is wrong, or asked about, is told by the tree in which every command has the options of
/// every command; what is right is understood without those copies. Neither tree is taken apart
/// afterwards: it would cost a tenth of what it costs to print a token.
///
/// # Errors
/// What the parser has to say, which may be its help.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let args = argv::complete(args);
    let mut brief = ManuallyDrop::new(Cli::brief());
    if let Ok(mut matches) = brief.try_get_matches_from_mut(argv::in_front(&args))
        && let Ok(cli) = Cli::from_arg_matches_mut(&mut matches)
    {
        return Ok(cli);
    }
    let mut command = ManuallyDrop::new(Cli::command());
    let mut matches = command.try_get_matches_from_mut(args)?;
    Cli::from_arg_matches_mut(&mut matches).map_err(|error| error.format(&mut command))
}
