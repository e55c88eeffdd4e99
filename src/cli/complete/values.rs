//! The values that are offered, for what an argument names.

use std::ffi::{OsStr, OsString};
use std::sync::Arc;

use clap::{Arg, Command};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use strum::VariantNames as _;

use super::line::Line;
use super::names::{self, Found};
use crate::cli::printer::{Color, Printer};
use crate::cli::system::System;
use crate::model::cooldown::Reason;

/// What an argument names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    Agent,
    Alias,
    Method,
    Model,
    Profile,
    Provider,
    Reason,
    Session,
}

impl Named {
    /// What an argument of the command of that name names, if it names one of them.
    fn by(command: &str, arg: &Arg) -> Option<Self> {
        Some(match arg.get_id().as_str() {
            "agent" => Self::Agent,
            "alias" if command == "remove" => Self::Alias,
            "method" => Self::Method,
            "model" => Self::Model,
            "provider" | "token_provider" | "probe_provider" => Self::Provider,
            "profile" | "profiles" | "profile_id" | "token_profile_id" | "probe_profile"
            | "link" => Self::Profile,
            "failed" => Self::Reason,
            "session" => Self::Session,
            "id" if command == "provider" => Self::Provider,
            "id" => Self::Agent,
            _ => return None,
        })
    }
}

/// Gives each argument that names one of those the values that are there, of the state directory,
/// the agent and the provider that the words name.
pub(super) fn offer(tree: Command, words: &[OsString]) -> Command {
    offer_below(tree, &Arc::new(Line::new(words)))
}

fn offer_below(command: Command, line: &Arc<Line>) -> Command {
    let name = command.get_name().to_owned();
    command
        .mut_args(|arg| match Named::by(&name, &arg) {
            Some(named) => {
                let line = Arc::clone(line);
                let complete = move |typed: &OsStr| candidates(&line, named, typed);
                arg.add(ArgValueCompleter::new(complete))
            }
            None => arg,
        })
        .mut_subcommands(|command| offer_below(command, line))
}

fn candidates(line: &Line, named: Named, typed: &OsStr) -> Vec<CompletionCandidate> {
    let printer = Arc::new(Printer::new(Color::Never));
    let Ok(system) = System::despite_faults(&line.global(), &printer, false) else {
        return Vec::new();
    };
    let typed = typed.to_string_lossy();
    let found = found(&system, line, named).into_iter();
    let begun = found.filter_map(|found| {
        let value = begun(&system, named, &found, &typed)?;
        Some((value, found.help))
    });
    // A line break would make two of one, and the rest steer the terminal.
    begun
        .filter(|(value, _)| !value.contains(char::is_control))
        .map(|(value, help)| {
            let help = help.map(|text| text.replace(char::is_control, " "));
            CompletionCandidate::new(value).help(help.map(Into::into))
        })
        .collect()
}

fn found(system: &System, line: &Line, named: Named) -> Vec<Found> {
    let cx = system.context();
    let provider = || names::provider(system, &line.value_of("--provider")?);
    match named {
        Named::Agent => names::agents(cx),
        Named::Alias => names::aliases(cx),
        Named::Method => names::methods(cx, provider().as_ref()),
        Named::Model => names::models(system),
        Named::Profile => names::profiles(system, provider().as_ref()),
        Named::Provider => names::all_providers(system),
        Named::Reason => Reason::VARIANTS.iter().copied().map(Found::plain).collect(),
        Named::Session => names::sessions(system),
    }
}

/// What was found as it was begun: by its own name, or by another one that stands for it.
fn begun(system: &System, named: Named, found: &Found, typed: &str) -> Option<String> {
    if found.value.starts_with(typed) {
        return Some(found.value.clone());
    }
    let is_meant = |other: &&String| match named {
        Named::Profile => names::is_profile(system, other, &found.value),
        Named::Provider => {
            names::provider(system, other).is_some_and(|id| id.as_str() == found.value)
        }
        _ => true,
    };
    let mut others = found.others.iter();
    let other = others.find(|other| other.starts_with(typed) && is_meant(other));
    other.cloned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;

    fn forgotten(command: &Command, found: &mut Vec<String>) {
        for arg in command.get_arguments() {
            let name = arg.get_value_names().and_then(|names| names.first());
            let is_name = name.is_some_and(|name| {
                let names = [
                    "PROFILE",
                    "PROVIDER",
                    "METHOD",
                    "MODEL",
                    "MODEL[@PROFILE]",
                    "REASON",
                    "KEY",
                ];
                names.contains(&name.as_str())
            });
            if is_name && Named::by(command.get_name(), arg).is_none() {
                found.push(format!("{} {}", command.get_name(), arg.get_id()));
            }
        }
        for command in command.get_subcommands() {
            forgotten(command, found);
        }
    }

    #[test]
    fn whatever_is_named_is_offered_values() {
        let mut found = Vec::new();
        forgotten(&Cli::described(), &mut found);
        assert!(found.is_empty(), "{found:?}");
    }
}
