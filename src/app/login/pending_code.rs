//! What a code is checked by, and with what and to whom it is sent, as it is written down.

use serde::{Deserialize, Serialize};

use super::exposed;
use crate::model::grant::Binding;
use crate::model::secret::Secret;
use crate::oauth::authorization::PendingAuthorization;

/// All that another process needs to complete a login beside its code. Secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PendingCode {
    // The only place that the code is sent to.
    token_endpoint: String,
    client_id: String,
    pub(super) redirect_uri: String,
    #[serde(with = "exposed")]
    pub(super) state: Secret<String>,
    #[serde(with = "exposed")]
    code_verifier: Secret<String>,
    /// No secret: it was part of the URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nonce: Option<String>,
    issuer: Option<String>,
    sends_iss: bool,
}

impl PendingCode {
    pub(super) fn new(binding: Binding, authorization: PendingAuthorization) -> Self {
        Self {
            token_endpoint: binding.token_endpoint,
            client_id: binding.client_id,
            redirect_uri: authorization.redirect_uri,
            state: authorization.state,
            code_verifier: authorization.code_verifier,
            nonce: authorization.nonce.map(|nonce| nonce.expose().clone()),
            issuer: authorization.issuer,
            sends_iss: authorization.sends_iss,
        }
    }

    /// Returns the client and token endpoint of the code.
    pub(super) fn binding(&self) -> Binding {
        Binding {
            token_endpoint: self.token_endpoint.clone(),
            client_id: self.client_id.clone(),
        }
    }

    /// Returns what the code is checked by and sent with.
    pub(super) fn authorization(&self) -> PendingAuthorization {
        PendingAuthorization {
            redirect_uri: self.redirect_uri.clone(),
            state: self.state.clone(),
            code_verifier: self.code_verifier.clone(),
            nonce: self.nonce.clone().map(Secret::new),
            issuer: self.issuer.clone(),
            sends_iss: self.sends_iss,
        }
    }
}
