//! The flags that select a credential, which `token` and its kin share.

use clap::Args;

use crate::app::credential::selector::Selector;
use crate::app::failure::Failure;
use crate::model::id::{ProfileId, ProviderId};

/// The flags that select a credential.
#[derive(Debug, Args)]
pub struct SelectorArgs {
    /// Of the profile that selection takes for this provider
    #[arg(long, value_name = "ID", conflicts_with = "profile")]
    provider: Option<String>,
    /// Of this profile
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    /// Of the provider of this model or alias; behind an @, of this profile and no other
    #[arg(long, value_name = "MODEL[@PROFILE]", conflicts_with_all = ["provider", "profile"])]
    model: Option<String>,
    /// As this session of OpenClaw's has it pinned
    #[arg(long, value_name = "KEY")]
    session: Option<String>,
}

impl SelectorArgs {
    /// What they say; without a flag, whatever is the default.
    ///
    /// # Errors
    /// If a name is not one.
    pub fn parse(&self) -> Result<Selector, Failure> {
        let selector = match (&self.provider, &self.profile, &self.model) {
            (_, Some(profile), _) => Selector::Profile(ProfileId::parse(profile)?),
            (Some(provider), ..) => Selector::Provider(ProviderId::parse(provider)?),
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
