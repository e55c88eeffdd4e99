//! `models list`, `set`, `fallbacks` and `aliases`: the configured models, and which of them have a
//! credential.
//!
//! A model is a name here. Whether its provider has it is not known and not asked: there is no
//! catalogue of models in this program.

pub mod aliases;
pub mod defaults;
pub mod list;

use crate::model::hint::{Command, Hint};
use crate::model::id::printable;
use crate::model::reference::{self, ModelRef};
use crate::model::settings::Settings;

use super::failure::{Failure, Kind};

/// The model that a typed text means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The model.
    pub reference: ModelRef,
    /// The text, if it is neither an alias nor names a provider, so that the default provider was
    /// assumed: this is also where a misspelt alias ends.
    pub guessed: Option<String>,
}

fn target(settings: &Settings, text: &str) -> Result<Target, Failure> {
    let aliases = reference::aliases(&settings.models);
    let found = reference::resolve(text, &aliases).ok_or_else(|| {
        let message = format!("Invalid model reference: {}", printable(text, 120));
        let hint = Hint::from("use provider/model, or an alias from: ");
        Failure::new(Kind::Usage, message).hint(hint.run(Command::new("models aliases list")))
    })?;
    let text = text.trim();
    let is_alias = || {
        let mut all = aliases.iter();
        all.any(|(alias, _)| alias.eq_ignore_ascii_case(text))
    };
    Ok(Target {
        guessed: (!text.contains('/') && !is_alias()).then(|| printable(text, 120)),
        reference: found,
    })
}
