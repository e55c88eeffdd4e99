//! The answer to whoever brought a credential.

use serde::Serialize;

use crate::app::login::StoredProfile;
use crate::model::id::{ProfileId, ProviderId};

/// It is stored.
#[derive(Debug, Serialize)]
pub(in crate::gateway) struct Stored {
    authenticated: bool,
    provider_name: ProviderId,
    provider_id: ProfileId,
}

impl From<StoredProfile> for Stored {
    fn from(stored: StoredProfile) -> Self {
        Self {
            authenticated: true,
            provider_name: stored.provider,
            provider_id: stored.profile,
        }
    }
}
