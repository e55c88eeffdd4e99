//! The default model, fallbacks and aliases, and the providers that they need.

use crate::model::id::{AgentId, IdError, ProviderId};
use crate::model::reference;
use crate::model::settings::Settings;

/// The default model of the reference release if the configuration names none.
const BUILT_IN_DEFAULT: &str = "anthropic/claude-opus-4-6";

/// The models that the configuration names.
#[derive(Clone, Debug)]
pub struct Models {
    /// The default as configured: a reference or an alias.
    pub default: String,
    /// The default with its alias resolved.
    pub resolved: String,
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
pub(in crate::app) fn resolve(settings: &Settings, agent: &AgentId, named: bool) -> Models {
    let own = settings
        .agent(agent)
        .filter(|_| named)
        .map(|agent| &agent.model);
    let choice = if named {
        settings.model_of(agent)
    } else {
        settings.model.clone()
    };
    let aliases = reference::aliases(&settings.models);
    let default = choice
        .primary
        .unwrap_or_else(|| BUILT_IN_DEFAULT.to_owned());
    Models {
        resolved: resolve_reference(&default, &aliases),
        fallbacks: choice.fallbacks.unwrap_or_default(),
        image: settings.image_model.primary.clone(),
        image_fallbacks: settings.image_model.fallbacks.clone().unwrap_or_default(),
        allowed: settings
            .models
            .iter()
            .map(|(reference, _)| reference.clone())
            .collect(),
        from_agent: named.then(|| {
            let primary = own.is_some_and(|model| model.primary.is_some());
            (primary, own.is_some_and(|model| model.fallbacks.is_some()))
        }),
        default,
        aliases,
    }
}

/// Returns the provider of a model: the part before its first slash, else that of its alias, else
/// that of the agent's default model.
///
/// # Errors
/// If what stands before the slash is no name.
pub(in crate::app) fn provider_named(
    settings: &Settings,
    agent: &AgentId,
    model: &str,
) -> Result<ProviderId, IdError> {
    let models = resolve(settings, agent, true);
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
pub(in crate::app) fn own_name(settings: &Settings, agent: &AgentId, model: &str) -> String {
    let model = model.trim();
    let aliases = match model.contains('/') {
        true => Vec::new(),
        false => resolve(settings, agent, true).aliases,
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
