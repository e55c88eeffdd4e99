//! Who wants a login, and for whom.

use serde::{Deserialize, Serialize};

use crate::model::id::{AgentId, ProfileId, ProviderId};

/// A login that somebody wants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Who wants it: the id of their key.
    pub caller: String,
    /// The provider.
    pub provider: ProviderId,
    /// The agent to store it for.
    pub agent: AgentId,
    /// The profile; by default named after the account.
    pub profile: Option<ProfileId>,
    /// What the person calls it.
    pub display_name: Option<String>,
}

impl Order {
    /// Whether its login is for this agent, and for this profile if one is given.
    pub fn is_for(&self, agent: &AgentId, profile: Option<&ProfileId>) -> bool {
        self.agent == *agent && profile.is_none_or(|it| self.profile.as_ref() == Some(it))
    }

    /// Whether it is another request for the same login.
    pub fn is_same(&self, other: &Self) -> bool {
        self.caller == other.caller
            && self.provider == other.provider
            && self.agent == other.agent
            && self.profile == other.profile
    }
}
