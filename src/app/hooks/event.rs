//! Events about one profile.

use crate::model::alert::{Alert, Event};
use crate::model::hint::Hint;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::time::Timestamp;

/// The profile that an event is about.
#[derive(Clone, Copy)]
pub(in crate::app) struct ProfileRef<'a> {
    pub(in crate::app) agent: &'a AgentId,
    pub(in crate::app) profile: &'a ProfileId,
    pub(in crate::app) provider: &'a ProviderId,
}

impl ProfileRef<'_> {
    /// Makes an alert about it.
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
