//! Revocation (RFC 7009): telling the server that a token shall not be good any longer.
//!
//! The invariant: only a server that said so has revoked it. An error, a redirect, no answer leave
//! everything as it was. To ask twice does no harm: a token that the server does not know any more
//! is as good as revoked (section 2.2).

use std::time::Duration;

use super::dialect::is_success;
use super::{error, token_request};
use crate::model::grant::Refusal;
use crate::model::id::printable;
use crate::model::provider::{Body, Client, Dialect};
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::ports::http::{Http, Request, Response};

/// What a token is (RFC 7009 section 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hint {
    /// A refresh token: with it go the access tokens that came of it.
    RefreshToken,
    /// An access token.
    AccessToken,
}

impl Hint {
    /// Its name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RefreshToken => "refresh_token",
            Self::AccessToken => "access_token",
        }
    }
}

/// Why a token is not known to be revoked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RevokeError {
    /// It is as good as it was; the server may do it later.
    #[error("{reason}")]
    Later {
        /// What went wrong, cleaned for a terminal.
        reason: String,
        /// How long the server wants to be left alone (Retry-After).
        retry_after: Option<Duration>,
    },
    /// It was asked and did not answer.
    #[error("{reason}")]
    Unknown {
        /// What went wrong, cleaned for a terminal.
        reason: String,
    },
    /// It does not.
    #[error("HTTP {}: {} {}", .0.status, .0.code, .0.description)]
    Refused(Refusal),
}

/// Asks the server at `endpoint` to revoke a token.
///
/// # Errors
/// Why it is not known to be revoked.
pub fn revoke(
    http: &dyn Http,
    (dialect, client): (&Dialect, &Client),
    endpoint: &str,
    (token, hint): (&Secret<String>, Hint),
    now: Timestamp,
) -> Result<(), RevokeError> {
    let answer = http
        .send(&request((dialect, client), endpoint, (token, hint)))
        .map_err(|failed| {
            let reason = printable(&failed.to_string(), 200);
            match failed.kind.may_have_been_sent() {
                true => RevokeError::Unknown { reason },
                false => RevokeError::Later {
                    reason,
                    retry_after: None,
                },
            }
        })?;
    let mut sent = vec![token];
    sent.extend(&client.secret);
    judge(&answer, &sent, now)
}

fn judge(answer: &Response, sent: &[&Secret<String>], now: Timestamp) -> Result<(), RevokeError> {
    if is_success(answer) {
        return Ok(());
    }
    let refusal = error::refusal(answer, sent);
    match answer.status {
        status @ (429 | 500..) => Err(RevokeError::Later {
            reason: format!("the server answered HTTP {status}"),
            retry_after: error::retry_after(answer, now),
        }),
        _ => Err(RevokeError::Refused(refusal)),
    }
}

fn request(
    (dialect, client): (&Dialect, &Client),
    endpoint: &str,
    (token, hint): (&Secret<String>, Hint),
) -> Request {
    let mut headers = Vec::new();
    let mut pairs = vec![
        ("token", token.expose().as_str()),
        ("token_type_hint", hint.as_str()),
    ];
    let body = dialect.revocation_body;
    // Codex names no client with an access token.
    let is_nameless = body == Body::Json && hint == Hint::AccessToken && client.secret.is_none();
    if !is_nameless {
        token_request::authenticate(client, &mut pairs, &mut headers);
    }
    token_request::request(endpoint, body, &pairs, headers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::provider::ClientAuth;
    use crate::ports::http::{HttpErrorKind, Method};
    use crate::testing::http::ScriptedHttp;

    const NOW: Timestamp = Timestamp(1_795_242_600_000);

    struct Asked {
        result: Result<(), RevokeError>,
        body: String,
        headers: Vec<(String, String)>,
    }

    fn ask(http: &ScriptedHttp, body: Body, client: &Client, hint: Hint) -> Asked {
        let dialect = Dialect {
            revocation_body: body,
            ..Dialect::default()
        };
        let token = Secret::from("rt-MARKER/+");
        let endpoint = "https://a.example/revoke";
        let result = revoke(http, (&dialect, client), endpoint, (&token, hint), NOW);
        let request = http.requests().remove(0);
        assert_eq!(
            (request.method, request.url.as_str()),
            (Method::Post, endpoint)
        );
        Asked {
            result,
            body: http.first_body(),
            headers: request.headers,
        }
    }

    fn client() -> Client {
        Client::public("client-1", "https://a.example/token")
    }

    fn answered(status: u16, body: &str) -> Result<(), RevokeError> {
        let http = ScriptedHttp::answering(status, body);
        ask(&http, Body::Form, &client(), Hint::RefreshToken).result
    }

    #[test]
    fn rfc7009_2_1_a_form_names_token_hint_and_client() {
        let form = "token=rt-MARKER%2F%2B&token_type_hint=refresh_token";
        let http = ScriptedHttp::answering(200, "");
        let asked = ask(&http, Body::Form, &client(), Hint::RefreshToken);
        assert_eq!(asked.result, Ok(()));
        assert_eq!(asked.body, format!("{form}&client_id=client-1"));
        let form_type = "application/x-www-form-urlencoded".to_owned();
        assert!(
            asked
                .headers
                .contains(&("content-type".to_owned(), form_type))
        );

        let mut client = client();
        client.secret = Some(Secret::from("s:1"));
        let http = ScriptedHttp::answering(200, "");
        let asked = ask(&http, Body::Form, &client, Hint::RefreshToken);
        assert_eq!(
            asked.body,
            format!("{form}&client_id=client-1&client_secret=s%3A1")
        );

        client.auth = ClientAuth::Basic;
        let http = ScriptedHttp::answering(200, "");
        let asked = ask(&http, Body::Form, &client, Hint::RefreshToken);
        assert_eq!(asked.body, form);
        // client-1:s%3A1
        let basic = "Basic Y2xpZW50LTE6cyUzQTE=".to_owned();
        assert!(asked.headers.contains(&("authorization".to_owned(), basic)));
    }

    #[test]
    fn json_is_what_codex_sends() {
        let http = ScriptedHttp::answering(200, "{}");
        let asked = ask(&http, Body::Json, &client(), Hint::RefreshToken);
        assert_eq!(
            asked.body,
            r#"{"token":"rt-MARKER/+","token_type_hint":"refresh_token","client_id":"client-1"}"#
        );
        let http = ScriptedHttp::answering(200, "{}");
        let asked = ask(&http, Body::Json, &client(), Hint::AccessToken);
        assert_eq!(
            asked.body,
            r#"{"token":"rt-MARKER/+","token_type_hint":"access_token"}"#
        );
    }

    #[test]
    fn rfc7009_2_2_only_a_success_revokes() {
        assert_eq!(answered(200, ""), Ok(()));
        assert_eq!(answered(204, ""), Ok(()));
        assert_eq!(answered(200, "<html>"), Ok(()));
        for status in [429, 500, 502, 503] {
            let error = answered(status, "rt-MARKER/+").unwrap_err();
            assert!(matches!(error, RevokeError::Later { .. }), "{error:?}");
            assert!(!error.to_string().contains("MARKER"), "{error}");
        }
        let body = r#"{"error":"unsupported_token_type","error_description":"no rt-MARKER/+"}"#;
        for (status, body) in [(400, body), (302, ""), (404, ""), (401, "{}"), (200, body)] {
            let error = answered(status, body).unwrap_err();
            assert!(
                matches!(error, RevokeError::Refused(_)),
                "{status}: {error:?}"
            );
            assert!(!error.to_string().contains("MARKER"), "{error}");
        }
    }

    #[test]
    fn rfc7009_2_2_1_a_server_may_want_to_be_asked_later() {
        let http = ScriptedHttp::new();
        http.push(Ok(Response {
            status: 503,
            headers: vec![("retry-after".into(), "120".into())],
            body: Secret::new(Vec::new()),
        }));
        let asked = ask(&http, Body::Form, &client(), Hint::RefreshToken);
        let Err(RevokeError::Later { retry_after, .. }) = asked.result else {
            panic!("{:?}", asked.result);
        };
        assert_eq!(retry_after, Some(Duration::from_secs(120)));
    }

    #[test]
    fn no_answer_is_no_revocation() {
        let failed = |kind| {
            let http = ScriptedHttp::new();
            http.fail(kind);
            ask(&http, Body::Form, &client(), Hint::RefreshToken)
                .result
                .unwrap_err()
        };
        let connect = failed(HttpErrorKind::Connect);
        assert!(matches!(connect, RevokeError::Later { .. }), "{connect:?}");
        let unknown = failed(HttpErrorKind::AnswerTimeout);
        assert!(
            matches!(unknown, RevokeError::Unknown { .. }),
            "{unknown:?}"
        );
    }
}
