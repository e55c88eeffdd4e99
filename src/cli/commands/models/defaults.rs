//! `models set`, `set-image`, `fallbacks` and `image-fallbacks`.

use std::path::Path;

use clap::{Args, Subcommand};
use serde_json::json;

use super::list::Form;
use crate::app::failure::{Failure, Kind};
use crate::app::models::Target;
use crate::app::models::defaults;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::cli::view;
use crate::config::edit::Role;
use crate::model::reference::ModelRef;

#[expect(missing_docs, reason = "it would be the help of both commands")]
#[derive(Debug, Args)]
pub struct Fallbacks {
    #[command(subcommand)]
    command: FallbacksCommand,
}

#[derive(Debug, Subcommand)]
enum FallbacksCommand {
    /// List fallbacks in the order they are tried
    #[command(after_help = "Examples:
  openclaw models fallbacks list --plain
  openclaw models image-fallbacks list --json")]
    List(Form),
    /// Add a fallback to the end of the list
    #[command(after_help = "Examples:
  openclaw models fallbacks add openai/gpt-5.2
  openclaw models image-fallbacks add openai/gpt-5.2")]
    Add(Model),
    /// Remove a fallback
    #[command(after_help = "Examples:
  openclaw models fallbacks remove openai/gpt-5.2
  openclaw models image-fallbacks remove openai/gpt-5.2")]
    Remove(Model),
    /// Remove all fallbacks
    #[command(after_help = "Examples:
  openclaw models fallbacks clear
  openclaw models image-fallbacks clear")]
    Clear,
}

#[expect(missing_docs, reason = "it would be the help of both commands")]
#[derive(Debug, Args)]
pub struct Model {
    /// Model, as provider/model or alias
    model: String,
}

/// The defaults are those of all agents, so a write for one agent would be one for the others, too.
pub(super) fn for_all(system: &System) -> Result<(), Failure> {
    if !system.agent_named() {
        return Ok(());
    }
    let message = "the defaults apply to every agent, so --agent is not supported";
    let hint = "omit --agent, or set \"model\" of that agent in agents.list of openclaw.json";
    Err(Failure::new(Kind::Usage, message).hint(hint))
}

/// Sets the model of a role.
pub(super) fn set(system: &System, role: Role, model: &Model) -> Answer {
    for_all(system)?;
    let outcome = defaults::set(system.context(), role, &model.model)?;
    let what = match role {
        Role::Model => "Default model",
        Role::Image => "Image model",
    };
    let target = outcome.target.as_ref();
    let model = target.map(|target| target.reference.to_string());
    let line = format!("{what}: {}", model.unwrap_or_default());
    Ok(changed(target, outcome.written.as_deref(), &line))
}

/// What was changed in which file, which model was taken for a name that nothing is known of, and
/// whether its provider is known.
pub(super) fn changed(target: Option<&Target>, path: Option<&Path>, line: &str) -> Output {
    let updated = path.map(|path| format!("Updated {}\n", path.display()));
    let guess = target.and_then(|target| {
        let text = target.guessed.as_ref()?;
        Some(format!(
            "{text} is not an alias; using {}",
            target.reference
        ))
    });
    let unknown = target.filter(|target| target.is_unknown).map(|target| {
        let ModelRef { provider, .. } = &target.reference;
        match &target.near {
            Some(near) => format!("unknown provider {provider}; did you mean {near}?"),
            None => format!(
                "unknown provider {provider}; {} cannot be used until it is configured",
                target.reference
            ),
        }
    });
    let warnings = guess.into_iter().chain(unknown);
    Output::text(format!("{}{line}\n", updated.unwrap_or_default())).warnings(warnings)
}

impl Fallbacks {
    /// Does what is asked for the models of a role.
    pub fn run(&self, system: &System, role: Role) -> Answer {
        let cx = system.context();
        let title = match role {
            Role::Model => "Fallbacks",
            Role::Image => "Image fallbacks",
        };
        if let FallbacksCommand::List(form) = &self.command {
            let choice = match role {
                Role::Model if system.agent_named() => cx.settings.model_of(&system.agent),
                role => defaults::choice(cx, role),
            };
            let fallbacks = choice.fallbacks.unwrap_or_default();
            return Ok(match form.json {
                true => Output::json(&json!({ "fallbacks": fallbacks })),
                false => Output::text(view::models::entries(title, &fallbacks, form.plain)),
            });
        }
        for_all(system)?;
        let outcome = match &self.command {
            FallbacksCommand::Add(Model { model }) => defaults::add_fallback(cx, role, model)?,
            FallbacksCommand::Remove(Model { model }) => {
                defaults::remove_fallback(cx, role, model)?
            }
            FallbacksCommand::List(_) | FallbacksCommand::Clear => {
                defaults::clear_fallbacks(cx, role)?
            }
        };
        let line = match self.command {
            FallbacksCommand::Clear => format!("{} list cleared.", title.trim_end_matches('s')),
            _ => format!("{title}: {}", outcome.fallbacks.join(", ")),
        };
        Ok(changed(
            outcome.target.as_ref(),
            outcome.written.as_deref(),
            &line,
        ))
    }
}
