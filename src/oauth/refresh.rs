//! A refresh token for a new grant (RFC 6749 section 6). No request is sent twice; whether to try
//! again is for the caller, who holds the lock.

use super::error::OAuthError;
use super::grant::Grant;
use super::token_request::TokenRequest;
use super::token_response;
use crate::model::provider::{Client, Provider};
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::ports::http::Http;

/// Exchanges a refresh token. `now` is the moment before the call, so that an expiry errs on the
/// early side.
///
/// # Errors
/// Returns why there is no new grant, and by [`OAuthError::outcome`] what that means for the old
/// one.
pub fn refresh(
    http: &dyn Http,
    provider: &Provider,
    client: &Client,
    refresh_token: &Secret<String>,
    now: Timestamp,
) -> Result<Grant, OAuthError> {
    let dialect = &provider.dialect;
    let request = TokenRequest::refresh_token(client, refresh_token)?;
    let answer = request.send(http, dialect.body, &dialect.headers)?;
    let mut sent = vec![refresh_token];
    sent.extend(&client.secret);
    token_response::read(provider, answer, now, &sent)
}
