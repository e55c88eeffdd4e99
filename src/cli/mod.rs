//! Floor 4: the edge. Arguments in, exit code out.

mod argv;
mod choose;
mod clipboard;
pub mod commands;
mod complete;
pub mod events;
pub mod exit_code;
pub mod global;
pub mod hint;
mod input;
pub mod lazy_args;
mod line_editor;
pub mod log;
#[cfg(feature = "gateway")]
mod log_queue;
pub mod output;
mod parse_error;
pub mod printer;
mod raw_mode;
mod screen;
pub mod system;
pub mod terminal;
mod value_parsers;
pub mod view;

use std::error::Error;
use std::ffi::OsString;
use std::mem::ManuallyDrop;
use std::process::ExitCode;
use std::sync::Arc;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser};

use crate::app::failure::Kind;
use crate::model::id::IdError;
use commands::Command;
use global::Global;
use hint::Renderer;
use printer::{Color, Printer};

/// Log in to AI providers and manage their credentials.
#[derive(Debug, Parser)]
#[command(
    name = "openclaw",
    version,
    propagate_version = true,
    max_term_width = 100
)]
#[command(
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(after_help = "Examples:
  openclaw models auth login --provider openai-codex
  printf %s \"$TOKEN\" | openclaw models auth paste-token --provider anthropic
  openclaw models auth token --provider openai-codex --header | curl -H @- https://…
  openclaw models status --check")]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// The tree of commands with every one described, which parsing leaves out.
    pub fn described() -> clap::Command {
        let mut command = Self::command();
        command.build();
        command
    }

    /// The tree of commands for a command line on which the options of every command come first, and
    /// that asks for no help: who does is answered by the whole tree.
    fn brief() -> clap::Command {
        Self::command()
            .mut_args(|argument| argument.global(false))
            .disable_help_flag(true)
            .disable_version_flag(true)
            .propagate_version(false)
    }
}

/// Runs one command line, program name first.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.into_iter().collect();
    if let Some(code) = complete::answer(&args, Cli::described) {
        return code;
    }
    let cli = match parse(args.iter().cloned()) {
        Ok(cli) => cli,
        Err(error) => return tell(error, argv::color(&args)),
    };
    let printer = Arc::new(Printer::new(cli.global.color));
    #[cfg(feature = "gateway")]
    let _log = (cli.command.serves())
        .then(|| log::start_for_server(cli.global.verbose).ok())
        .flatten();
    log::start(cli.global.verbose);
    match commands::run(&cli.command, &cli.global, &printer) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => ExitCode::from(commands::fail(
            &Renderer::new(&cli.global),
            &printer,
            &failure,
        )),
    }
}

/// Tells why a command line was not understood, or its help: a name that cannot be one in our own
/// words, which never repeat it.
fn tell(error: clap::Error, color: Color) -> ExitCode {
    match error
        .source()
        .and_then(<dyn Error>::downcast_ref::<IdError>)
    {
        Some(error) => {
            Printer::new(color).line_err(&format!("Error: {error}"));
            ExitCode::from(exit_code::code(Kind::Usage))
        }
        None => exit_code::of_parse(&parse_error::advised(error, Cli::described)),
    }
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
        && let Ok(cli) = understood(&mut matches)
    {
        return Ok(cli);
    }
    // Help and errors are painted before `--color` is understood.
    let color = argv::color(&args).into();
    let mut command = ManuallyDrop::new(Cli::command().color(color));
    let mut matches = command.try_get_matches_from_mut(args)?;
    understood(&mut matches).map_err(|error| error.format(&mut command))
}

fn understood(matches: &mut ArgMatches) -> Result<Cli, clap::Error> {
    let json = wants_json(matches);
    let mut cli = Cli::from_arg_matches_mut(matches)?;
    cli.global.json = json;
    Ok(cli)
}

/// Whether the command that was called has `--json`.
fn wants_json(matches: &ArgMatches) -> bool {
    let mut called = matches;
    while let Some((_, below)) = called.subcommand() {
        called = below;
    }
    matches!(called.try_get_one::<bool>("json"), Ok(Some(true)))
}
