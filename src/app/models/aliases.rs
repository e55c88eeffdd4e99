//! `models aliases`: aliases of configured models.

use std::path::PathBuf;

use crate::app::agents::config_touch::touch;
use crate::app::context::Context;
use crate::app::credential::model_ref;
use crate::app::failure::{Failure, Kind};
use crate::config::edit::Edit;
use crate::model::hint::Command;
use crate::model::id::printable;
use crate::model::reference;

use super::{Target, new_target};

/// The outcome of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The alias.
    pub alias: String,
    /// The model that has it now; `None` if it was removed.
    pub target: Option<Target>,
    /// The configuration file.
    pub config_path: PathBuf,
}

fn checked(alias: &str) -> Result<&str, Failure> {
    let alias = alias.trim();
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-');
    let fault = match alias {
        "" => "Alias cannot be empty.",
        alias if alias.chars().all(fits) => return Ok(alias),
        _ => "Alias must use letters, numbers, dots, underscores, colons, or dashes.",
    };
    let failure = Failure::new(Kind::Usage, fault);
    Err(failure.hint(Command::new(
        "models aliases add opus anthropic/claude-opus-4-6",
    )))
}

/// Gives a model an alias, in place of its present one.
///
/// # Errors
/// [`Kind::Usage`] if it cannot be an alias, belongs to another model, or that can be none, and
/// what the configuration says.
pub fn add(cx: Context<'_>, alias: &str, model: &str) -> Result<Outcome, Failure> {
    let alias = checked(alias)?;
    let command = Command::new("models aliases add").arg(alias);
    let target = new_target(cx, model, &command)?;
    let reference = target.reference.to_string();
    // The case of an alias does not count where it is used, so two that differ by it are one.
    let of_another = |(other, model): &&(String, String)| {
        other.eq_ignore_ascii_case(alias) && *model != reference
    };
    if let Some((other, model)) = reference::aliases(&model_ref::configured(cx))
        .iter()
        .find(of_another)
    {
        let (other, model) = (printable(other, 80), printable(model, 120));
        let message = format!("Alias {other} already points to {model}.");
        let failure = Failure::new(Kind::Usage, message);
        return Err(failure.hint(Command::new("models aliases remove").arg(&other)));
    }
    let edits = [
        Edit::SetAlias {
            reference,
            alias: Some(alias.to_owned()),
        },
        touch(cx),
    ];
    Ok(Outcome {
        alias: alias.to_owned(),
        target: Some(target),
        config_path: cx.edit_config(&edits)?.path,
    })
}

/// Removes an alias, and keeps the reference release from giving the model its default one.
///
/// # Errors
/// [`Kind::NotFound`] if no model has it, and what the configuration says.
pub fn remove(cx: Context<'_>, alias: &str) -> Result<Outcome, Failure> {
    let alias = checked(alias)?;
    let all = reference::aliases(&model_ref::configured(cx));
    let Some((_, reference)) = all.iter().find(|(other, _)| other == alias) else {
        let failure = Failure::new(Kind::NotFound, format!("Alias not found: {alias}"));
        return Err(failure.hint(Command::new("models aliases list")));
    };
    let built_in = reference::built_in_alias(reference);
    let edits = [
        Edit::SetAlias {
            reference: reference.clone(),
            alias: built_in.map(|_| String::new()),
        },
        touch(cx),
    ];
    Ok(Outcome {
        alias: alias.to_owned(),
        target: None,
        config_path: cx.edit_config(&edits)?.path,
    })
}
