//! What was learnt about a profile by using it: `usageStats` of the store.

use super::json::Verbatim;
use super::time::Timestamp;

/// One `usageStats` entry: its text, and the members of it that we know.
///
/// Unless it is `changed`, its text is what is written back; else its members take the places they
/// had in the text, and those that only other releases know stay in theirs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// The entry as it stands in the document.
    pub text: Verbatim,
    /// Whether a member differs from what the text says.
    pub changed: bool,
    /// When the profile last completed a run.
    pub last_used: Option<Timestamp>,
    /// Failures since the last success, as far as they count.
    pub error_count: u64,
    /// The same by reason, in the order of their first appearance.
    pub failure_counts: Vec<(String, u64)>,
    /// When it last failed; a success does not clear it.
    pub last_failure_at: Option<Timestamp>,
    /// End of the cooldown after a failure that was not about billing.
    pub cooldown_until: Option<Timestamp>,
    /// The reason; early releases do not tell.
    pub cooldown_reason: Option<String>,
    /// The only model that is concerned; early releases do not tell.
    pub cooldown_model: Option<String>,
    /// End of the time in which it is disabled, after a failure that takes longer to mend.
    pub disabled_until: Option<Timestamp>,
    /// The reason why it is disabled: `billing`, later also `auth_permanent`.
    pub disabled_reason: Option<String>,
}

/// The reason and the end of a time in which a profile is passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// The end of it.
    pub until: Timestamp,
    /// `Some(reason)` if disabled, `None` if merely cooling down.
    pub disabled: Option<Option<String>>,
}

impl Unusable {
    /// Its name in JSON and for people.
    pub fn kind(&self) -> &'static str {
        match self.disabled {
            Some(_) => "disabled",
            None => "cooldown",
        }
    }
}

impl Usage {
    /// Returns until when the profile is passed over at `now`, if it is: the later of the two ends.
    /// While a disabling end lies ahead it is what is shown, as in the reference release.
    ///
    /// Asked for one `model`, a rate limit of another one does not count.
    pub fn unusable(&self, now: Timestamp, model: Option<&str>) -> Option<Unusable> {
        let ahead = |end: Option<Timestamp>| end.filter(|end| end.0 > 0 && now < *end);
        let disabled = ahead(self.disabled_until);
        let cooldown = ahead(self.cooldown_until);
        let until = cooldown.max(disabled)?;
        if disabled.is_none() && self.is_of_another(model) {
            return None;
        }
        Some(Unusable {
            until,
            disabled: disabled.map(|_| self.disabled_reason.clone()),
        })
    }

    /// Reports whether the cooldown is of another model than the one that is asked for.
    fn is_of_another(&self, model: Option<&str>) -> bool {
        let limited = self.cooldown_reason.as_deref() == Some("rate_limit");
        match (model, self.cooldown_model.as_deref()) {
            (Some(asked), Some(of)) => limited && asked != of,
            _ => false,
        }
    }
}
