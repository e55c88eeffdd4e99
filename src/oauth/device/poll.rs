//! What a poll can bring, and why there may be no code or no grant.

use std::time::Duration;

use crate::model::id::printable;
use crate::oauth::error::OAuthError;
use crate::oauth::grant::Grant;
use crate::ports::host::RandomError;
use crate::ports::http::{HttpError, HttpErrorKind};

/// What a poll brought.
#[derive(Debug)]
pub enum Poll {
    /// The person has not decided yet.
    Pending,
    /// Polls come too fast: from now on the wait is longer by five seconds, or as long as the
    /// server says, whichever is more.
    SlowDown(Option<Duration>),
    /// The network or the server is in trouble, and the code is as good as before.
    Unavailable {
        /// What went wrong, cleaned for a terminal.
        reason: String,
        /// How long the server wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// The person agreed.
    Grant(Box<Grant>),
    /// There will be no grant for this code.
    Failed(DeviceError),
}

/// Why there is no code, or no grant for it.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The server does not give out codes, to anybody or to this account.
    #[error("the server gives out no device codes (HTTP {status})")]
    SwitchedOff {
        /// The status it answered with.
        status: u16,
    },
    /// The server sends people to an address that may not be shown.
    #[error("the server sends people to {address}, which was refused: it {why}")]
    Address {
        /// The address, cleaned for a terminal.
        address: String,
        /// What is wrong with it, in words that follow "it".
        why: &'static str,
    },
    /// The answer to the device authorization request is not one.
    #[error("the answer to the device authorization request {0}")]
    Malformed(&'static str),
    /// The person or the provider refused.
    #[error("{code}{}{description}", if description.is_empty() { "" } else { ": " })]
    Denied {
        /// The OAuth error code, cleaned for a terminal.
        code: String,
        /// The provider's words, cleaned for a terminal; may be empty.
        description: String,
    },
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
