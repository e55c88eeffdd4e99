//! The flags that select a credential, which `token` and its kin share.

use clap::Args;

use crate::app::credential::provider_name::Purpose;
use crate::app::credential::selector::Selector;
use crate::app::failure::Failure;
use crate::cli::system::System;
use crate::model::named::{ProfileName, ProviderName};

/// The flags that select a credential.
#[derive(Debug, Args)]
pub struct SelectorArgs {
    /// Provider to select a credential of
    #[arg(long, value_name = "ID", conflicts_with = "profile", value_parser = ProviderName::parse)]
    provider: Option<ProviderName>,
    /// Profile to use
    #[arg(long, value_name = "PROFILE", value_parser = ProfileName::parse)]
    profile: Option<ProfileName>,
    /// Model or alias to select a credential for; @PROFILE uses only that profile
    #[arg(long, value_name = "MODEL[@PROFILE]", conflicts_with_all = ["provider", "profile"])]
    model: Option<String>,
    /// OpenClaw session whose pinned profile is used
    #[arg(long, value_name = "KEY")]
    session: Option<String>,
}

impl SelectorArgs {
    /// What they say; without a flag, whatever is the default.
    ///
    /// # Errors
    /// If what names a provider can be several.
    pub fn selector(&self, system: &System) -> Result<Selector, Failure> {
        let cx = system.context();
        let selector = match (&self.provider, &self.profile, &self.model) {
            (_, Some(profile), _) => Selector::Profile(profile.clone()),
            (Some(name), ..) => {
                Selector::Provider(cx.known_provider(&system.agent, name, Purpose::Any)?)
            }
            (.., Some(model)) => Selector::Model(model.clone()),
            (None, None, None) => Selector::Default,
        };
        Ok(match &self.session {
            Some(key) => Selector::Session {
                key: key.clone(),
                want: Box::new(selector),
            },
            None => selector,
        })
    }
}
