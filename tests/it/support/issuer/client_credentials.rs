//! Clients that have a secret, and tokens that they get for themselves (RFC 6749 sections 2.3 and
//! 4.4).

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::message::{pairs, parameter};
use openclaw::model::provider::ClientAuth;

/// The only client that the issuer knows, and how it must show its secret.
pub(crate) struct Expected {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) auth: ClientAuth,
}

impl Expected {
    /// The parameters of a token request with the client that its header names; `None` if it does
    /// not come from this client, or shows the secret in another way or in both (section 2.3).
    pub(crate) fn check(
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
pub(crate) fn asks_for_itself(parameters: &[(String, String)]) -> bool {
    parameter(parameters, "grant_type") == "client_credentials"
}

fn form_decoded(text: &str) -> String {
    parameter(&pairs(&format!("x={text}")), "x").to_owned()
}
