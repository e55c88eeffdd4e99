//! An event about one profile.

use crate::model::alert::{Alert, Event};
use crate::model::hint::Hint;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::time::Timestamp;

/// Whose login something happened to.
#[derive(Clone, Copy)]
pub(in crate::app) struct ProfileRef<'a> {
    /// In whose document it lies.
    pub(in crate::app) agent: &'a AgentId,
    /// Its name.
    pub(in crate::app) profile: &'a ProfileId,
    /// Its provider.
    pub(in crate::app) provider: &'a ProviderId,
}

impl ProfileRef<'_> {
    /// An alert about it.
    pub(in crate::app) fn alert(
        &self,
        event: Event,
        message: impl Into<Hint>,
        end: Option<Timestamp>,
    ) -> Alert {
        Alert {
            event,
            profile: self.profile.clone(),
            provider: self.provider.clone(),
            agent: self.agent.clone(),
            end,
            message: message.into(),
            command: None,
            mark: None,
        }
    }
}
