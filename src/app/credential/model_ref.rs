//! The default model, fallbacks and aliases, and the providers that they need.

use std::borrow::Cow;

use crate::app::context::Context;
use crate::model::id::{AgentId, IdError, ProviderId};
use crate::model::pairs;
use crate::model::reference;
use crate::model::settings::ProfileSettings;

/// The default model of the reference release if the configuration names none.
const BUILT_IN_DEFAULT: &str = "anthropic/claude-opus-4-6";

/// The provider of that model.
const ANTHROPIC: &str = "anthropic";

/// The models that the configuration names.
#[derive(Clone, Debug)]
pub struct Models {
    /// The default as configured: a reference or an alias.
    pub default: String,
    /// The default with its alias resolved.
    pub resolved: String,
    /// Whether the configuration names the default.
    pub is_configured: bool,
    /// The fallbacks of the default model.
    pub fallbacks: Vec<String>,
    /// The image model.
    pub image: Option<String>,
    /// The fallbacks of the image model.
    pub image_fallbacks: Vec<String>,
    /// Alias and reference, in the order of the configuration.
    pub aliases: Vec<(String, String)>,
    /// References that are allowed; empty means all.
    pub allowed: Vec<String>,
    /// Whether default and fallbacks come from the agent's own settings; `None` if no agent was
    /// named.
    pub from_agent: Option<(bool, bool)>,
}

/// Reads the models of an agent, or the defaults if none was named.
pub(in crate::app) fn resolve(cx: Context<'_>, agent: &AgentId, named: bool) -> Models {
    let settings = cx.settings;
    let own = settings
        .agent(agent)
        .filter(|_| named)
        .map(|agent| &agent.model);
    let choice = if named {
        settings.model_of(agent)
    } else {
        settings.model.clone()
    };
    let models = configured(cx);
    let aliases = reference::aliases(&models);
    let is_configured = choice.primary.is_some();
    let default = choice
        .primary
        .unwrap_or_else(|| BUILT_IN_DEFAULT.to_owned());
    Models {
        resolved: resolve_reference(&default, &aliases),
        fallbacks: choice.fallbacks.unwrap_or_default(),
        image: settings.image_model.primary.clone(),
        image_fallbacks: settings.image_model.fallbacks.clone().unwrap_or_default(),
        allowed: models
            .iter()
            .map(|(reference, _)| reference.clone())
            .collect(),
        is_configured,
        from_agent: named.then(|| {
            let primary = own.is_some_and(|model| model.primary.is_some());
            (primary, own.is_some_and(|model| model.fallbacks.is_some()))
        }),
        default,
        aliases,
    }
}

/// Returns the models that are configured, each with its alias, as the reference release takes the
/// configuration: with the primary model of all agents among them where Anthropic is paid by a key.
pub fn configured(cx: Context<'_>) -> Cow<'_, [(String, Option<String>)]> {
    let models = &cx.settings.models;
    let primary = cx.settings.model.primary.as_deref();
    let primary = primary.and_then(reference::of_primary);
    let primary = primary.filter(|model| model.provider.as_str() == ANTHROPIC);
    let Some(primary) = primary.map(|model| model.to_string()) else {
        return Cow::Borrowed(models);
    };
    let is_it = |(reference, _): &(String, Option<String>)| *reference == primary;
    if models.iter().any(is_it) || !is_paid_by_key(cx) {
        return Cow::Borrowed(models);
    }
    let mut models = models.clone();
    models.push((primary, None));
    Cow::Owned(models)
}

/// Whether Anthropic is paid by a key, as the reference release guesses it from the configuration,
/// then from the environment; it caches prompts for a shorter time then.
fn is_paid_by_key(cx: Context<'_>) -> bool {
    let settings = cx.settings;
    let profiles = settings.profiles.iter();
    let profiles = profiles.filter(|profile| profile.provider == ANTHROPIC);
    let mode = |profile: &ProfileSettings| match profile.mode.as_str() {
        "api_key" => Some(true),
        "oauth" | "token" => Some(false),
        _ => None,
    };
    let order = pairs::get(&settings.order, |name| name == ANTHROPIC);
    let first = order.into_iter().flatten().find_map(|name| {
        let mut named = profiles.clone();
        mode(named.find(|profile| profile.id.as_str() == name)?)
    });
    if let Some(by_key) = first {
        return by_key;
    }
    let modes: Vec<bool> = profiles.filter_map(mode).collect();
    match (modes.contains(&true), modes.contains(&false)) {
        (true, false) => true,
        (false, true) => false,
        _ => {
            let is_set = |name| cx.variable(name).is_some();
            !is_set("ANTHROPIC_OAUTH_TOKEN") && is_set("ANTHROPIC_API_KEY")
        }
    }
}

/// Returns the provider of a model: the part before its first slash, else that of its alias, else
/// that of the agent's default model.
///
/// # Errors
/// If what stands before the slash is no name.
pub(in crate::app) fn provider_named(
    cx: Context<'_>,
    agent: &AgentId,
    model: &str,
) -> Result<ProviderId, IdError> {
    let models = resolve(cx, agent, true);
    let model = model.trim();
    let is_alias = |(alias, _): &&(String, String)| alias.eq_ignore_ascii_case(model);
    let aliased = models.aliases.iter().rev().find(is_alias);
    let reference = match aliased {
        _ if model.contains('/') => model,
        Some((_, reference)) => reference,
        None => &models.resolved,
    };
    let provider = reference.split_once('/').map(|(provider, _)| provider);
    ProviderId::parse(provider.unwrap_or_default())
}

/// Returns the name of a model without its provider; an alias is resolved first.
pub(in crate::app) fn own_name(cx: Context<'_>, agent: &AgentId, model: &str) -> String {
    let model = model.trim();
    let aliases = match model.contains('/') {
        true => Vec::new(),
        false => resolve(cx, agent, true).aliases,
    };
    let reference = resolve_reference(model, &aliases);
    let own = reference.split_once('/').map(|(_, own)| own.trim());
    own.unwrap_or_default().to_owned()
}

fn resolve_reference(text: &str, aliases: &[(String, String)]) -> String {
    let meant = reference::resolve(text, aliases);
    meant.map_or_else(|| text.trim().to_owned(), |meant| meant.to_string())
}

impl Models {
    /// Lists the providers of the models that can be used without a choice by the user, sorted.
    pub(in crate::app) fn providers_in_use(&self) -> Vec<String> {
        let references = std::iter::once(&self.resolved)
            .chain(&self.fallbacks)
            .chain(&self.image)
            .chain(&self.image_fallbacks);
        let mut names: Vec<String> = references.map(|text| self.provider_of(text)).collect();
        names.sort();
        names.dedup();
        names
    }

    /// Whether a provider is needed for nothing but the default model, which nobody has configured.
    pub fn needs_by_default(&self, provider: &ProviderId) -> bool {
        let others = (self.fallbacks.iter())
            .chain(&self.image)
            .chain(&self.image_fallbacks);
        let is_its = |text: &String| self.provider_of(text) == provider.as_str();
        !self.is_configured && is_its(&self.resolved) && !others.into_iter().any(is_its)
    }

    /// Lists the providers of every model that is mentioned.
    pub(in crate::app) fn providers_mentioned(&self) -> Vec<String> {
        let mut names = self.providers_in_use();
        names.extend(self.allowed.iter().map(|text| self.provider_of(text)));
        names
    }

    /// Returns the first configured model of a provider, as `provider/model`.
    pub(in crate::app) fn of_provider(&self, provider: &ProviderId) -> Option<String> {
        let references = std::iter::once(&self.resolved)
            .chain(&self.fallbacks)
            .chain(&self.image)
            .chain(&self.image_fallbacks)
            .chain(&self.allowed);
        let mut models = references.filter_map(|text| {
            let reference = resolve_reference(text, &self.aliases);
            let (name, model) = reference.split_once('/')?;
            (ProviderId::parse(name).as_ref() == Ok(provider))
                .then(|| format!("{provider}/{model}"))
        });
        models.next()
    }

    fn provider_of(&self, text: &str) -> String {
        let reference = resolve_reference(text, &self.aliases);
        let provider = reference.split_once('/').map(|(provider, _)| provider);
        ProviderId::parse(provider.unwrap_or_default())
            .map_or_else(|_| String::new(), |id| id.to_string())
    }
}
