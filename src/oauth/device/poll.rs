//! What a poll can bring, and why there may be no code or no grant.

use std::time::Duration;

use crate::model::grant::Refusal;
use crate::model::id::printable;
use crate::oauth::error::OAuthError;
use crate::oauth::grant::Grant;
use crate::ports::host::RandomError;
use crate::ports::http::{HttpError, HttpErrorKind};

/// The result of a poll.
#[derive(Debug)]
pub enum Poll {
    /// The person has not decided yet.
    Pending,
    /// Polls come too fast: from now on the wait is longer by five seconds, or as long as the
    /// server says, whichever is more.
    SlowDown(Option<Duration>),
    /// The network or the server is in trouble, and the code is as good as before.
    Unavailable {
        /// The cause, cleaned for a terminal.
        reason: String,
        /// The wait that the server asks for.
        retry_after: Option<Duration>,
    },
    /// The person agreed.
    Grant(Box<Grant>),
    /// The code will never bring a grant.
    Failed(DeviceError),
}

/// A failure to get a device code, or a grant for it.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// There is no randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// Device codes are switched off, for everybody or for this account.
    #[error("the server issues no device codes (HTTP 404)")]
    SwitchedOff,
    /// The server sends people to an address that may not be shown.
    #[error("the verification address {address} was rejected: it {why}")]
    Address {
        /// The address, cleaned for a terminal.
        address: String,
        /// What is wrong with it, in words that follow "it".
        why: String,
    },
    /// The answer to the device authorization request is not one.
    #[error("the response to the device authorization request {0}")]
    Malformed(&'static str),
    /// The person or the provider refused.
    #[error("{}", .0.words())]
    Denied(Refusal),
    /// Nobody used the code while it lived.
    #[error("the code has expired")]
    Expired,
    /// Anything else that the server said.
    #[error(transparent)]
    OAuth(#[from] OAuthError),
}

impl From<OAuthError> for Poll {
    fn from(error: OAuthError) -> Self {
        Self::Failed(error.into())
    }
}

impl From<HttpError> for Poll {
    /// Only a request that cannot be made at all ends the wait: whatever became of it, the next
    /// poll tells.
    fn from(error: HttpError) -> Self {
        match error.kind {
            HttpErrorKind::Local => OAuthError::from(error).into(),
            _ => Self::Unavailable {
                reason: printable(&error.to_string(), 200),
                retry_after: None,
            },
        }
    }
}
