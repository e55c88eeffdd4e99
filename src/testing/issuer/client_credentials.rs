//! Clients that have a secret, and tokens that they get for themselves (RFC 6749 sections 2.3 and
//! 4.4).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::grants::{Grants, parameter};
use super::{Issuer, locked, pairs};
use crate::model::provider::ClientAuth;

/// The only client that the issuer knows, and how it must show its secret.
pub(super) struct Expected {
    id: String,
    secret: String,
    auth: ClientAuth,
}

impl Expected {
    /// The parameters of a token request with the client that its header names; `None` if it does
    /// not come from this client, or shows the secret in another way or in both (section 2.3).
    pub(super) fn check(
        &self,
        mut parameters: Vec<(String, String)>,
        authorization: Option<&str>,
    ) -> Option<Vec<(String, String)>> {
        let found = |name| parameter(&parameters, name);
        match (self.auth, authorization) {
            (ClientAuth::Post, None) => {
                let is_right =
                    found("client_id") == self.id && found("client_secret") == self.secret;
                is_right.then_some(parameters)
            }
            (ClientAuth::Basic, Some(header)) if found("client_secret").is_empty() => {
                let decoded = BASE64_STANDARD
                    .decode(header.strip_prefix("Basic ")?)
                    .ok()?;
                let decoded = String::from_utf8(decoded).ok()?;
                let (id, secret) = decoded.split_once(':')?;
                if form_decoded(id) != self.id || form_decoded(secret) != self.secret {
                    return None;
                }
                parameters.push(("client_id".to_owned(), self.id.clone()));
                Some(parameters)
            }
            _ => None,
        }
    }
}

/// Whether a request is for the client itself.
pub(super) fn asks_for_itself(parameters: &[(String, String)]) -> bool {
    parameter(parameters, "grant_type") == "client_credentials"
}

fn form_decoded(text: &str) -> String {
    parameter(&pairs(&format!("x={text}")), "x").to_owned()
}

impl Grants {
    /// A token for the client itself: opaque, without a refresh token.
    pub(super) fn for_client(&mut self, scope: &str) -> Value {
        json!({
            "access_token": self.next("cc"),
            "token_type": "Bearer",
            "expires_in": self.account.expires_in,
            "scope": scope,
        })
    }
}

impl Issuer {
    /// From now on every token request must come from this client.
    pub fn expect_client(&self, id: &str, secret: &str, auth: ClientAuth) {
        locked(&self.state).client = Some(Expected {
            id: id.to_owned(),
            secret: secret.to_owned(),
            auth,
        });
    }
}
