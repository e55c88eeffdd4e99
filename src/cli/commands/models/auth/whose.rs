//! Whose credential is meant: the flags that `token` and its kin share.

use clap::Args;

use crate::app::failure::Failure;
use crate::app::token::Want;
use crate::model::id::{ProfileId, ProviderId};

/// Whose credential.
#[derive(Debug, Args)]
pub struct Whose {
    /// Of the profile that selection takes for this provider
    #[arg(long, value_name = "ID", conflicts_with = "profile")]
    provider: Option<String>,
    /// Of this profile
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
}

impl Whose {
    /// What they say; without a flag, whatever is the default.
    ///
    /// # Errors
    /// If a name is not one.
    pub fn want(&self) -> Result<Want, Failure> {
        Ok(match (&self.provider, &self.profile) {
            (_, Some(profile)) => Want::Profile(ProfileId::parse(profile)?),
            (Some(provider), None) => Want::Provider(ProviderId::parse(provider)?),
            (None, None) => Want::Default,
        })
    }
}
