//! Questions of the wizard: provider, method, agent.

use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::model::id::AgentId;
use crate::model::provider::{Flow, Provider};
use crate::ports::dialog::Choice;

use super::choices::Meaning;

/// Asks for a provider and, if it has several, a method.
pub(super) fn credential(cx: Context<'_>) -> Result<Meaning, Failure> {
    let providers = providers(cx)?;
    let options = providers.iter().map(label).collect();
    let provider = &providers[chosen(cx, "Provider", options)?];
    let methods: Vec<&str> = provider.flows.iter().map(Flow::method).collect();
    let method = match methods.as_slice() {
        [only] => only,
        several => {
            let options = several.iter().map(|method| in_words(method)).collect();
            let prompt = format!("How do you want to log in to {}?", provider.name);
            several[chosen(cx, &prompt, options)?]
        }
    };
    Ok(Meaning::of(&provider.id, method))
}

/// Asks for an agent, `usual` first; a single one is taken without a question.
pub(super) fn agent(cx: Context<'_>, usual: &AgentId) -> Result<AgentId, Failure> {
    let mut agents = vec![usual.clone()];
    for id in cx.settings.agent_ids() {
        if !agents.contains(&id) {
            agents.push(id);
        }
    }
    if agents.len() == 1 {
        return Ok(usual.clone());
    }
    let label = |id: &AgentId| match (id == usual, id.is_main()) {
        (true, _) => format!("{id} (default)"),
        (false, true) => format!("{id} (the other agents inherit from it)"),
        (false, false) => id.to_string(),
    };
    let options = agents.iter().map(label).collect();
    let index = chosen(cx, "Which agent?", options)?;
    Ok(agents.swap_remove(index))
}

/// Lists every provider that has a login. A faulty manifest of the user's is reported and left out.
fn providers(cx: Context<'_>) -> Result<Vec<Provider>, Failure> {
    let mut providers = Vec::new();
    for id in cx.catalogue.ids()? {
        match cx.catalogue.get(&id) {
            Ok(provider) if provider.flows.is_empty() => {}
            Ok(provider) => providers.push(provider),
            Err(error) => cx.warn(error.to_string()),
        }
    }
    Ok(providers)
}

/// Returns the display name and the id, because either may be typed.
fn label(provider: &Provider) -> String {
    match provider.name.eq_ignore_ascii_case(provider.id.as_str()) {
        true => provider.name.clone(),
        false => format!("{} ({})", provider.name, provider.id),
    }
}

/// Describes a method.
fn in_words(method: &str) -> String {
    let words = match method {
        "oauth" => "log in with a browser",
        "device-code" => "type a code into a browser on any device",
        "setup-token" => "paste a long-lived token",
        "api-key" => "paste an API key",
        "client-credentials" => "log in with a client id and secret (no user)",
        "program" => "log in with another program",
        _ => return method.to_owned(),
    };
    format!("{method}: {words}")
}

/// Returns the index that was chosen; one that is out of range is an error.
fn chosen(cx: Context<'_>, prompt: &str, options: Vec<String>) -> Result<usize, Failure> {
    let prompt = prompt.to_owned();
    let count = options.len();
    let index = cx.dialog.choose(&Choice { prompt, options })?;
    if index >= count {
        return Err(Failure::new(Kind::Usage, "nothing was selected"));
    }
    Ok(index)
}
