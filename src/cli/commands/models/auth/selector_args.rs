//! The flags that select a credential, which `token` and its kin share.

use clap::Args;

use crate::app::credential::selector::Selector;
use crate::model::id::{ProfileId, ProviderId};

/// The flags that select a credential.
#[derive(Debug, Args)]
pub struct SelectorArgs {
    /// Of the profile that selection takes for this provider
    #[arg(long, value_name = "ID", conflicts_with = "profile", value_parser = ProviderId::parse)]
    provider: Option<ProviderId>,
    /// Of this profile
    #[arg(long, value_name = "PROFILE", value_parser = ProfileId::parse)]
    profile: Option<ProfileId>,
    /// Of the provider of this model or alias; behind an @, of this profile and no other
    #[arg(long, value_name = "MODEL[@PROFILE]", conflicts_with_all = ["provider", "profile"])]
    model: Option<String>,
    /// As this session of OpenClaw's has it pinned
    #[arg(long, value_name = "KEY")]
    session: Option<String>,
}

impl SelectorArgs {
    /// What they say; without a flag, whatever is the default.
    pub fn selector(&self) -> Selector {
        let selector = match (&self.provider, &self.profile, &self.model) {
            (_, Some(profile), _) => Selector::Profile(profile.clone()),
            (Some(provider), ..) => Selector::Provider(provider.clone()),
            (.., Some(model)) => Selector::Model(model.clone()),
            (None, None, None) => Selector::Default,
        };
        match &self.session {
            Some(key) => Selector::Session {
                key: key.clone(),
                want: Box::new(selector),
            },
            None => selector,
        }
    }
}
