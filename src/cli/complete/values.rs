//! The values that are offered: what is there to be named.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Arg, Command};
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};

use crate::app::agents::registry;
use crate::app::status;
use crate::app::usecase::{list, providers};
use crate::app::{context::Context, models};
use crate::cli::global::Global;
use crate::cli::printer::{Color, Printer};
use crate::cli::system::System;
use crate::model::collation;
use crate::model::id::ProviderId;
use crate::model::provider::Provider;
use crate::model::reference;

/// What an argument names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Named {
    Agent,
    Method,
    Model,
    Profile,
    Provider,
}

impl Named {
    /// What an argument of the command of that name names, if it names one of them.
    fn by(command: &str, arg: &Arg) -> Option<Self> {
        Some(match arg.get_id().as_str() {
            "agent" => Self::Agent,
            "method" => Self::Method,
            "model" => Self::Model,
            "provider" | "token_provider" | "probe_provider" => Self::Provider,
            "profile" | "profiles" | "profile_id" | "token_profile_id" | "probe_profile"
            | "link" => Self::Profile,
            "id" if command == "provider" => Self::Provider,
            "id" => Self::Agent,
            _ => return None,
        })
    }
}

/// Gives each argument that names one of those the values that are there, of the state directory
/// and for the provider that the words name.
pub(super) fn offer(tree: Command, words: &[OsString]) -> Command {
    let words = words.iter().map(|word| word.to_string_lossy().into_owned());
    offer_below(tree, &Arc::new(Words(words.collect())))
}

fn offer_below(command: Command, words: &Arc<Words>) -> Command {
    let name = command.get_name().to_owned();
    command
        .mut_args(|arg| match Named::by(&name, &arg) {
            Some(named) => {
                let words = Arc::clone(words);
                arg.add(ArgValueCandidates::new(move || words.candidates(named)))
            }
            None => arg,
        })
        .mut_subcommands(|command| offer_below(command, words))
}

/// The words that stand on the command line.
struct Words(Vec<String>);

impl Words {
    fn candidates(&self, named: Named) -> Vec<CompletionCandidate> {
        let global = Global {
            instance: None,
            dev: false,
            agent: self.value_of("--agent"),
            state_dir: self.value_of("--state-dir").map(PathBuf::from),
            color: Color::Never,
            verbose: 0,
            json: false,
        };
        let printer = Arc::new(Printer::new(Color::Never));
        let Ok(system) = System::despite_faults(&global, &printer, false) else {
            return Vec::new();
        };
        let found = match named {
            Named::Agent => agents(system.context()),
            Named::Method => methods(system.context(), self.provider().as_ref()),
            Named::Model => models(&system),
            Named::Profile => profiles(&system, self.provider().as_ref()),
            Named::Provider => all_providers(&system),
        };
        // A line break would make two of one, and the rest steer the terminal.
        let shown = found
            .into_iter()
            .filter(|(value, _)| !value.contains(char::is_control));
        shown
            .map(|(value, help)| {
                let help = help.map(|text| text.replace(char::is_control, " "));
                CompletionCandidate::new(value).help(help.map(Into::into))
            })
            .collect()
    }

    fn provider(&self) -> Option<ProviderId> {
        ProviderId::parse(&self.value_of("--provider")?).ok()
    }

    /// The value of an option in front of the last word, which is being typed.
    fn value_of(&self, option: &str) -> Option<String> {
        let typed = self.0.len().saturating_sub(1);
        let words = &self.0[..typed];
        words.iter().enumerate().find_map(|(at, word)| {
            let value = match word.strip_prefix(option)? {
                "" => words.get(at + 1)?,
                rest => rest.strip_prefix('=')?,
            };
            Some(value.to_owned())
        })
    }
}

/// A value, and what is said beside it.
type Found = (String, Option<String>);

fn agents(cx: Context<'_>) -> Vec<Found> {
    let rows = registry::list(cx).into_iter();
    rows.map(|row| (row.id.to_string(), row.identity_name))
        .collect()
}

fn profiles(system: &System, provider: Option<&ProviderId>) -> Vec<Found> {
    let rows = list::in_file_order(system.context(), &system.agent, provider);
    let mut rows = rows.map(|outcome| outcome.rows).unwrap_or_default();
    rows.sort_by(|a, b| collation::compare(a.id.as_str(), b.id.as_str()));
    let rows = rows.into_iter();
    rows.map(|row| {
        let id = row.id.to_string();
        let label = Some(row.label).filter(|label| *label != id);
        (id, label)
    })
    .collect()
}

/// Those with a login first.
fn all_providers(system: &System) -> Vec<Found> {
    let cx = system.context();
    let stored = list::in_file_order(cx, &system.agent, None).map(|outcome| outcome.rows);
    let stored: BTreeSet<String> = (stored.unwrap_or_default().iter())
        .map(list::Row::provider_id)
        .collect();
    let known = catalogue(cx);
    let name = |id: &String| {
        let mut known = known.iter();
        let provider = known.find(|provider| provider.id.as_str() == id)?;
        Some(provider.name.clone())
    };
    let others = known.iter().map(|provider| provider.id.to_string());
    let others: Vec<String> = others.filter(|id| !stored.contains(id)).collect();
    let all = stored.iter().cloned().chain(others);
    all.map(|id| (id.clone(), name(&id))).collect()
}

fn methods(cx: Context<'_>, provider: Option<&ProviderId>) -> Vec<Found> {
    let all = match provider {
        Some(id) => cx.catalogue.get(id).into_iter().collect(),
        None => catalogue(cx),
    };
    let methods: BTreeSet<&str> = all.iter().flat_map(providers::methods).collect();
    let methods = methods.into_iter();
    methods.map(|method| (method.to_owned(), None)).collect()
}

fn models(system: &System) -> Vec<Found> {
    let cx = system.context();
    let request = status::Request {
        agent: system.agent.clone(),
        agent_named: system.agent_named(),
    };
    let rows = models::list::run(cx, &request, None).map(|outcome| outcome.rows);
    let rows = rows.unwrap_or_default().into_iter();
    let aliases = reference::aliases(&cx.settings.models).into_iter();
    aliases
        .map(|(alias, reference)| (alias, Some(reference)))
        .chain(rows.map(|row| (row.reference.to_string(), None)))
        .collect()
}

fn catalogue(cx: Context<'_>) -> Vec<Provider> {
    let listed = cx.catalogue.list().map(|listing| listing.providers);
    let listed = listed.unwrap_or_default().into_iter();
    listed.map(|(provider, _)| provider).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;

    fn forgotten(command: &Command, found: &mut Vec<String>) {
        for arg in command.get_arguments() {
            let name = arg.get_value_names().and_then(|names| names.first());
            let is_name = name.is_some_and(|name| {
                let names = ["PROFILE", "PROVIDER", "METHOD", "MODEL", "MODEL[@PROFILE]"];
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
    fn whatever_names_a_profile_provider_method_or_model_is_offered_values() {
        let mut found = Vec::new();
        forgotten(&Cli::described(), &mut found);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn options_in_front_of_the_cursor_count() {
        let words = |line: &str| Words(line.split(' ').map(str::to_owned).collect());
        let value = |line: &str| words(line).value_of("--provider");
        assert_eq!(
            value("openclaw --provider x --method ").as_deref(),
            Some("x")
        );
        assert_eq!(
            value("openclaw --provider=x --method ").as_deref(),
            Some("x")
        );
        assert_eq!(value("openclaw --provider x"), None);
        assert_eq!(value("openclaw --provider-new x "), None);
    }
}
