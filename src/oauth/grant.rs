//! Code for grant, and old grant for new: the two requests to a token endpoint.
//!
//! A public client names its id in the body (RFC 6749 section 3.2.1); one with a secret shows it as
//! its registration says. No request is sent twice; whether to try again is for the caller, who
//! holds the lock.

use std::time::Duration;

use oauth2::basic::BasicClient;
use oauth2::{
    AuthType, ClientId, ClientSecret, PkceCodeVerifier, RedirectUrl, RefreshToken, TokenUrl,
};
use serde_json::Value;

use super::authorization::{Attempt, AuthorizationCode};
use super::dialect::{TokenEndpoint, is_success};
use super::error::{OAuthError, http_date};
use super::lifetime;
use super::token_request;
use crate::model::credential::{Identity, OAuth};
use crate::model::id::ProviderId;
use crate::model::json::Extra;
use crate::model::provider::{Client, ClientAuth, Provider};
use crate::model::secret::Secret;
use crate::model::time::{Timestamp, short_duration};
use crate::ports::http::{Http, Response};

/// However much margin is subtracted from an expiry, this much of a token's life is left: else a
/// short-lived token would count as expired the moment it comes.
const LEAST_LIFE: Duration = Duration::from_secs(30);

/// A clock that is wrong by no more than this, in milliseconds, concerns nobody.
const TOLERATED_SKEW: i64 = 300_000;

/// What a token endpoint gave.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The access token.
    pub access: Secret<String>,
    /// The refresh token; after a refresh `None` means that the old one goes on (RFC 6749 section
    /// 6), which is for the caller to merge.
    pub refresh: Option<Secret<String>>,
    /// The ID token, if one came.
    pub id_token: Option<Secret<String>>,
    /// When the access token ends, in milliseconds since the Unix epoch, less the margin that the
    /// manifest bakes in; `None` if neither the answer nor the token says.
    pub expires: Option<Timestamp>,
    /// The server's clock less ours, in milliseconds, by its `Date` header.
    pub clock_skew: Option<i64>,
    /// More members for the stored credential.
    pub extra: Extra,
    /// What its ID token must repeat, if the authorization request held a nonce.
    pub nonce: Option<Secret<String>>,
    /// The whole answer, for claims that stand in it.
    pub response: Secret<Vec<u8>>,
}

impl Grant {
    /// What a person should know if this machine's clock and the server's differ by more than five
    /// minutes, a sentence.
    ///
    /// Ends are stored by this machine's clock, so they are right for as long as it runs on as it
    /// is. Set right, it makes them wrong by as much.
    pub fn skew_warning(&self) -> Option<String> {
        let skew = self.clock_skew?;
        let size = skew.saturating_abs();
        let by = (size > TOLERATED_SKEW).then(|| short_duration(size))?;
        let way = if skew > 0 { "behind" } else { "ahead of" };
        Some(format!(
            "the clock of this machine is {by} {way} the provider's. Stored ends follow it: set it right, then run `openclaw models auth refresh --force`"
        ))
    }

    /// The grant as it is stored.
    pub fn into_credential(self, provider: &ProviderId, identity: Identity) -> OAuth {
        OAuth {
            provider: provider.as_str().to_owned(),
            access: Some(self.access),
            refresh: self.refresh,
            expires: self.expires,
            identity,
            extra: self.extra,
        }
    }
}

/// Exchanges an authorization code (RFC 6749 section 4.1.3, RFC 7636 section 4.5). `now` is the
/// moment before the call, so that an expiry errs on the early side.
///
/// # Errors
/// Why there is no grant. The code is spent in any case.
pub fn exchange(
    http: &dyn Http,
    provider: &Provider,
    client: &Client,
    attempt: &Attempt,
    code: &AuthorizationCode,
    now: Timestamp,
) -> Result<Grant, OAuthError> {
    let redeemed = Redeemed {
        code: code.secret(),
        verifier: attempt.verifier(),
        redirect_uri: &attempt.redirect_uri,
        state: Some(attempt.state()),
    };
    let grant = redeem(http, provider, client, &redeemed, now)?;
    Ok(Grant {
        nonce: attempt.nonce().cloned(),
        ..grant
    })
}

/// An authorization code, and what proves that it is ours.
pub(super) struct Redeemed<'a> {
    pub(super) code: &'a Secret<String>,
    pub(super) verifier: &'a Secret<String>,
    /// Exactly as in the authorization request.
    pub(super) redirect_uri: &'a str,
    /// For servers that want it again.
    pub(super) state: Option<&'a Secret<String>>,
}

/// The exchange itself, whoever made the verifier.
pub(super) fn redeem(
    http: &dyn Http,
    provider: &Provider,
    client: &Client,
    redeemed: &Redeemed<'_>,
    now: Timestamp,
) -> Result<Grant, OAuthError> {
    let oauth = oauth_client(client).set_token_uri(token_url(client)?);
    let redirect = RedirectUrl::new(redeemed.redirect_uri.to_owned());
    let redirect = redirect.map_err(|_| unsupported("the redirect URI is not a URL"))?;
    let oauth = oauth.set_redirect_uri(redirect);
    let code = oauth2::AuthorizationCode::new(redeemed.code.expose().clone());
    let verifier = PkceCodeVerifier::new(redeemed.verifier.expose().clone());
    let mut request = oauth.exchange_code(code).set_pkce_verifier(verifier);
    if let Some(state) = redeemed.state
        && provider.dialect.state_in_token_request
    {
        request = request.add_extra_param("state", state.expose());
    }
    let endpoint = TokenEndpoint::new(http, &provider.dialect);
    let _ = request.request(&endpoint);
    let mut sent = vec![redeemed.code, redeemed.verifier];
    sent.extend(&client.secret);
    settle(provider, endpoint, now, &sent)
}

/// Exchanges a refresh token (RFC 6749 section 6); no scope is sent, so none is asked for beyond
/// what was granted.
///
/// # Errors
/// Why there is no new grant, and by [`OAuthError::outcome`] what that means for the old one.
pub fn refresh(
    http: &dyn Http,
    provider: &Provider,
    client: &Client,
    refresh_token: &Secret<String>,
    now: Timestamp,
) -> Result<Grant, OAuthError> {
    let oauth = oauth_client(client).set_token_uri(token_url(client)?);
    let token = RefreshToken::new(refresh_token.expose().clone());
    let request = oauth.exchange_refresh_token(&token);
    let endpoint = TokenEndpoint::new(http, &provider.dialect);
    let _ = request.request(&endpoint);
    let mut sent = vec![refresh_token];
    sent.extend(&client.secret);
    settle(provider, endpoint, now, &sent)
}

/// Understands an answer of a token endpoint that was saved before. `now` is the moment at which
/// its request was begun.
///
/// # Errors
/// Why it holds no grant.
pub fn understand(
    provider: &Provider,
    answer: &Response,
    now: Timestamp,
) -> Result<Grant, OAuthError> {
    judge(provider, answer.clone(), now, &[])
}

pub(super) fn oauth_client(client: &Client) -> BasicClient {
    let oauth = BasicClient::new(ClientId::new(client.id.clone()));
    let oauth = oauth.set_auth_type(match (&client.secret, client.auth) {
        (Some(_), ClientAuth::Basic) => AuthType::BasicAuth,
        _ => AuthType::RequestBody,
    });
    match &client.secret {
        Some(secret) => oauth.set_client_secret(ClientSecret::new(secret.expose().clone())),
        None => oauth,
    }
}

pub(super) fn token_url(client: &Client) -> Result<TokenUrl, OAuthError> {
    let url = TokenUrl::new(client.token.clone());
    url.map_err(|_| unsupported("the token endpoint is not a URL"))
}

pub(super) fn unsupported(reason: &str) -> OAuthError {
    let reason = reason.to_owned();
    OAuthError::Unsupported { reason }
}

/// Turns what the endpoint saw into a grant or a judgement.
fn settle(
    provider: &Provider,
    endpoint: TokenEndpoint<'_>,
    now: Timestamp,
    sent: &[&Secret<String>],
) -> Result<Grant, OAuthError> {
    let answer = endpoint.into_answer();
    let answer = answer.ok_or_else(|| unsupported("the token request could not be built"))??;
    judge(provider, answer, now, sent)
}

/// What an answer of the token endpoint holds; `sent` are the secrets that went there.
pub(super) fn judge(
    provider: &Provider,
    answer: Response,
    now: Timestamp,
    sent: &[&Secret<String>],
) -> Result<Grant, OAuthError> {
    if is_success(&answer) {
        return grant(provider, answer, now).ok_or_else(|| {
            let reason = "the token endpoint answered without an access token".to_owned();
            OAuthError::Unexpected { reason }
        });
    }
    // An error sent with a status of success is judged as the 400 it should have been.
    let status = match answer.status {
        200..=299 => 400,
        status => status,
    };
    let answer = Response { status, ..answer };
    Err(OAuthError::of_answer(&answer, now, sent))
}

fn grant(provider: &Provider, answer: Response, now: Timestamp) -> Option<Grant> {
    let body = token_request::json(&answer);
    let secret = |name: &str| {
        let text = body.get(name).and_then(Value::as_str)?;
        Some(Secret::from(text)).filter(|secret| !secret.is_blank())
    };
    let access = secret("access_token")?;
    let date = answer.header("date").and_then(http_date);
    let member = provider.dialect.expiry_member.as_deref();
    let life = body.get(member.unwrap_or("expires_in"));
    let ends = lifetime::end(life, &access, date, now);
    Some(Grant {
        refresh: secret("refresh_token"),
        id_token: secret("id_token"),
        expires: ends.map(|ends| less_margin(ends, now, provider.refresh.baked_margin)),
        clock_skew: date.map(|date| now.until(date)),
        extra: Extra::default(),
        nonce: None,
        response: answer.body,
        access,
    })
}

pub(super) fn less_margin(ends: Timestamp, now: Timestamp, baked: Duration) -> Timestamp {
    let baked = i64::try_from(baked.as_millis()).unwrap_or(i64::MAX);
    let early = Timestamp(ends.0.saturating_sub(baked));
    early.max(ends.min(now.after(LEAST_LIFE)))
}

#[cfg(test)]
pub(super) mod tests;
