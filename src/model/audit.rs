//! What was done with which key to a gateway. Holds no secret.

use serde::Serialize;

use super::time::Timestamp;

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditEntry {
    /// When, by the clock of the gateway.
    pub at: i64,
    /// By whom: the id of a key, or `gateway` for the gateway's own token.
    pub key: String,
    /// What.
    pub action: &'static str,
    /// For which agent.
    pub agent: Option<String>,
    /// Of which provider.
    pub provider: Option<String>,
    /// Which profiles.
    pub profile: Option<String>,
    /// What else it was about: the key that was made, say.
    pub about: Option<String>,
    /// What came of it.
    pub outcome: String,
}

impl AuditEntry {
    /// Something that succeeded, and was about nothing in particular.
    pub fn new(at: Timestamp, key: &str, action: &'static str) -> Self {
        Self {
            at: at.0,
            key: key.to_owned(),
            action,
            agent: None,
            provider: None,
            profile: None,
            about: None,
            outcome: "ok".to_owned(),
        }
    }
}
