//! Codes that are shown here and typed in elsewhere: RFC 8628 and its relatives. Protocol only: it
//! sends one request at a time, and neither waits nor shows anything.
//!
//! The invariant: no address and no code reaches a person before it was checked (`shown.rs`), and
//! the device code, which would let its reader take the login, never leaves [`Begun`].

mod pace;
mod server_pkce;
mod shown;
mod standard;
mod user_code;
mod wire;

use std::time::Duration;

use super::error::OAuthError;
use super::grant::Grant;
use crate::model::id::printable;
use crate::model::provider::{Client, DeviceFlow, DeviceScheme, Provider};
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::ports::host::{Random, RandomError};
use crate::ports::http::{Http, HttpError, HttpErrorKind};

pub use pace::PollSchedule;

/// A device flow of a provider, ready to speak to its server.
#[derive(Clone, Copy)]
pub struct Device<'a> {
    /// The one HTTP client.
    pub http: &'a dyn Http,
    /// The provider.
    pub provider: &'a Provider,
    /// Its client, with everything known.
    pub client: &'a Client,
    /// The flow.
    pub flow: &'a DeviceFlow,
}

/// A device authorization that waits for a person.
#[derive(Debug)]
pub struct Begun {
    /// What the person types in; at most 64 characters, all of them printable.
    pub user_code: String,
    /// Where; on one of the flow's hosts.
    pub verification_uri: String,
    /// The same with the code in it, for a QR code, if the server gave one; on one of the flow's
    /// hosts.
    pub verification_uri_complete: Option<String>,
    /// When the code ends, in milliseconds since the Unix epoch.
    pub expires: Timestamp,
    /// For how long the code lives, from before it was asked for.
    pub lifetime: Duration,
    /// The wait between two polls.
    pub interval: Duration,
    /// `device_code`, or what a relative of the RFC has in its place.
    code: Secret<String>,
    verifier: Option<Secret<String>>,
    approved: Option<server_pkce::Approved>,
}

/// What a poll brought.
#[derive(Debug)]
pub enum Poll {
    /// The person has not decided yet.
    Pending,
    /// Polls come too fast: from now on the wait is longer by five seconds, or as long as the
    /// server says, whichever is more.
    SlowDown(Option<Duration>),
    /// The network or the server is in trouble, and the code is as good as before.
    Trouble {
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

impl Device<'_> {
    /// Asks for a code (RFC 8628 section 3.1). `now` is the moment before the call, so that the
    /// end of the code errs on the early side.
    ///
    /// # Errors
    /// Why there is none, or none that may be shown.
    pub fn begin(&self, random: &dyn Random, now: Timestamp) -> Result<Begun, DeviceError> {
        match &self.flow.scheme {
            DeviceScheme::Rfc8628 => standard::begin(self, random, now),
            DeviceScheme::UserCode => user_code::begin(self, random, now),
            DeviceScheme::ServerPkce { code, .. } => server_pkce::begin(self, code, now),
        }
    }

    /// Asks once whether the person has agreed (RFC 8628 section 3.4). When it may be asked is for
    /// [`PollSchedule`] to say.
    pub fn poll(&self, begun: &mut Begun, now: Timestamp) -> Poll {
        match &self.flow.scheme {
            DeviceScheme::Rfc8628 => standard::poll(self, begun, now),
            DeviceScheme::UserCode => user_code::poll(self, begun, now),
            DeviceScheme::ServerPkce { poll, redirect, .. } => {
                server_pkce::poll(self, begun, (poll, redirect), now)
            }
        }
    }

    /// The device authorization endpoint.
    fn endpoint(&self) -> Result<&str, DeviceError> {
        self.client.device.as_deref().ok_or_else(|| {
            let reason = "the manifest names no device authorization endpoint".to_owned();
            DeviceError::OAuth(OAuthError::Unsupported { reason })
        })
    }
}

/// A failure of the network while a code is waited for. Only a request that cannot be made at all
/// ends the wait: whatever became of it, the next poll tells.
fn trouble(error: HttpError) -> Poll {
    match error.kind {
        HttpErrorKind::Local => Poll::Failed(DeviceError::OAuth(error.into())),
        _ => Poll::Trouble {
            reason: printable(&error.to_string(), 200),
            retry_after: None,
        },
    }
}

#[cfg(test)]
mod tests;
