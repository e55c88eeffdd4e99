//! A login that another process may complete, or has begun.

use super::auth_code::CodeFlow;
use super::pending_code::PendingCode;
use super::relay::{Attempt, Relay, UserCode};
use super::request::Login;
use crate::app::failure::{Failure, Kind};
use crate::model::secret::Secret;
use crate::model::state_digest::StateDigest;
use crate::oauth::authorization::AuthorizationRequest;

/// The length of what names a login that has no `state`, as that of a `state`.
const STATE_BYTES: usize = 32;

impl Login<'_> {
    /// The authorization request that somebody else made, if this login goes on with one.
    ///
    /// # Errors
    /// If the provider is described in another way here.
    pub(super) fn resumed(&self, flow: &CodeFlow) -> Result<Option<AuthorizationRequest>, Failure> {
        let Some(attempt) = self.relay.and_then(Relay::resumed) else {
            return Ok(None);
        };
        if !flow.client.binding().is_same(&attempt.code.binding()) {
            let message = format!(
                "the client or token endpoint of {} is not the one with which this login was started",
                self.provider.name
            );
            return Err(Failure::new(Kind::Config, message));
        }
        Ok(Some(AuthorizationRequest {
            url: attempt.url.expose().clone(),
            pending: attempt.code.authorization(),
        }))
    }

    /// Tells others of a login that is about to wait, unless somebody else began it.
    ///
    /// # Errors
    /// As [`Relay::begun`].
    pub(super) fn tell_begun(
        &self,
        flow: &CodeFlow,
        authorization: &AuthorizationRequest,
    ) -> Result<(), Failure> {
        let Some(relay) = self.relay.filter(|relay| relay.resumed().is_none()) else {
            return Ok(());
        };
        relay.begun(Attempt {
            url: Secret::new(authorization.url.clone()),
            code: PendingCode::new(flow.client.binding(), authorization.pending.clone()),
        })
    }

    /// Tells others of a login that is about to poll.
    ///
    /// # Errors
    /// As [`Relay::polls`], and if there is no randomness.
    pub(super) fn tell_polls(&self, code: UserCode) -> Result<(), Failure> {
        let Some(relay) = self.relay else {
            return Ok(());
        };
        // The device code itself leaves the process only to its provider.
        let name = Secret::new(self.cx.random_hex::<STATE_BYTES>()?);
        relay.polls(StateDigest::of(&name), code)
    }

    /// Whether this process is the one that uses the answer.
    ///
    /// # Errors
    /// As [`Relay::take`].
    pub(super) fn take(&self) -> Result<bool, Failure> {
        self.relay.map_or(Ok(true), Relay::take)
    }
}
