//! `models auth order`.

use serde_json::{Value, json};

use super::wrap::Sheet;
use crate::app::usecase::order::Outcome;
use crate::model::id::{AgentId, ProfileId, printable};

/// The document of the reference release; later ones name the file in which they keep the order.
pub fn document(outcome: &Outcome) -> Value {
    let file = match outcome.is_split {
        true => "authStatePath",
        false => "authStorePath",
    };
    json!({
        "agentId": outcome.agent,
        "agentDir": outcome.agent_dir,
        "provider": outcome.provider,
        file: outcome.at,
        "order": outcome.order,
    })
}

/// The same for people.
pub fn text(outcome: &Outcome) -> String {
    let mut page = Sheet::default();
    page.line(&format!("Agent: {}", outcome.agent));
    page.line(&format!("Provider: {}", outcome.provider));
    page.line(&format!("Stored in: {}", outcome.at));
    page.line(&match (&outcome.order, &outcome.owner) {
        (Some(ids), Some(owner)) => format!("Order: {}", order(ids, owner, &outcome.agent)),
        _ => "Order: not set".to_owned(),
    });
    page.into_text()
}

/// The names of an order, each as the profile of that id is shown.
pub(in crate::cli) fn listed(names: &[String]) -> String {
    let shown = |name: &String| {
        let id = ProfileId::parse(name);
        id.map_or_else(|_| printable(name, 256), |id| id.to_string())
    };
    names.iter().map(shown).collect::<Vec<_>>().join(", ")
}

/// The profiles of an order, and whose it is if another agent has set it.
pub(super) fn order(ids: &[String], owner: &AgentId, agent: &AgentId) -> String {
    let whose = match owner == agent {
        true => String::new(),
        false => format!(" (set for agent {owner})"),
    };
    format!("{}{whose}", listed(ids))
}
