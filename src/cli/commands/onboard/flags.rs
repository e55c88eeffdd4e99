//! The flags of `onboard` that are made from the table of choices: a key each, and what is stored
//! beside it.

use clap::builder::{StringValueParser, TypedValueParser};
use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};

use crate::app::context::Context;
use crate::app::onboard::Given;
use crate::app::onboard::choices::{ALIASES, ROWS, SKIP, TOKEN};
use crate::model::secret::Secret;

/// What stands for standard input.
const INPUT: &str = "-";

/// What the help says above them.
const HEADING: &str = "API keys (- for standard input)";

/// Flags of the reference release for what is never done here: given, they change nothing.
const NEVER_DONE: [&str; 6] = [
    "skip-channels",
    "skip-daemon",
    "skip-health",
    "skip-skills",
    "skip-ui",
    "no-install-daemon",
];

/// The flags that were given.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyFlags {
    /// Keys, by the name of their flag.
    pub(super) keys: Vec<(&'static str, Given)>,
    /// What is stored beside one, by the name of its flag.
    pub(super) beside: Vec<(&'static str, String)>,
}

/// Each flag that brings a key, once, and the choices that it serves.
fn key_flags() -> Vec<(&'static str, String)> {
    let mut flags: Vec<(&str, String)> = Vec::new();
    for row in ROWS {
        let Some(flag) = row.flag else { continue };
        match flags.iter_mut().find(|(known, _)| *known == flag) {
            Some((_, choices)) => choices.push_str(&format!(", {}", row.name)),
            None => flags.push((flag, row.name.to_owned())),
        }
    }
    flags
}

fn beside_flags() -> impl Iterator<Item = &'static str> {
    ROWS.iter()
        .flat_map(|row| row.beside)
        .map(|(flag, _)| *flag)
}

impl Args for KeyFlags {
    fn augment_args(command: Command) -> Command {
        with_flags(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn with_flags(mut command: Command) -> Command {
    for (flag, choices) in key_flags() {
        command = command.arg(
            Arg::new(flag)
                .long(flag)
                .value_name("KEY|-")
                .help(format!("API key for {choices}"))
                .help_heading(HEADING)
                .value_parser(StringValueParser::new().map(secret)),
        );
    }
    for flag in beside_flags() {
        let arg = Arg::new(flag).long(flag).value_name("ID");
        let help = "Stored with the gateway key";
        command = command.arg(arg.help(help).help_heading(HEADING));
    }
    for flag in NEVER_DONE {
        let arg = Arg::new(flag).long(flag).hide(true);
        command = command.arg(arg.action(ArgAction::SetTrue));
    }
    let mode = Arg::new("mode").long("mode").value_parser(["local"]);
    command.arg(mode.hide(true))
}

impl FromArgMatches for KeyFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        let key = |flag| {
            let value: &Secret<String> = matches.get_one(flag)?;
            Some((flag, given(value)))
        };
        let beside = |flag| {
            let value: &String = matches.get_one(flag)?;
            Some((flag, value.clone()))
        };
        self.keys = key_flags()
            .iter()
            .filter_map(|(flag, _)| key(flag))
            .collect();
        self.beside = beside_flags().filter_map(beside).collect();
        Ok(())
    }
}

/// A value that no `Debug` shows.
pub(super) fn secret(text: String) -> Secret<String> {
    Secret::new(text)
}

/// How the value of a flag gives its secret.
pub(super) fn given(value: &Secret<String>) -> Given {
    match value.expose().as_str() {
        INPUT => Given::Input,
        _ => Given::Argument(value.clone()),
    }
}

/// Tells that an argument is no place for a secret.
pub(super) fn warn_of_arguments<'a>(
    cx: Context<'_>,
    flags: impl Iterator<Item = (&'a str, &'a Given)>,
) {
    for (flag, given) in flags {
        if let Given::Argument(_) = given {
            let text = format!(
                "arguments are visible to other users of this machine and kept in the shell history: pass the secret on standard input with --{flag} -, or a key in its environment variable"
            );
            cx.warn(text);
        }
    }
}

/// The names of `--auth-choice`, for the help.
pub(super) fn names() -> String {
    let rows = ROWS.iter().map(|row| row.name);
    let names: Vec<&str> = [SKIP, TOKEN].into_iter().chain(rows).collect();
    let older: Vec<String> = ALIASES
        .iter()
        .map(|(old, new)| format!("{old} for {new}"))
        .collect();
    format!(
        "Choices: PROVIDER, PROVIDER/METHOD, {}.\nOlder names: {}.",
        names.join(", "),
        older.join(", ")
    )
}
