//! The flags that select a credential, which `token` and its kin share.

use clap::Args;

use crate::app::credential::selector::Selector;
use crate::model::id::{ProfileId, ProviderId};

/// The flags that select a credential.
#[derive(Debug, Args)]
pub struct SelectorArgs {
    /// Provider to select a credential of
    #[arg(long, value_name = "ID", conflicts_with = "profile", value_parser = ProviderId::parse)]
    provider: Option<ProviderId>,
    /// Profile to use
    #[arg(long, value_name = "PROFILE", value_parser = ProfileId::parse)]
    profile: Option<ProfileId>,
    /// Model or alias to select a credential for; @PROFILE uses only that profile
    #[arg(long, value_name = "MODEL[@PROFILE]", conflicts_with_all = ["provider", "profile"])]
    model: Option<String>,
    /// OpenClaw session whose pinned profile is used
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
