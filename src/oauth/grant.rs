//! Code for grant, and old grant for new: the two requests to a token endpoint.
//!
//! Public clients only: the client id goes into the body, and there is no secret (RFC 8252 section
//! 8.5). No request is sent twice; whether to try again is for the caller, who holds the lock.

use std::time::Duration;

use oauth2::basic::{BasicClient, BasicTokenResponse};
use oauth2::{
    AuthType, ClientId, PkceCodeVerifier, RedirectUrl, RefreshToken, TokenResponse as _, TokenUrl,
};
use serde_json::Value;

use super::attempt::{Attempt, AuthorizationCode};
use super::dialect::{TokenEndpoint, is_success};
use super::error::{OAuthError, http_date};
use super::lifetime;
use crate::model::credential::{Identity, OAuth};
use crate::model::id::ProviderId;
use crate::model::json::Extra;
use crate::model::provider::{Client, Provider};
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
            extra: Extra::default(),
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
    attempt: &Attempt,
    code: &AuthorizationCode,
    now: Timestamp,
) -> Result<Grant, OAuthError> {
    let (client, token_url) = endpoint_of(provider)?;
    let oauth = public_client(client).set_token_uri(token_url);
    let redirect = RedirectUrl::new(attempt.redirect_uri.clone());
    let redirect = redirect.map_err(|_| unsupported("the redirect URI is not a URL"))?;
    let oauth = oauth.set_redirect_uri(redirect);
    let mut request = oauth
        .exchange_code(oauth2::AuthorizationCode::new(code.expose().to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(attempt.verifier().expose().clone()));
    if provider.dialect.state_in_token_request {
        request = request.add_extra_param("state", attempt.state().expose());
    }
    let endpoint = TokenEndpoint::new(http, &provider.dialect);
    let parsed = request.request(&endpoint).ok();
    let sent = [code.secret(), attempt.verifier()];
    settle(provider, endpoint, parsed, now, &sent)
}

/// Exchanges a refresh token (RFC 6749 section 6); no scope is sent, so none is asked for beyond
/// what was granted.
///
/// # Errors
/// Why there is no new grant, and by [`OAuthError::outcome`] what that means for the old one.
pub fn refresh(
    http: &dyn Http,
    provider: &Provider,
    refresh_token: &Secret<String>,
    now: Timestamp,
) -> Result<Grant, OAuthError> {
    let (client, token_url) = endpoint_of(provider)?;
    let oauth = public_client(client).set_token_uri(token_url);
    let token = RefreshToken::new(refresh_token.expose().clone());
    let request = oauth.exchange_refresh_token(&token);
    let endpoint = TokenEndpoint::new(http, &provider.dialect);
    let parsed = request.request(&endpoint).ok();
    settle(provider, endpoint, parsed, now, &[refresh_token])
}

fn public_client(client: &Client) -> BasicClient {
    BasicClient::new(ClientId::new(client.id.clone())).set_auth_type(AuthType::RequestBody)
}

fn endpoint_of(provider: &Provider) -> Result<(&Client, TokenUrl), OAuthError> {
    let client = provider.client.as_ref();
    let client = client.ok_or_else(|| unsupported("the provider has no OAuth client"))?;
    let url = TokenUrl::new(client.token.clone());
    let url = url.map_err(|_| unsupported("the token endpoint is not a URL"))?;
    Ok((client, url))
}

fn unsupported(reason: &str) -> OAuthError {
    let reason = reason.to_owned();
    OAuthError::Unsupported { reason }
}

/// Turns what the endpoint saw into a grant or a judgement. The crate's own error is dropped
/// unread: it may carry the body.
fn settle(
    provider: &Provider,
    endpoint: TokenEndpoint<'_>,
    parsed: Option<BasicTokenResponse>,
    now: Timestamp,
    sent: &[&Secret<String>],
) -> Result<Grant, OAuthError> {
    let answer = endpoint.into_answer();
    let answer = answer.ok_or_else(|| unsupported("the token request could not be built"))??;
    if let Some(parsed) = parsed
        && !parsed.access_token().secret().trim().is_empty()
    {
        return Ok(grant(&parsed, answer, now, provider.refresh.baked_margin));
    }
    if is_success(&answer) {
        let reason = "the token endpoint answered without an access token".to_owned();
        return Err(OAuthError::Unexpected { reason });
    }
    // An error sent with a status of success is judged as the 400 it should have been.
    let status = match answer.status {
        200..=299 => 400,
        status => status,
    };
    let answer = Response { status, ..answer };
    Err(OAuthError::of_answer(&answer, now, sent))
}

fn grant(parsed: &BasicTokenResponse, answer: Response, now: Timestamp, baked: Duration) -> Grant {
    let access = Secret::new(parsed.access_token().secret().clone());
    let body: Value = serde_json::from_slice(answer.body.expose()).unwrap_or(Value::Null);
    let secret = |text: &str| Some(Secret::from(text)).filter(|secret| !secret.is_blank());
    let date = answer.header("date").and_then(http_date);
    let ends = lifetime::end(body.get("expires_in"), &access, date, now);
    Grant {
        refresh: parsed
            .refresh_token()
            .and_then(|token| secret(token.secret())),
        id_token: body
            .get("id_token")
            .and_then(Value::as_str)
            .and_then(secret),
        expires: ends.map(|ends| less_margin(ends, now, baked)),
        clock_skew: date.map(|date| now.until(date)),
        response: answer.body,
        access,
    }
}

fn less_margin(ends: Timestamp, now: Timestamp, baked: Duration) -> Timestamp {
    let baked = i64::try_from(baked.as_millis()).unwrap_or(i64::MAX);
    let early = Timestamp(ends.0.saturating_sub(baked));
    early.max(ends.min(now.after(LEAST_LIFE)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::provider::{Account, Body, Dialect, RefreshPolicy};
    use crate::oauth::attempt::tests::begin;
    use crate::oauth::claims::tests::jwt;
    use crate::ports::http::{HttpErrorKind, Response};
    use crate::testing::http::ScriptedHttp;
    use serde_json::json;

    const NOW: Timestamp = Timestamp(1_795_242_600_000);

    fn provider(body: Body, baked: u64) -> Provider {
        Provider {
            id: ProviderId::parse("acme").unwrap(),
            name: "Acme".into(),
            env: Vec::new(),
            ambient: Vec::new(),
            policy: None,
            default_model: None,
            client: Some(Client {
                id: "client-1".into(),
                authorize: "https://login.example/authorize".into(),
                token: "https://login.example/token".into(),
                issuer: None,
            }),
            flows: Vec::new(),
            dialect: Dialect {
                body,
                headers: Vec::new(),
                state_in_token_request: body == Body::Json,
            },
            account: Account::default(),
            refresh: RefreshPolicy {
                baked_margin: Duration::from_secs(baked),
                ..RefreshPolicy::default()
            },
        }
    }

    fn renew(http: &ScriptedHttp, baked: u64) -> Result<Grant, OAuthError> {
        refresh(http, &provider(Body::Form, baked), &"rt-old".into(), NOW)
    }

    #[test]
    fn a_refresh_sends_the_body_that_was_recorded() {
        let http = ScriptedHttp::answering(200, r#"{"access_token":"at","expires_in":3600}"#);
        let grant = renew(&http, 300).unwrap();
        assert_eq!(
            http.first_body(),
            "grant_type=refresh_token&refresh_token=rt-old&client_id=client-1"
        );
        assert_eq!(grant.refresh, None);
        assert_eq!(grant.expires, Some(Timestamp(NOW.0 + 3_300_000)));
        let seen = http.requests();
        assert_eq!(seen[0].url, "https://login.example/token");
        assert!(
            seen[0]
                .headers
                .iter()
                .all(|(name, _)| name != "authorization")
        );
    }

    #[test]
    fn an_exchange_sends_verifier_and_redirect_uri() {
        let http = ScriptedHttp::answering(
            200,
            r#"{"access_token":"at","refresh_token":"rt","id_token":"it","expires_in":"60"}"#,
        );
        let attempt = begin(None);
        let code = AuthorizationCode::unproven("ac_1".into());
        let grant = exchange(&http, &provider(Body::Json, 0), &attempt, &code, NOW).unwrap();
        let sent: Value = serde_json::from_str(&http.first_body()).unwrap();
        assert_eq!(
            sent,
            json!({
                "grant_type": "authorization_code",
                "client_id": "client-1",
                "code": "ac_1",
                "code_verifier": attempt.verifier().expose(),
                "redirect_uri": attempt.redirect_uri,
                "state": attempt.state().expose(),
            })
        );
        assert_eq!(grant.id_token, Some("it".into()));
        assert_eq!(grant.expires, Some(Timestamp(NOW.0 + 60_000)));
        let id = ProviderId::parse("acme").unwrap();
        let stored = grant.into_credential(&id, Identity::default());
        assert_eq!(stored.refresh, Some("rt".into()));
        assert_eq!(stored.provider, "acme");
    }

    #[test]
    fn an_expiry_is_found_and_never_lies_in_the_past() {
        let expires = |body: Value, baked| {
            renew(&ScriptedHttp::answering(200, &body.to_string()), baked)
                .unwrap()
                .expires
        };
        let jwt = jwt(&json!({"exp": NOW.0 / 1000 + 600}));
        let after = |seconds: i64| Some(Timestamp(NOW.0 + seconds * 1000));
        assert_eq!(expires(json!({"access_token": jwt}), 0), after(600));
        assert_eq!(
            expires(json!({"access_token": jwt, "expires_in": 0}), 60),
            after(540)
        );
        assert_eq!(
            expires(json!({"access_token": "at", "expires_in": 120}), 300),
            after(30)
        );
        assert_eq!(
            expires(json!({"access_token": "at", "expires_in": 10}), 300),
            after(10)
        );
        assert_eq!(expires(json!({"access_token": "at"}), 0), None);
    }

    #[test]
    fn errors_are_judged_and_hold_no_token() {
        let error =
            |status, body: &str| renew(&ScriptedHttp::answering(status, body), 0).unwrap_err();
        assert!(error(200, r#"{"error":"invalid_grant"}"#).is_lasting());
        assert!(error(400, r#"{"error":"invalid_grant"}"#).is_lasting());
        assert!(error(503, "").is_passing());
        assert!(error(302, "").is_unknown());
        for body in [
            r#"{"access":"MARKER"}"#,
            "<html>MARKER",
            r#"{"access_token":""}"#,
            "",
        ] {
            let error = error(200, body);
            assert!(matches!(error, OAuthError::Unexpected { .. }), "{body}");
            assert!(!format!("{error:?} {error}").contains("MARKER"));
        }
        let http = ScriptedHttp::new();
        http.fail(HttpErrorKind::AnswerTimeout);
        assert!(renew(&http, 0).unwrap_err().is_unknown());
        let mut nobody = provider(Body::Form, 0);
        nobody.client = None;
        let nothing = refresh(&http, &nobody, &"rt".into(), NOW).unwrap_err();
        assert!(matches!(nothing, OAuthError::Unsupported { .. }));
    }

    #[test]
    fn the_servers_clock_is_compared_with_ours() {
        let http = ScriptedHttp::new();
        http.push(Ok(Response {
            status: 200,
            headers: vec![("date".into(), "Sat, 21 Nov 2026 06:29:00 GMT".into())],
            body: Secret::new(br#"{"access_token":"at"}"#.to_vec()),
        }));
        let grant = renew(&http, 0).unwrap();
        assert_eq!(grant.clock_skew, Some(-60_000));
        assert_eq!(grant.skew_warning(), None);
        let words = |skew| {
            let clock_skew = Some(skew);
            let grant = Grant {
                clock_skew,
                ..grant.clone()
            };
            grant.skew_warning().unwrap_or_default()
        };
        assert!(words(300_001).contains("5m behind the provider's"));
        assert!(words(-7_200_000).contains("2h ahead of the provider's"));
        assert!(words(i64::MIN).contains("ahead of"));
        assert_eq!(words(300_000), "");
    }
}
