//! What lets another process complete a login with a browser.

use serde::{Deserialize, Serialize};

use super::pending_code::PendingCode;
use crate::app::failure::Failure;
use crate::model::state_digest::StateDigest;

/// A login that was begun: what another process needs to complete it. Secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attempt {
    pub(super) url: String,
    #[serde(flatten)]
    pub(super) code: PendingCode,
}

impl Attempt {
    /// Which it is.
    pub fn state(&self) -> StateDigest {
        StateDigest::of(&self.code.state)
    }
}

/// Lets others complete a login.
pub trait Relay: Send + Sync {
    /// The attempt to go on with, if somebody else began it. It gets no listener of its own.
    fn resumed(&self) -> Option<&Attempt>;

    /// Which it is to others, once they are told of it.
    fn state(&self) -> Option<StateDigest>;

    /// Tells others of it, before anybody is sent to the browser.
    ///
    /// # Errors
    /// Why it cannot be begun.
    fn begun(&self, attempt: Attempt) -> Result<(), Failure>;

    /// Decides who uses its answer; whether that is the caller. It is decided once, whoever asks.
    ///
    /// # Errors
    /// If it cannot be decided now. The login goes on waiting.
    fn take(&self) -> Result<bool, Failure>;
}
