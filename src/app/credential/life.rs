//! Whether an access token is valid, by its expiry alone.

use std::time::Duration;

use super::facts::Facts;
use crate::app::refresh::outcome::RefreshPolicy;
use crate::model::expiry::Freshness;
use crate::model::time::Timestamp;

/// Whether the access token is valid for as long as `policy` asks, so that nothing else counts. The
/// hot path ends here, before the journal is read.
pub fn has_enough_life(facts: &Facts, policy: RefreshPolicy, now: Timestamp) -> bool {
    if !matches!(policy, RefreshPolicy::MinValid(_) | RefreshPolicy::Due) {
        return false;
    }
    let least = policy.min_valid().unwrap_or(facts.due_margin());
    matches!(
        facts.freshness(least, now),
        Freshness::Fresh { .. } | Freshness::NoExpiry
    )
}

/// Whether the access token is valid for another moment.
pub fn is_valid(facts: &Facts, now: Timestamp) -> bool {
    !matches!(
        facts.freshness(Duration::ZERO, now),
        Freshness::Expired { .. }
    )
}
