//! Which provider a person means: the one place where everyday names are understood.

use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::model::id::{AgentId, ProviderId};
use crate::model::named::ProviderName;
use crate::model::profiles::Effective;
use crate::model::provider::{Flow, Provider};
use crate::ports::store::Scope;
use crate::providers::catalogue::{self, CatalogueError};

/// What a provider is wanted for, which tells apart those that share a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A credential that is there, or anything else.
    Any,
    /// A login.
    Login,
    /// A pasted token.
    Token,
    /// A pasted key.
    Key,
}

impl Purpose {
    fn suits(self, provider: &Provider) -> bool {
        match self {
            Self::Any => true,
            Self::Login => provider.flows.iter().any(Flow::is_a_login),
            Self::Token => provider.token_shape().is_some() || provider.logs_in(),
            Self::Key => provider.key_shape().is_some(),
        }
    }
}

impl Context<'_> {
    /// Returns the provider that a person named. An id that exists stands for itself, whatever else
    /// is called so; a name that means nothing is returned as it is.
    ///
    /// # Errors
    /// [`Kind::Usage`] if several providers are called so, and what the catalogue says.
    pub fn provider_id(
        &self,
        agent: &AgentId,
        name: &ProviderName,
        purpose: Purpose,
    ) -> Result<ProviderId, Failure> {
        let typed = name.typed();
        if catalogue::is_built_in(typed) || self.knows_provider(agent, typed) {
            return Ok(typed.clone());
        }
        let called = self.catalogue.called(typed)?;
        let suitable = called.iter().filter(|provider| purpose.suits(provider));
        let mut ids: Vec<&ProviderId> = suitable.map(|provider| &provider.id).collect();
        if ids.is_empty() {
            ids = called.iter().map(|provider| &provider.id).collect();
        }
        if ids.len() > 1
            && let Ok(effective) = self.effective(agent, Scope::All)
            && ids.iter().any(|id| is_stored(&effective, id))
        {
            ids.retain(|id| is_stored(&effective, id));
        }
        match ids.as_slice() {
            [] => Ok(typed.clone()),
            [only] => Ok((*only).clone()),
            several => {
                let names: Vec<&str> = several.iter().map(|id| id.as_str()).collect();
                let message = format!("{typed} can be {}", names.join(" or "));
                let options: Vec<String> = names
                    .iter()
                    .map(|name| format!("--provider {name}"))
                    .collect();
                let hint = format!("say {}", options.join(" or "));
                Err(Failure::new(Kind::Usage, message).hint(hint))
            }
        }
    }

    /// Returns the provider that a person named, which must exist.
    ///
    /// # Errors
    /// As [`Context::provider_id`], and [`Kind::NotFound`] for one that neither a manifest, nor a
    /// plugin, nor the configuration, nor the store knows.
    pub fn known_provider(
        &self,
        agent: &AgentId,
        name: &ProviderName,
        purpose: Purpose,
    ) -> Result<ProviderId, Failure> {
        let id = self.provider_id(agent, name, purpose)?;
        // Which there are where tokens come from a gateway, that one knows.
        let is_known = |id| catalogue::is_built_in(id) || self.knows_provider(agent, id);
        if self.lease.is_some() || is_known(&id) {
            return Ok(id);
        }
        let failure = Failure::from(self.catalogue.unknown(&id));
        // Who has its credential needs no login.
        let effective = self.effective(agent, Scope::All);
        let meant = self.catalogue.near(&id).into_iter().next();
        let meant = meant.filter(|near| {
            purpose == Purpose::Any && effective.is_ok_and(|seen| is_stored(&seen, near))
        });
        Err(match meant {
            Some(meant) => failure.hint(format!("say --provider {meant}")),
            None => failure,
        })
    }

    /// Whether anything but an everyday name says that there is such a provider.
    pub(in crate::app) fn knows_provider(&self, agent: &AgentId, id: &ProviderId) -> bool {
        let settings = self.settings;
        let configured = || {
            let profiles = settings.profiles.iter().map(|profile| &profile.provider);
            let orders = settings.order.iter().map(|(provider, _)| provider);
            let providers = settings.providers.iter().map(|provider| &provider.name);
            let mut names = providers.chain(profiles).chain(orders);
            names.any(|name| id.is_named(name))
        };
        let stored = || {
            let effective = self.effective(agent, Scope::Provider(id));
            effective.is_ok_and(|effective| is_stored(&effective, id))
        };
        !matches!(self.provider(id), Err(CatalogueError::Unknown { .. }))
            || configured()
            || stored()
    }
}

fn is_stored(effective: &Effective, id: &ProviderId) -> bool {
    let profiles = effective.profiles();
    let mut providers = profiles.iter().map(|seen| seen.credential.raw_provider());
    effective.order_of(id).is_some() || providers.any(|name| id.is_named(name))
}
