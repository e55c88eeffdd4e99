//! `models auth order`.

use serde_json::{Value, json};

use super::wrap::Sheet;
use crate::app::usecase::order::Outcome;
use crate::model::id::printable;

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
        file: outcome.path,
        "order": outcome.order,
    })
}

/// The same for people.
pub fn text(outcome: &Outcome) -> String {
    let mut page = Sheet::default();
    page.line(&format!("Agent: {}", outcome.agent));
    page.line(&format!("Provider: {}", outcome.provider));
    page.line(&format!("Stored in: {}", outcome.path.display()));
    match (&outcome.order, &outcome.owner) {
        (Some(ids), owner) => {
            let ids: Vec<String> = ids.iter().map(|id| printable(id, 256)).collect();
            let whose = match owner {
                Some(owner) if *owner != outcome.agent => format!(" (set for agent {owner})"),
                _ => String::new(),
            };
            page.line(&format!("Order: {}{whose}", ids.join(", ")));
        }
        (None, _) => page.line("Order: not set"),
    }
    page.into_text()
}
