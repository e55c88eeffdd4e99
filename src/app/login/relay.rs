//! What lets other processes complete a login, or know of it.

use serde::{Deserialize, Serialize};

use super::exposed;
use super::pending_code::PendingCode;
use crate::app::failure::Failure;
use crate::model::secret::Secret;
use crate::model::state_digest::StateDigest;
use crate::model::time::Timestamp;

/// A login that was begun: what another process needs to complete it. Secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Attempt {
    #[serde(with = "exposed")]
    pub(super) url: Secret<String>,
    #[serde(flatten)]
    pub(super) code: PendingCode,
}

impl Attempt {
    /// Which it is.
    pub fn state(&self) -> StateDigest {
        StateDigest::of(&self.code.state)
    }
}

/// What a person enters where, as others may show it as well (RFC 8628 section 3.3). Nothing of it
/// completes the login. Secret all the same: whoever enters the code logs this machine in to an account of
/// theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserCode {
    /// The page to open, which may hold the code.
    #[serde(with = "exposed")]
    pub url: Secret<String>,
    /// What is entered there.
    #[serde(with = "exposed")]
    pub user_code: Secret<String>,
    /// When the login ends if that does not happen.
    pub expires: Timestamp,
}

/// Lets others complete a login, or know of one that they cannot complete.
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

    /// Tells others of a login by device code, named by `state`, before a person is told the code. Only the
    /// caller polls, and completes it.
    ///
    /// # Errors
    /// Why it cannot be begun.
    fn polls(&self, state: StateDigest, code: UserCode) -> Result<(), Failure>;

    /// Decides who uses its answer; whether that is the caller. It is decided once, whoever asks. With a
    /// device code there is nobody else who could: the caller is not the one only if the login was ended
    /// before the answer came.
    ///
    /// # Errors
    /// If it cannot be decided now. One with a browser goes on waiting; of one with a device code the answer
    /// is left in its file.
    fn take(&self) -> Result<bool, Failure>;
}
