//! Logins that are under way, noted where everybody finds them who may complete them, or tell how they
//! stand: in one process, or in a database that several gateways share.

use std::time::Duration;

use crate::model::id::ProviderId;
use crate::model::secret::Secret;
use crate::model::state_digest::StateDigest;

use super::store::StoreError;

/// How far a login is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It waits for the answer of the browser, or for its code to be entered.
    Waiting,
    /// Somebody has its answer, and makes a credential of it.
    Taken,
    /// It is over.
    Ended,
}

/// How long a login waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// For so long, whoever is there to complete it.
    AtMost(Duration),
    /// As long as this process, which alone can complete it, says that it goes on.
    Held,
}

/// The last login of a provider.
#[derive(Clone, Debug)]
pub struct LoginAttempt {
    /// The provider.
    pub provider: ProviderId,
    /// Which it is.
    pub state: StateDigest,
    /// How far it is.
    pub step: Step,
    /// How long it may stay there: zero once that is over.
    pub left: Duration,
    /// The machine of whoever began it, or has its answer, as people know it.
    pub machine: Option<String>,
    /// What completes it, or what is shown of it; while it is taken what others may know of it, and then
    /// what became of it.
    pub content: Option<Secret<String>>,
}

/// Where logins under way are noted.
///
/// An implementation owes: at most one of a provider that is not over; that one is taken once, by one
/// caller, whatever becomes of that caller; that what is noted is kept as a secret; and one clock for the
/// ends of all.
pub trait LoginAttempts: Send + Sync {
    /// Whether others find them, also after the end of this process.
    fn are_shared(&self) -> bool;

    /// The last login of each provider, but those that were over long ago.
    ///
    /// # Errors
    /// If they cannot be read.
    fn attempts(&self) -> Result<Vec<LoginAttempt>, StoreError>;

    /// Notes one that waits; whether it is noted: not beside another one of its provider.
    ///
    /// # Errors
    /// If it cannot be noted.
    fn begin(
        &self,
        provider: &ProviderId,
        state: &StateDigest,
        content: &Secret<String>,
        life: Life,
    ) -> Result<bool, StoreError>;

    /// Takes one that waits, and keeps of what completes it only what others may `know`; whether it is
    /// this process's now. One of [`Life::Held`] is taken however long its process was silent, and by
    /// whichever process has its answer.
    ///
    /// # Errors
    /// If that cannot be told. It may be taken then, and this process, which alone can, asks again.
    fn take(&self, state: &StateDigest, know: &Secret<String>) -> Result<bool, StoreError>;

    /// Goes on with those of these that this process has taken, or alone can complete. Others take one for
    /// gone a minute after the last time: later than where they are noted is missed for a moment.
    ///
    /// # Errors
    /// If that cannot be noted.
    fn hold(&self, states: &[StateDigest]) -> Result<(), StoreError>;

    /// Notes what became of one that was `at` that step; whether it was, or this process ended it before.
    ///
    /// # Errors
    /// If it cannot be noted.
    fn end(
        &self,
        state: &StateDigest,
        at: Step,
        outcome: &Secret<String>,
    ) -> Result<bool, StoreError>;
}
