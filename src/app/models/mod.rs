//! `models list`, `set`, `fallbacks` and `aliases`: the configured models, and which of them have a
//! credential.
//!
//! A model is a name here. Whether its provider has it is not known and not asked: there is no
//! catalogue of models in this program.

pub mod aliases;
pub mod defaults;
pub mod list;

use crate::model::hint::{Command, Hint};
use crate::model::id::{ProviderId, printable};
use crate::model::reference::{self, ModelRef};

use super::context::Context;
use super::credential::model_ref;
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

fn target(cx: Context<'_>, text: &str) -> Result<Target, Failure> {
    let aliases = reference::aliases(&model_ref::configured(cx));
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
    let is_guess = !text.contains('/') && !is_alias();
    if let Some(provider) = is_guess.then(|| maker(cx, text)).flatten()
        && provider != found.provider
    {
        let text = printable(text, 120);
        let meant = format!("{provider}/{text}");
        let message = format!("{text} is no alias and names no provider; did you mean {meant}?");
        return Err(Failure::new(Kind::Usage, message).hint(Command::new("models set").arg(&meant)));
    }
    Ok(Target {
        guessed: is_guess.then(|| printable(text, 120)),
        reference: found,
    })
}

/// The provider whose models begin with this word, because people call it so: `gpt-…`, `grok-…`.
fn maker(cx: Context<'_>, text: &str) -> Option<ProviderId> {
    let word = text.split(['-', ':', '.']).next()?;
    let name = ProviderId::parse(word).ok()?;
    let called = cx.catalogue.called(&name).ok()?;
    let called = called.into_iter().find(|one| one.key_shape().is_some())?;
    Some(called.id)
}
