//! An authorization code for a grant (RFC 6749 section 4.1.3, RFC 7636 section 4.5). No request is
//! sent twice: the code is spent in any case.

use super::authorization::{AuthorizationCode, PendingAuthorization};
use super::error::OAuthError;
use super::grant::Grant;
use super::token_request::TokenRequest;
use super::token_response;
use crate::model::provider::{Client, Provider};
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::ports::http::Http;

/// Exchanges an authorization code. `now` is the moment before the call, so that an expiry errs on
/// the early side.
///
/// # Errors
/// Returns why there is no grant. The code is spent in any case.
pub fn exchange(
    http: &dyn Http,
    provider: &Provider,
    client: &Client,
    pending: &PendingAuthorization,
    code: &AuthorizationCode,
    now: Timestamp,
) -> Result<Grant, OAuthError> {
    let redemption = Redemption {
        code: code.secret(),
        code_verifier: &pending.code_verifier,
        redirect_uri: &pending.redirect_uri,
        state: Some(&pending.state),
    };
    let grant = redeem(http, provider, client, &redemption, now)?;
    Ok(Grant {
        nonce: pending.nonce.clone(),
        ..grant
    })
}

/// An authorization code, and what proves that it is ours.
pub(super) struct Redemption<'a> {
    pub(super) code: &'a Secret<String>,
    pub(super) code_verifier: &'a Secret<String>,
    /// Exactly as in the authorization request.
    pub(super) redirect_uri: &'a str,
    /// Repeated for servers that want it (`state_in_token_request`).
    pub(super) state: Option<&'a Secret<String>>,
}

/// The exchange itself, whoever made the verifier.
pub(super) fn redeem(
    http: &dyn Http,
    provider: &Provider,
    client: &Client,
    redemption: &Redemption<'_>,
    now: Timestamp,
) -> Result<Grant, OAuthError> {
    let Redemption {
        code,
        code_verifier,
        redirect_uri,
        state,
    } = redemption;
    let dialect = &provider.dialect;
    let mut request = TokenRequest::authorization_code(client, code, code_verifier, redirect_uri)?;
    if let Some(state) = state.filter(|_| dialect.state_in_token_request) {
        request = request.with("state", state.expose());
    }
    let answer = request.send(http, dialect.body, &dialect.headers)?;
    let mut sent = vec![*code, *code_verifier];
    sent.extend(&client.secret);
    token_response::read(provider, answer, now, &sent)
}
