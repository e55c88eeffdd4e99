//! The answer to whoever brought a credential.

use serde::Serialize;

use crate::app::login::StoredProfile;
use crate::gateway::flow::Connected;
use crate::model::id::{ProfileId, ProviderId};

/// It is stored.
#[derive(Debug, Serialize)]
pub(in crate::gateway) struct Stored {
    authenticated: bool,
    provider_name: ProviderId,
    provider_id: ProfileId,
}

impl From<Connected> for Stored {
    fn from(connected: Connected) -> Self {
        Self {
            authenticated: true,
            provider_name: connected.provider,
            provider_id: connected.profile,
        }
    }
}

impl From<StoredProfile> for Stored {
    fn from(stored: StoredProfile) -> Self {
        Connected::from(stored).into()
    }
}
