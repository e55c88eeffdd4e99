//! A login that another process may complete, or has begun.

use super::auth_code::CodeFlow;
use super::relay::{Attempt, Relay};
use super::request::Login;
use crate::app::failure::{Failure, Kind};
use crate::model::grant::Binding;
use crate::model::secret::Secret;
use crate::oauth::authorization::{AuthorizationRequest, PendingAuthorization};

impl Login<'_> {
    /// The authorization request that somebody else made, if this login goes on with one.
    ///
    /// # Errors
    /// If the provider is described in another way here.
    pub(super) fn resumed(&self, flow: &CodeFlow) -> Result<Option<AuthorizationRequest>, Failure> {
        let Some(attempt) = self.relay.and_then(Relay::resumed) else {
            return Ok(None);
        };
        let begun_with = Binding {
            token_endpoint: attempt.token_endpoint.clone(),
            client_id: attempt.client_id.clone(),
        };
        if !flow.client.binding().is_same(&begun_with) {
            let message = format!(
                "the client or token endpoint of {} is not the one with which this login was started",
                self.provider.name
            );
            return Err(Failure::new(Kind::Config, message));
        }
        Ok(Some(AuthorizationRequest {
            url: attempt.url.clone(),
            pending: PendingAuthorization {
                redirect_uri: attempt.redirect_uri.clone(),
                state: attempt.state.clone(),
                code_verifier: attempt.code_verifier.clone(),
                nonce: attempt.nonce.clone().map(Secret::new),
                issuer: attempt.issuer.clone(),
                sends_iss: attempt.sends_iss,
            },
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
        let (binding, pending) = (flow.client.binding(), authorization.pending.clone());
        relay.begun(Attempt {
            url: authorization.url.clone(),
            redirect_uri: pending.redirect_uri,
            state: pending.state,
            code_verifier: pending.code_verifier,
            nonce: pending.nonce.map(|nonce| nonce.expose().clone()),
            issuer: pending.issuer,
            sends_iss: pending.sends_iss,
            token_endpoint: binding.token_endpoint,
            client_id: binding.client_id,
        })
    }

    /// Whether this process is the one that uses the answer.
    ///
    /// # Errors
    /// As [`Relay::take`].
    pub(super) fn take(&self) -> Result<bool, Failure> {
        self.relay.map_or(Ok(true), Relay::take)
    }
}
