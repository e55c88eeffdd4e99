//! `models list`: every model that the configuration names, its roles, and whether its provider has
//! a credential.

use crate::app::context::Context;
use crate::app::credential::model_ref;
use crate::app::failure::Failure;
use crate::app::status::{Request, speaks_for};
use crate::model::id::ProviderId;
use crate::model::reference::{self, ModelRef};

/// A model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its reference.
    pub reference: ModelRef,
    /// Its roles: `default`, `fallback#1`, `image`, `img-fallback#1`, `configured`, `alias:a,b`.
    pub tags: Vec<String>,
    /// Whether its provider has a profile, a variable or a configured key.
    pub available: bool,
}

/// The models in the order in which they are tried, and faults of the documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The models.
    pub rows: Vec<Row>,
    /// Faults, one sentence each.
    pub faults: Vec<String>,
}

/// Lists the models, of one provider or of all. Entries that cannot be a model are left out.
///
/// # Errors
/// If the agent was named and is not configured, or a document is there and cannot be read.
pub fn run(
    cx: Context<'_>,
    request: &Request,
    provider: Option<&ProviderId>,
) -> Result<Outcome, Failure> {
    cx.require_agent(&request.agent)?;
    let mut rows = configured(cx, request);
    if let Some(provider) = provider {
        rows.retain(|row| row.reference.provider == *provider);
    }
    let providers: Vec<&ProviderId> = rows.iter().map(|row| &row.reference.provider).collect();
    let (available, faults) = speaks_for(cx, &request.agent, &providers)?;
    for (row, available) in rows.iter_mut().zip(available) {
        row.available = available;
    }
    Ok(Outcome { rows, faults })
}

fn configured(cx: Context<'_>, request: &Request) -> Vec<Row> {
    let models = model_ref::resolve(cx, &request.agent, request.agent_named);
    let mut rows: Vec<Row> = Vec::new();
    let mut add = |reference: Option<ModelRef>, tag: String| {
        let Some(reference) = reference else { return };
        match rows.iter_mut().find(|row| row.reference == reference) {
            Some(row) if row.tags.contains(&tag) => {}
            Some(row) => row.tags.push(tag),
            None => rows.push(Row {
                reference,
                tags: vec![tag],
                available: false,
            }),
        }
    };
    let resolve = |text: &String| reference::resolve(text, &models.aliases);
    add(ModelRef::parse(&models.resolved), "default".to_owned());
    for (number, text) in models.fallbacks.iter().enumerate() {
        add(resolve(text), format!("fallback#{}", number + 1));
    }
    if let Some(text) = &models.image {
        add(resolve(text), "image".to_owned());
    }
    for (number, text) in models.image_fallbacks.iter().enumerate() {
        add(resolve(text), format!("img-fallback#{}", number + 1));
    }
    for text in &models.allowed {
        add(ModelRef::parse(text), "configured".to_owned());
    }
    for row in &mut rows {
        let mine = models.aliases.iter().filter(|(_, reference)| {
            ModelRef::parse(reference).is_some_and(|found| found == row.reference)
        });
        let names: Vec<&str> = mine.map(|(alias, _)| alias.as_str()).collect();
        if !names.is_empty() {
            row.tags.push(format!("alias:{}", names.join(",")));
        }
    }
    rows
}
