//! The policy of a refresh, and its outcome.

use std::time::Duration;

use crate::app::failure::Failure;
use crate::model::credential::OAuth;
use crate::model::hint::Hint;
use crate::model::time::Timestamp;

/// When to refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshPolicy {
    /// If less than this is left; `None` means the provider's margin.
    MinValid(Option<Duration>),
    /// If less than the provider's margin is left, and nobody waits for the token: other writers of
    /// its document are waited for, also while it is valid.
    Due,
    /// In any case.
    Always,
    /// Unless the grant was proven after this moment: it would expire from disuse, however long its
    /// token is valid.
    Unproven(Timestamp),
}

impl RefreshPolicy {
    /// The validity that is asked for, unless it is the provider's margin.
    pub(in crate::app) fn min_valid(self) -> Option<Duration> {
        match self {
            Self::MinValid(least) => least,
            Self::Due | Self::Always | Self::Unproven(_) => None,
        }
    }
}

/// A valid access token.
#[derive(Clone, Debug)]
pub struct ValidToken {
    /// The credential as it is now in the document.
    pub credential: OAuth,
    /// How the token was obtained.
    pub how: RefreshResult,
    /// The warning if the token is valid and could not be refreshed; the name of the profile is its
    /// subject.
    pub warning: Option<Hint>,
    /// The failure to expect once it has expired, if somebody must act to prevent it.
    pub later_failure: Option<Failure>,
}

/// How a valid token was obtained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshResult {
    /// It was fresh.
    WasFresh,
    /// This process refreshed it.
    Refreshed,
    /// Another process refreshed it meanwhile.
    RefreshedElsewhere,
    /// It lives for less than was asked for, and a new one would live hardly longer.
    NoneLivesLonger,
    /// It is due and could not be refreshed, but is still valid.
    StillAlive,
}
