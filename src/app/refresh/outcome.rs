//! What is asked of a refresh, and what came of it.

use std::time::Duration;

use crate::model::credential::OAuth;
use crate::model::hint::Hint;
use crate::model::time::Timestamp;

/// When to refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshPolicy {
    /// If less than this is left; `None` for the provider's own margin.
    MinValid(Option<Duration>),
    /// In any case.
    Always,
    /// Unless the grant was proven after this moment: it would die of disuse, however long its
    /// token lives.
    Unproven(Timestamp),
}

/// A living access token, and how it came about.
#[derive(Clone, Debug)]
pub struct ValidToken {
    /// The credential as it is now in the owner's document.
    pub credential: OAuth,
    /// What was done for it.
    pub how: RefreshResult,
    /// What a person should know of the profile, its name being the subject: the token is alive,
    /// and could not be renewed.
    pub warning: Option<Hint>,
    /// What a person must do before the token ends, if nothing else brings another one.
    pub remedy: Option<Hint>,
}

/// What was done for a living token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshResult {
    /// Nothing: there was enough life left.
    WasFresh,
    /// This process refreshed it.
    Refreshed,
    /// Another process refreshed it meanwhile.
    RefreshedElsewhere,
    /// It is due, and could not be refreshed now; it still lives.
    StillAlive,
}
