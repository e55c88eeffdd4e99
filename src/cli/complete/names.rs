//! What is there to be named, of each kind.

use std::collections::BTreeSet;

use crate::app::agents::registry;
use crate::app::context::Context;
use crate::app::credential::provider_name::Purpose;
use crate::app::credential::{model_ref, pins};
use crate::app::usecase::{list, providers};
use crate::app::{models, status};
use crate::cli::system::System;
use crate::model::collation;
use crate::model::id::ProviderId;
use crate::model::named::{ProfileName, ProviderName};
use crate::model::provider::Provider;
use crate::model::reference;

/// A value, and what is said beside it.
#[derive(Clone, Debug, Default)]
pub(super) struct Found {
    pub(super) value: String,
    pub(super) help: Option<String>,
    /// What stands for it, too: offered to whoever began to type one.
    pub(super) others: Vec<String>,
}

impl Found {
    pub(super) fn plain(value: impl Into<String>) -> Self {
        Self {
            value: value.into(),
            ..Self::default()
        }
    }

    fn help(self, help: Option<String>) -> Self {
        Self { help, ..self }
    }
}

pub(super) fn agents(cx: Context<'_>) -> Vec<Found> {
    let rows = registry::list(cx).into_iter();
    rows.map(|row| Found::plain(row.id.to_string()).help(row.identity_name))
        .collect()
}

/// With e-mail addresses, the parts behind the colon, and everyday names in front of it.
pub(super) fn profiles(system: &System, provider: Option<&ProviderId>) -> Vec<Found> {
    let cx = system.context();
    let rows = list::in_file_order(cx, &system.agent, provider);
    let mut rows = rows.map(|outcome| outcome.rows).unwrap_or_default();
    rows.sort_by(|a, b| collation::compare(a.id.as_str(), b.id.as_str()));
    let known = catalogue(cx);
    let rows = rows.into_iter().map(|row| {
        let id = row.id.to_string();
        let local = id.split_once(':').map_or(id.as_str(), |(_, local)| local);
        let aliases = known
            .iter()
            .filter(|provider| provider.id.as_str() == row.provider_id())
            .flat_map(names_of)
            .map(|alias| format!("{alias}:{local}"));
        let others = row.email.iter().cloned().chain([local.to_owned()]);
        Found {
            others: others.chain(aliases).collect(),
            help: Some(row.label).filter(|label| *label != id),
            value: id,
        }
    });
    rows.collect()
}

/// Whether a name stands for that profile and no other.
pub(super) fn is_profile(system: &System, name: &str, id: &str) -> bool {
    let meant = ProfileName::parse(name).ok();
    let meant = meant.and_then(|name| system.context().profile_id(&system.agent, &name).ok());
    meant.is_some_and(|meant| meant.to_string() == id)
}

/// Those with a login first; with everyday names.
pub(super) fn all_providers(system: &System) -> Vec<Found> {
    let cx = system.context();
    let stored = list::in_file_order(cx, &system.agent, None).map(|outcome| outcome.rows);
    let stored: BTreeSet<String> = (stored.unwrap_or_default().iter())
        .map(list::Row::provider_id)
        .collect();
    let known = catalogue(cx);
    let others = known.iter().map(|provider| provider.id.to_string());
    let others: Vec<String> = others.filter(|id| !stored.contains(id)).collect();
    let all = stored.iter().cloned().chain(others);
    all.map(|id| {
        let provider = known.iter().find(|provider| provider.id.as_str() == id);
        Found {
            help: provider.map(|provider| provider.name.clone()),
            others: provider.map(names_of).unwrap_or_default(),
            value: id,
        }
    })
    .collect()
}

/// The provider that somebody named.
pub(super) fn provider(system: &System, name: &str) -> Option<ProviderId> {
    let name = ProviderName::parse(name).ok()?;
    let purpose = Purpose::Any;
    let id = system.context().provider_id(&system.agent, &name, purpose);
    id.ok()
}

fn names_of(provider: &Provider) -> Vec<String> {
    let own = provider.aliases.iter().map(ToString::to_string);
    let openclaws = provider.id.aliases().map(str::to_owned);
    own.chain(openclaws).collect()
}

pub(super) fn methods(cx: Context<'_>, provider: Option<&ProviderId>) -> Vec<Found> {
    let all = match provider {
        Some(id) => cx.catalogue.get(id).into_iter().collect(),
        None => catalogue(cx),
    };
    let methods: BTreeSet<&str> = all.iter().flat_map(providers::methods).collect();
    methods.into_iter().map(Found::plain).collect()
}

pub(super) fn models(system: &System) -> Vec<Found> {
    let cx = system.context();
    let request = status::Request {
        agent: system.agent.clone(),
        agent_named: system.agent_named(),
    };
    let rows = models::list::run(cx, &request, None).map(|outcome| outcome.rows);
    let rows = rows.unwrap_or_default().into_iter();
    let models = rows.map(|row| Found::plain(row.reference.to_string()));
    aliases(cx).into_iter().chain(models).collect()
}

pub(super) fn aliases(cx: Context<'_>) -> Vec<Found> {
    let aliases = reference::aliases(&model_ref::configured(cx)).into_iter();
    aliases
        .map(|(alias, reference)| Found::plain(alias).help(Some(reference)))
        .collect()
}

/// With the part that is enough for the agent's own.
pub(super) fn sessions(system: &System) -> Vec<Found> {
    let own = format!("agent:{}:", system.agent);
    let keys = pins::sessions(system.context(), &system.agent).into_iter();
    keys.map(|key| Found {
        others: key
            .strip_prefix(&own)
            .map(str::to_owned)
            .into_iter()
            .collect(),
        help: None,
        value: key,
    })
    .collect()
}

fn catalogue(cx: Context<'_>) -> Vec<Provider> {
    let listed = cx.catalogue.list().map(|listing| listing.providers);
    let listed = listed.unwrap_or_default().into_iter();
    listed.map(|(provider, _)| provider).collect()
}
