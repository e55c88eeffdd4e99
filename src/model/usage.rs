//! What was learnt about a profile by using it: `usageStats` of the store.

use super::json::Verbatim;
use super::time::Timestamp;

/// One `usageStats` entry: its text, and the part of it that selection and status look at.
///
/// The text is what is written back; the view is read from it. OpenClaw of later releases adds
/// members (`cooldownReason`, `cooldownModel`, …) that so survive unseen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage {
    /// The entry as it stands in the document.
    pub text: Verbatim,
    /// When the profile last completed a run.
    pub last_used: Option<Timestamp>,
    /// Passed over until then, after a failure that was not about billing.
    pub cooldown_until: Option<Timestamp>,
    /// Passed over until then, after a billing failure.
    pub disabled_until: Option<Timestamp>,
    /// Why it is disabled: `billing`, later also `auth_permanent`.
    pub disabled_reason: Option<String>,
}

/// Why a profile is passed over for a while.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// The end of it.
    pub until: Timestamp,
    /// `Some(reason)` if disabled, `None` if merely cooling down.
    pub disabled: Option<Option<String>>,
}

impl Usage {
    /// Whether the profile is passed over at `now`, and until when: the later of the two ends.
    /// While a disabling end lies ahead it is what is shown, as in the reference release.
    pub fn unusable(&self, now: Timestamp) -> Option<Unusable> {
        let ahead = |end: Option<Timestamp>| end.filter(|end| end.0 > 0 && now < *end);
        let disabled = ahead(self.disabled_until);
        let until = ahead(self.cooldown_until).max(disabled)?;
        Some(Unusable {
            until,
            disabled: disabled.map(|_| self.disabled_reason.clone()),
        })
    }
}
