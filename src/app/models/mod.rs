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
use crate::providers::catalogue;

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
    /// Whether nothing here knows its provider.
    pub is_unknown: bool,
    /// The model that may be meant, if it is not.
    pub near: Option<String>,
}

/// The model that is to be configured. `command` is the one that was called, up to the model.
fn new_target(cx: Context<'_>, text: &str, command: &Command) -> Result<Target, Failure> {
    if !text.contains('/')
        && reference::alias(text, &reference::aliases(&model_ref::configured(cx))).is_none()
        && let Some(provider) = provider_called(cx, text)
    {
        let text = printable(text.trim(), 120);
        let message = format!("{text} is a provider, and no model");
        let hint = format!("name one of its models: {provider}/MODEL; those configured: ");
        let list = Command::new("models list");
        return Err(Failure::new(Kind::Usage, message).hint(Hint::from(hint).run(list)));
    }
    let mut target = target(cx, text, command)?;
    let ModelRef { provider, model } = &target.reference;
    if is_known(cx, provider) {
        return Ok(target);
    }
    if let Some(called) = cx.catalogue.called(provider)?.first() {
        let meant = format!("{}/{model}", called.id);
        let message = format!("unknown provider {provider}; did you mean {meant}?");
        let hint = command.clone().arg(&meant);
        return Err(Failure::new(Kind::Usage, message).hint(hint));
    }
    // One of a plugin of OpenClaw may look like another: that alone is no reason to refuse it.
    let near = cx.catalogue.near(provider).into_iter().next();
    target.near = near.map(|near| format!("{near}/{model}"));
    target.is_unknown = true;
    Ok(target)
}

fn is_known(cx: Context<'_>, provider: &ProviderId) -> bool {
    catalogue::is_built_in(provider) || cx.knows_provider(&cx.settings.default_agent(), provider)
}

/// The provider that has this name, or is called so.
fn provider_called(cx: Context<'_>, text: &str) -> Option<ProviderId> {
    let name = ProviderId::parse(text).ok()?;
    if is_known(cx, &name) {
        return Some(name);
    }
    let called = cx.catalogue.called(&name).ok()?;
    called.into_iter().next().map(|provider| provider.id)
}

/// Whether a configured model can hardly be one: nothing knows its provider, or it has the one that
/// a name without a provider gets, and not the name of a model of that one.
fn is_doubtful(cx: Context<'_>, model: &ModelRef) -> bool {
    let is_guess = ModelRef::parse(&model.model).is_some_and(|guess| guess == *model);
    let maker = || maker(cx, &model.model);
    !is_known(cx, &model.provider) || (is_guess && maker().as_ref() != Some(&model.provider))
}

fn target(cx: Context<'_>, text: &str, command: &Command) -> Result<Target, Failure> {
    let aliases = reference::aliases(&model_ref::configured(cx));
    let found = reference::resolve(text, &aliases).ok_or_else(|| {
        let message = format!("Invalid model reference: {}", printable(text, 120));
        let hint = Hint::from("use provider/model, or an alias from: ");
        Failure::new(Kind::Usage, message).hint(hint.run(Command::new("models aliases list")))
    })?;
    let text = text.trim();
    let is_guess = !text.contains('/') && reference::alias(text, &aliases).is_none();
    if let Some(provider) = is_guess.then(|| maker(cx, text)).flatten()
        && provider != found.provider
    {
        let text = printable(text, 120);
        let meant = format!("{provider}/{text}");
        let message = format!("{text} is no alias and names no provider; did you mean {meant}?");
        let hint = command.clone().arg(&meant);
        return Err(Failure::new(Kind::Usage, message).hint(hint));
    }
    Ok(Target {
        guessed: is_guess.then(|| printable(text, 120)),
        is_unknown: false,
        near: None,
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
