//! `models auth use --list`.

use serde_json::{Value, json};

use super::order::order;
use super::wrap::Sheet;
use crate::app::usecase::use_profile::Listing;
use crate::model::id::{AgentId, printable};

/// The document.
pub fn document(agent: &AgentId, listing: &Listing) -> Value {
    let orders = listing.orders.iter().map(|one| {
        json!({
            "provider": one.provider,
            "profile": one.order.first(),
            "order": one.order,
            "owner": one.owner,
        })
    });
    let directories = listing.directories.iter().map(|(bound, here)| {
        json!({
            "directory": bound.directory,
            "provider": bound.provider,
            "profile": bound.profile,
            "here": here,
        })
    });
    json!({
        "agentId": agent,
        "orders": orders.collect::<Vec<Value>>(),
        "directories": directories.collect::<Vec<Value>>(),
    })
}

/// The same for people.
pub fn text(agent: &AgentId, listing: &Listing) -> String {
    let mut page = Sheet::default();
    page.line(&format!("Agent: {agent}"));
    let title = |page: &mut Sheet, title: &str, is_empty: bool| {
        let none = if is_empty { " (none)" } else { "" };
        page.line(&format!("{title}:{none}"));
    };
    title(&mut page, "Orders", listing.orders.is_empty());
    for one in &listing.orders {
        let order = order(&one.order, &one.owner, agent);
        page.line(&format!("- {}: {order}", printable(&one.provider, 80)));
    }
    title(&mut page, "Directories", listing.directories.is_empty());
    for (bound, here) in &listing.directories {
        let here = if *here { " (applies here)" } else { "" };
        let directory = bound.directory.display().to_string();
        page.line(&format!(
            "- {}: {}{here}",
            printable(&directory, 400),
            bound.profile
        ));
    }
    page.into_text()
}
