//! Codes that are shown here and typed in elsewhere: RFC 8628 and its relatives. Protocol only: it
//! sends one request at a time, and neither waits nor shows anything.
//!
//! The invariant: no address and no code reaches a person before it was checked
//! (`verification.rs`), and the device code, which would let its reader take the login, never leaves
//! [`DeviceAuthorization`].

mod authorization;
mod openai;
mod poll;
mod requests;
mod rfc8628;
mod schedule;
mod user_code;
mod verification;

use crate::model::provider::DeviceScheme;
use crate::model::time::Timestamp;
use crate::ports::host::Random;

pub use authorization::DeviceAuthorization;
pub use poll::{DeviceError, Poll};
pub use requests::DeviceClient;
pub use schedule::PollSchedule;

/// Asks for a code (RFC 8628 section 3.1). `now` is the moment before the call, so that the end of
/// the code errs on the early side.
///
/// # Errors
/// Returns why there is none, or none that may be shown.
pub fn authorize(
    client: &DeviceClient<'_>,
    random: &dyn Random,
    now: Timestamp,
) -> Result<DeviceAuthorization, DeviceError> {
    match &client.flow.scheme {
        DeviceScheme::Rfc8628 => rfc8628::authorize(client, random, now),
        DeviceScheme::UserCode => user_code::authorize(client, random, now),
        DeviceScheme::ServerPkce {
            code, verification, ..
        } => openai::authorize(client, code, verification, now),
    }
}

/// Asks once whether the person has agreed (RFC 8628 section 3.4). When it may be asked is for
/// [`PollSchedule`] to say.
pub fn poll(
    client: &DeviceClient<'_>,
    authorization: &mut DeviceAuthorization,
    now: Timestamp,
) -> Poll {
    let poll = match &client.flow.scheme {
        DeviceScheme::Rfc8628 => rfc8628::poll(client, authorization, now),
        DeviceScheme::UserCode => user_code::poll(client, authorization, now),
        DeviceScheme::ServerPkce { poll, redirect, .. } => {
            openai::poll(client, authorization, (poll, redirect), now)
        }
    };
    poll.unwrap_or_else(|ended| ended)
}

#[cfg(test)]
mod tests;
