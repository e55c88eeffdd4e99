//! `models set`, `set-image`, `fallbacks` and `image-fallbacks`.

use clap::{Args, Subcommand};

use super::list::Form;
use crate::app::failure::{Failure, Kind};
use crate::app::models::Target;
use crate::app::models::defaults::{self, Outcome};
use crate::cli::printer::Printer;
use crate::cli::system::System;
use crate::cli::view;
use crate::config::edit::Role;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Set the default model
///
/// In `agents.defaults` of openclaw.json, for every agent without a model of its own. The fallbacks
/// stay.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models set anthropic/claude-opus-4-6
  openclaw models set opus")]
pub struct Set {
    /// The model, as provider/model or by its alias
    model: String,
}

/// Set the model that looks at images
///
/// In `agents.defaults` of openclaw.json. Its fallbacks stay.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models set-image google/gemini-3-pro-preview")]
pub struct SetImage {
    /// The model, as provider/model or by its alias
    model: String,
}

/// List and change the models that are tried when the default one fails
#[derive(Debug, Args)]
pub struct Fallbacks {
    #[command(subcommand)]
    command: FallbacksCommand,
}

/// List and change the models that are tried when the image model fails
#[derive(Debug, Args)]
pub struct ImageFallbacks {
    #[command(subcommand)]
    command: FallbacksCommand,
}

#[derive(Debug, Subcommand)]
enum FallbacksCommand {
    /// List them in the order in which they are tried
    #[command(after_help = "Examples:
  openclaw models fallbacks list --plain
  openclaw models image-fallbacks list --json")]
    List(Form),
    /// Try one more, after all others
    #[command(after_help = "Examples:
  openclaw models fallbacks add openai/gpt-5.2
  openclaw models image-fallbacks add openai/gpt-5.2")]
    Add(Model),
    /// Try one no longer
    #[command(after_help = "Examples:
  openclaw models fallbacks remove openai/gpt-5.2
  openclaw models image-fallbacks remove openai/gpt-5.2")]
    Remove(Model),
    /// Try none
    #[command(after_help = "Examples:
  openclaw models fallbacks clear
  openclaw models image-fallbacks clear")]
    Clear,
}

/// A model.
#[derive(Debug, Args)]
struct Model {
    /// The model, as provider/model or by its alias
    model: String,
}

impl Set {
    /// Sets it.
    ///
    /// # Errors
    /// What the use case says.
    pub fn run(&self, system: &System, printer: &Printer) -> Result<u8, Failure> {
        set(system, printer, Role::Model, &self.model)
    }
}

impl SetImage {
    /// Sets it.
    ///
    /// # Errors
    /// What the use case says.
    pub fn run(&self, system: &System, printer: &Printer) -> Result<u8, Failure> {
        set(system, printer, Role::Image, &self.model)
    }
}

impl Fallbacks {
    /// Does what is asked.
    ///
    /// # Errors
    /// What the use case says.
    pub fn run(&self, system: &System, printer: &Printer) -> Result<u8, Failure> {
        self.command.run(system, printer, Role::Model)
    }
}

impl ImageFallbacks {
    /// Does what is asked.
    ///
    /// # Errors
    /// What the use case says.
    pub fn run(&self, system: &System, printer: &Printer) -> Result<u8, Failure> {
        self.command.run(system, printer, Role::Image)
    }
}

/// The defaults are those of all agents, so a write for one agent would be one for the others, too.
pub(super) fn for_all(system: &System) -> Result<(), Failure> {
    if !system.agent_named() {
        return Ok(());
    }
    let message = "this changes the defaults of every agent, so it takes no --agent";
    let hint = "leave --agent out, or set \"model\" of that agent in agents.list of openclaw.json";
    Err(Failure::new(Kind::Usage, message).hint(hint))
}

/// Says which model was taken for a name that nothing is known of.
pub(super) fn tell_guess(target: Option<&Target>, printer: &Printer) {
    let Some(Target { reference, guessed }) = target else {
        return;
    };
    if let Some(text) = guessed {
        printer.line_err(&format!(
            "Warning: {text} is no alias; taken for {reference}"
        ));
    }
}

fn set(system: &System, printer: &Printer, role: Role, model: &str) -> Result<u8, Failure> {
    for_all(system)?;
    let outcome = defaults::set(system.context(), role, model, VERSION)?;
    let what = match role {
        Role::Model => "Default model",
        Role::Image => "Image model",
    };
    let target = outcome.target.as_ref();
    let model = target.map(|target| target.reference.to_string());
    let line = format!("{what}: {}", model.unwrap_or_default());
    told(&outcome, &line, printer)
}

fn told(outcome: &Outcome, line: &str, printer: &Printer) -> Result<u8, Failure> {
    tell_guess(outcome.target.as_ref(), printer);
    if let Some(path) = &outcome.written {
        printer.line_out(&format!("Updated {}", path.display()))?;
    }
    printer.line_out(line)?;
    Ok(0)
}

impl FallbacksCommand {
    fn run(&self, system: &System, printer: &Printer, role: Role) -> Result<u8, Failure> {
        let cx = system.context();
        let title = match role {
            Role::Model => "Fallbacks",
            Role::Image => "Image fallbacks",
        };
        if !matches!(self, Self::List(_)) {
            for_all(system)?;
        }
        let outcome = match self {
            Self::List(form) => return list(system, printer, role, form),
            Self::Add(Model { model }) => defaults::add_fallback(cx, role, model, VERSION)?,
            Self::Remove(Model { model }) => defaults::remove_fallback(cx, role, model, VERSION)?,
            Self::Clear => defaults::clear_fallbacks(cx, role, VERSION)?,
        };
        let line = match self {
            Self::Clear => format!("{} list cleared.", title.trim_end_matches('s')),
            _ => format!("{title}: {}", outcome.fallbacks.join(", ")),
        };
        told(&outcome, &line, printer)
    }
}

fn list(system: &System, printer: &Printer, role: Role, form: &Form) -> Result<u8, Failure> {
    let cx = system.context();
    let choice = match role {
        Role::Model if system.agent_named() => cx.settings.model_of(system.agent()),
        role => defaults::choice(cx, role),
    };
    let fallbacks = choice.fallbacks.unwrap_or_default();
    if form.json {
        printer.line_out(&view::models::fallbacks_json(&fallbacks))?;
        return Ok(0);
    }
    let title = match role {
        Role::Model => "Fallbacks",
        Role::Image => "Image fallbacks",
    };
    printer.out(&view::models::entries(title, &fallbacks, form.plain))?;
    Ok(0)
}
