//! `models set`, `set-image`, `fallbacks` and `image-fallbacks`: the models of every agent that has
//! none of its own.

use std::path::PathBuf;

use crate::app::agents::config_touch::touch;
use crate::app::context::Context;
use crate::app::credential::model_ref;
use crate::app::failure::{Failure, Kind};
use crate::config::edit::{Edit, Role};
use crate::model::hint::Command;
use crate::model::reference::{self, ModelRef};
use crate::model::settings::ModelChoice;

use super::{Target, is_doubtful, new_target, target};

/// The outcome of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The model that the typed text means; `None` if none was typed.
    pub target: Option<Target>,
    /// The fallbacks of the role after the change.
    pub fallbacks: Vec<String>,
    /// The configuration file, if it was written.
    pub written: Option<PathBuf>,
}

/// Returns the configured models of a role.
pub fn choice(cx: Context<'_>, role: Role) -> ModelChoice {
    match role {
        Role::Model => cx.settings.model.clone(),
        Role::Image => cx.settings.image_model.clone(),
    }
}

/// Sets the primary model of a role.
///
/// # Errors
/// [`Kind::Usage`] if it cannot be a model, and what the configuration says.
pub fn set(cx: Context<'_>, role: Role, text: &str) -> Result<Outcome, Failure> {
    let command = match role {
        Role::Model => Command::new("models set"),
        Role::Image => Command::new("models set-image"),
    };
    let target = new_target(cx, text, &command)?;
    let reference = target.reference.to_string();
    let set = Edit::SetPrimary {
        role,
        reference: reference.clone(),
    };
    let mut edits = vec![set, Edit::AllowModel(reference)];
    edits.extend(forget_replaced(cx, role, &target.reference));
    Ok(Outcome {
        target: Some(target),
        fallbacks: choice(cx, role).fallbacks.unwrap_or_default(),
        written: write(cx, edits)?,
    })
}

/// Appends a model to the fallbacks of a role; one that is there, under whatever name, stays where
/// it is.
///
/// # Errors
/// [`Kind::Usage`] if it cannot be a model, and what the configuration says.
pub fn add_fallback(cx: Context<'_>, role: Role, text: &str) -> Result<Outcome, Failure> {
    let command = fallbacks_command(role).arg("add");
    let target = new_target(cx, text, &command)?;
    let mut fallbacks = choice(cx, role).fallbacks.unwrap_or_default();
    let mut written = None;
    if meant(cx, &fallbacks, &target).is_empty() {
        let reference = target.reference.to_string();
        fallbacks.push(reference.clone());
        let add = Edit::AddFallback {
            role,
            reference: reference.clone(),
        };
        written = write(cx, vec![add, Edit::AllowModel(reference)])?;
    }
    Ok(Outcome {
        target: Some(target),
        fallbacks,
        written,
    })
}

/// Removes a model from the fallbacks of a role, under whatever name it stands there.
///
/// # Errors
/// [`Kind::NotFound`] if it is none of them, [`Kind::Usage`] if it cannot be a model, and what the
/// configuration says.
pub fn remove_fallback(cx: Context<'_>, role: Role, text: &str) -> Result<Outcome, Failure> {
    let target = target(cx, text, &fallbacks_command(role).arg("remove"))?;
    let mut fallbacks = choice(cx, role).fallbacks.unwrap_or_default();
    let entries = meant(cx, &fallbacks, &target);
    if entries.is_empty() {
        let what = match role {
            Role::Model => "Fallback",
            Role::Image => "Image fallback",
        };
        let message = format!("{what} not found: {}", target.reference);
        let failure = Failure::new(Kind::NotFound, message);
        return Err(failure.hint(fallbacks_command(role).arg("list")));
    }
    fallbacks.retain(|entry| !entries.contains(entry));
    let edits = vec![Edit::DropFallbacks { role, entries }];
    Ok(Outcome {
        target: Some(target),
        fallbacks,
        written: write(cx, edits)?,
    })
}

/// Removes all fallbacks of a role.
///
/// # Errors
/// What the configuration says.
pub fn clear_fallbacks(cx: Context<'_>, role: Role) -> Result<Outcome, Failure> {
    let entries = choice(cx, role).fallbacks.unwrap_or_default();
    let edits = vec![Edit::DropFallbacks { role, entries }];
    Ok(Outcome {
        target: None,
        fallbacks: Vec::new(),
        written: write(cx, edits)?,
    })
}

fn fallbacks_command(role: Role) -> Command {
    Command::new(match role {
        Role::Model => "models fallbacks",
        Role::Image => "models image-fallbacks",
    })
}

/// What takes the present model of a role away with its use, if it can hardly be a model and is
/// used for nothing else: a slip of the pen is no choice for ever.
fn forget_replaced(cx: Context<'_>, role: Role, by: &ModelRef) -> Option<Edit> {
    let settings = cx.settings;
    let aliases = reference::aliases(&model_ref::configured(cx));
    let old = reference::resolve(&choice(cx, role).primary?, &aliases)?;
    let other = match role {
        Role::Model => &settings.image_model,
        Role::Image => &settings.model,
    };
    let of_agents = settings.agents.iter().map(|agent| &agent.model);
    let primaries = of_agents.clone().chain([other]);
    let primaries = primaries.filter_map(|choice| choice.primary.as_ref());
    let all = of_agents.chain([&settings.model, &settings.image_model]);
    let fallbacks = all.flat_map(|choice| choice.fallbacks.iter().flatten());
    let is_it = |text: &String| reference::resolve(text, &aliases).as_ref() == Some(&old);
    let is_used = old == *by || primaries.chain(fallbacks).any(is_it);
    (!is_used && is_doubtful(cx, &old)).then(|| Edit::ForgetModel(old.to_string()))
}

/// Writes the changes; returns the file if there were any.
fn write(cx: Context<'_>, mut edits: Vec<Edit>) -> Result<Option<PathBuf>, Failure> {
    edits.push(touch(cx));
    Ok(Some(cx.edit_config(&edits)?.path))
}

/// Returns the entries that mean the same model.
fn meant(cx: Context<'_>, entries: &[String], target: &Target) -> Vec<String> {
    let aliases = reference::aliases(&model_ref::configured(cx));
    let same = |entry: &&String| {
        reference::resolve(entry, &aliases).is_some_and(|found| found == target.reference)
    };
    entries.iter().filter(same).cloned().collect()
}
