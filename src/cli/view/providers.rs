//! `models auth providers`.

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use super::present;
use super::wrap::{Sheet, padded};
use crate::app::usecase::providers::{Checked, Outcome, Row, endpoints, methods};
use crate::cli::hint::Renderer;
use crate::model::hint::Command;
use crate::model::id::printable;
use crate::model::provider::{Bill, Billing, Flow, Provider};
use crate::providers::catalogue::Source;

/// What a page is wide.
const WIDTH: usize = 80;

/// The document.
pub fn document(outcome: &Outcome) -> Value {
    json!({
        "providers": outcome.rows.iter().map(row).collect::<Vec<_>>(),
        "faults": outcome.faults,
    })
}

fn row(row: &Row) -> Value {
    let provider = &row.provider;
    let (source, path) = match &row.source {
        Source::BuiltIn => ("built-in", None),
        Source::File(path) => ("file", Some(path)),
        Source::Declared(place) => ("config.yaml", Some(&place.file)),
        Source::Program(path) => ("program", Some(path)),
    };
    present(json!({
        "id": provider.id,
        "name": provider.name,
        "aliases": provider.id.aliases().collect::<Vec<_>>(),
        "methods": methods(&row.provider),
        "env": provider.env,
        "billing": provider.billing,
        "source": source,
        "path": path,
        "policy": provider.policy,
        "keys": key_page(provider),
    }))
}

/// Where API keys are made.
fn key_page(provider: &Provider) -> Option<&String> {
    provider.key_shape().and_then(|key| key.help.as_ref())
}

/// The table: in each row methods and variables stand below each other.
pub fn text(outcome: &Outcome, hints: &Renderer) -> String {
    let mut page = Sheet::default();
    let ids = outcome.rows.iter().map(|row| row.provider.id.as_str());
    let ids = ids.map(UnicodeWidthStr::width).max();
    let width = ids.unwrap_or_default().clamp("Provider".len(), 24);
    let mut line = |id: &str, method: &str, variable: &str| {
        let line = format!("{}  {method:<18}  {variable}", padded(id, width));
        page.line(line.trim_end());
    };
    line("Provider", "Methods", "Variables");
    for row in &outcome.rows {
        let mut methods = methods(&row.provider);
        if methods.is_empty() {
            methods.push("elsewhere");
        }
        let mut variables: Vec<&str> = row.provider.env.iter().map(String::as_str).collect();
        match &row.source {
            Source::BuiltIn => {}
            Source::File(_) => variables.push("(your file)"),
            Source::Declared(_) => variables.push("(your config.yaml)"),
            Source::Program(_) => variables.push("(a program on PATH)"),
        }
        for at in 0..methods.len().max(variables.len()) {
            let id = if at == 0 {
                row.provider.id.as_str()
            } else {
                ""
            };
            let method = methods.get(at).copied().unwrap_or_default();
            let variable = variables.get(at).copied().unwrap_or_default();
            line(id, method, variable);
        }
    }
    page.line("");
    let one = Command::new("models auth providers --provider ID");
    page.line(&format!("Details of one provider: {}", hints.command(&one)));
    page.into_text()
}

/// All that is known of one.
pub fn details(row: &Row) -> String {
    let mut page = Sheet::new(Some(WIDTH));
    let from = match &row.source {
        Source::BuiltIn => "built-in".to_owned(),
        Source::File(path) | Source::Program(path) => path.display().to_string(),
        Source::Declared(place) => place.to_string(),
    };
    describe(&mut page, &row.provider, Some(&from));
    page.into_text()
}

/// What a manifest would be.
pub fn checked(checked: &Checked) -> String {
    let mut page = Sheet::new(Some(WIDTH));
    let path = checked.path.display();
    page.line(&format!("{path} is a valid manifest."));
    describe(&mut page, &checked.provider, None);
    page.into_text()
}

fn describe(page: &mut Sheet, provider: &Provider, source: Option<&str>) {
    let list = |names: Vec<&str>| match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(", "),
    };
    let mut field = |name: &str, value: &str| page.field(name, 11, &printable(value, usize::MAX));
    field("Provider", &format!("{} ({})", provider.id, provider.name));
    let aliases: Vec<&str> = provider.id.aliases().collect();
    if !aliases.is_empty() {
        field("Aliases", &list(aliases));
    }
    if let Some(source) = source {
        field("Source", source);
    }
    let methods = methods(provider);
    if !methods.is_empty() || provider.ambient.is_empty() {
        field("Methods", &list(methods));
    }
    field(
        "Variables",
        &list(provider.env.iter().map(String::as_str).collect()),
    );
    let known = bills(&provider.billing).into_iter();
    let known = known.filter(|(_, bill)| *bill != Bill::Unknown);
    let known: Vec<String> = known
        .map(|(kind, bill)| format!("{} {}", kind.replace('_', " "), bill.as_ref()))
        .collect();
    if !known.is_empty() {
        field("Bill", &known.join(", "));
    }
    for flow in &provider.flows {
        if let Flow::Token(token) = flow
            && let Some(help) = &token.help
        {
            field("Token from", help);
        }
    }
    if let Some(help) = key_page(provider) {
        field("Key from", help);
    }
    for ambient in &provider.ambient {
        if let Some(help) = &ambient.help {
            field("Elsewhere", help);
        }
    }
    for (name, address) in endpoints(provider) {
        field("Endpoint", &format!("{name} {address}"));
    }
    if let Some(policy) = &provider.policy {
        field("Note", policy);
    }
}

/// Who pays, by what is used.
fn bills(billing: &Billing) -> [(&'static str, Bill); 4] {
    [
        ("oauth", billing.oauth),
        ("token", billing.token),
        ("api_key", billing.api_key),
        ("ambient", billing.ambient),
    ]
}
