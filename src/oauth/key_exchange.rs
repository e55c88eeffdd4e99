//! A code that becomes an API key: OpenRouter's PKCE flow for any application.

use serde_json::Value;

use super::answer_body::json;
use super::authorization::{AuthorizationCode, PendingAuthorization};
use super::claims;
use super::error::OAuthError;
use super::pkce::METHOD;
use super::token_members;
use super::token_request::TokenRequest;
use super::token_response::is_success;
use crate::model::bearer::BearerFault;
use crate::model::id::printable;
use crate::model::provider::{Body, Client};
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::ports::http::{Http, Response};

/// An API key that was made by the exchange.
#[derive(Clone, Debug)]
pub struct Key {
    /// The key.
    pub key: Secret<String>,
    /// The user that it belongs to, if the server says; fit for a terminal.
    pub user: Option<String>,
}

/// Exchanges a code for a key. `now` is the moment at which it is sent.
///
/// # Errors
/// Returns why there is no key. This server has no error code for a code that it does not accept;
/// its status says so.
pub fn exchange(
    http: &dyn Http,
    client: &Client,
    pending: &PendingAuthorization,
    code: &AuthorizationCode,
    now: Timestamp,
) -> Result<Key, OAuthError> {
    // No client and no grant type: what RFC 7636 adds to a code is all that this server takes.
    let redirect_uri = &pending.redirect_uri;
    let code_verifier = &pending.code_verifier;
    let request =
        TokenRequest::authorization_code(client, code.secret(), code_verifier, redirect_uri)?
            .without("grant_type")
            .without("client_id")
            .without("redirect_uri")
            .with("code_challenge_method", METHOD);
    let answer = request.send(http, Body::Json, &[])?;
    // A remark beside the key does not take it away: the code is spent.
    let has_key = matches!(answer.status, 200..300) && key(&json(&answer)).is_some();
    if !has_key && !is_success(&answer) {
        let sent = [code.secret(), code_verifier];
        return Err(OAuthError::of_answer_to_client(&answer, now, &sent));
    }
    read(&answer)
}

/// Reads the answer with the key.
///
/// # Errors
/// Returns what is missing.
pub fn read(answer: &Response) -> Result<Key, OAuthError> {
    let body = json(answer);
    let key = key(&body);
    let key = key.ok_or_else(|| OAuthError::not_understood("the server returned no key"))?;
    if let Some(fault) = BearerFault::of(key.trim()) {
        let reason = format!("the key that the server returned {}", fault.words());
        return Err(OAuthError::not_understood(&reason));
    }
    let user = body.get("user_id").and_then(claims::text);
    Ok(Key {
        key: Secret::new(key),
        user: user
            .map(|user| printable(&user, 100))
            .filter(|user| !user.is_empty()),
    })
}

fn key(body: &Value) -> Option<String> {
    token_members::text(body.get("key")?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::provider::{BrowserFlow, KeyExchange, Redirect};
    use crate::oauth::authorization::tests::Counting;
    use crate::oauth::authorization::{AuthorizationRequest, begin};
    use crate::oauth::pkce::code_challenge;
    use crate::testing::http::ScriptedHttp;
    use serde_json::json;
    use url::Url;

    fn keys() -> KeyExchange {
        KeyExchange {
            authorize: "https://keys.example/auth".into(),
            exchange: "https://keys.example/api/v1/auth/keys".into(),
        }
    }

    fn begun() -> (AuthorizationRequest, AuthorizationCode) {
        let uri = "http://localhost:3000/cb";
        let flow = BrowserFlow {
            key_exchange: Some(keys()),
            ..BrowserFlow::to(Redirect::Elsewhere(uri.to_owned()))
        };
        let request = begin(&keys().client(), &flow, uri, &Counting::default()).unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), Secret::from(value));
        let state = request.pending.state.expose().clone();
        let code = request
            .pending
            .read_callback(&[pair("state", &state), pair("code", "ac-MARKER")]);
        (request, code.unwrap())
    }

    #[test]
    fn the_state_travels_in_the_callback_url() {
        let (request, _) = begun();
        let url = Url::parse(&request.url).unwrap();
        let sent: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let state = request.pending.state.expose();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let expected = [
            pair(
                "callback_url",
                &format!("http://localhost:3000/cb?state={state}"),
            ),
            pair(
                "code_challenge",
                code_challenge(&request.pending.code_verifier).as_str(),
            ),
            pair("code_challenge_method", "S256"),
        ];
        assert_eq!(sent, expected);
        assert_eq!(request.pending.redirect_uri, "http://localhost:3000/cb");
        assert!(!request.url.contains(request.pending.code_verifier.expose()));
    }

    #[test]
    fn code_and_verifier_become_a_key() {
        let (request, code) = begun();
        let fake = ScriptedHttp::answering(200, r#"{"key":"sk-or-MARKER","user_id":"u\u001b1"}"#);
        let key = exchange(
            &fake,
            &keys().client(),
            &request.pending,
            &code,
            Timestamp(0),
        )
        .unwrap();
        assert_eq!(key.key.expose(), "sk-or-MARKER");
        assert_eq!(key.user.as_deref(), Some("u 1"));
        assert!(!format!("{key:?}").contains("MARKER"));
        let sent: Value = serde_json::from_str(&fake.first_body()).unwrap();
        let expected = json!({
            "code": "ac-MARKER",
            "code_verifier": request.pending.code_verifier.expose(),
            "code_challenge_method": "S256",
        });
        assert_eq!(sent, expected);
        assert_eq!(fake.requests()[0].url, keys().exchange);
    }

    #[test]
    fn a_key_is_taken_whatever_stands_beside_it() {
        for body in [
            r#"{"key":"sk-1","error":"slow"}"#,
            r#"{"key":"sk-1","x":NaN}"#,
            r#"{"key":" sk-1\n","success":false,"user_id":7}"#,
        ] {
            let (request, code) = begun();
            let fake = ScriptedHttp::answering(200, body);
            let client = keys().client();
            let key = exchange(&fake, &client, &request.pending, &code, Timestamp(0)).unwrap();
            assert_eq!(key.key.expose(), "sk-1", "{body}");
        }
    }

    #[test]
    fn what_is_no_key_is_judged() {
        let (request, code) = begun();
        let answered = |status, body: &str| {
            let fake = ScriptedHttp::answering(status, body);
            exchange(
                &fake,
                &keys().client(),
                &request.pending,
                &code,
                Timestamp(0),
            )
            .unwrap_err()
        };
        let refused = answered(
            403,
            r#"{"error":{"code":403,"message":"Invalid code ac-MARKER"}}"#,
        );
        assert!(refused.is_permanent(), "{refused:?}");
        let text = "refused: http_403: Invalid code (hidden) (HTTP 403)";
        assert_eq!(refused.to_string(), text);
        assert!(answered(503, "").is_transient() && answered(429, "{}").is_transient());
        assert!(!answered(200, "{}").is_transient());
        assert!(answered(200, r#"{"error":{"code":400}}"#).is_permanent());
        let broken = answered(200, r#"{"key":"sk-MARKER\nX: y"}"#);
        assert!(
            matches!(broken, OAuthError::NotUnderstood { .. }),
            "{broken:?}"
        );
    }
}
