//! Revocation (RFC 7009): telling the server that a token shall not be good any longer.
//!
//! The invariant: only a server that said so has revoked it. An error, a redirect, no answer leave
//! everything as it was. To ask twice does no harm: a token that the server does not know any more
//! is as good as revoked (section 2.2).

use super::error::{self, OAuthError};
use super::token_request::TokenRequest;
use super::token_response::{is_page, is_success};
use crate::model::provider::{Body, Client, Dialect};
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::ports::http::{Http, Response};

pub use super::token_request::TokenTypeHint;

/// Asks the server at `endpoint` to revoke a token.
///
/// # Errors
/// Returns why it is not known to be revoked.
pub fn revoke(
    http: &dyn Http,
    (dialect, client): (&Dialect, &Client),
    endpoint: &str,
    (token, hint): (&Secret<String>, TokenTypeHint),
    now: Timestamp,
) -> Result<(), OAuthError> {
    let body = dialect.revocation_body;
    let mut request = TokenRequest::revocation(client, endpoint, token, hint)?;
    // Codex names no client with an access token.
    if body == Body::Json && hint == TokenTypeHint::AccessToken && client.secret.is_none() {
        request = request.without("client_id");
    }
    let answer = request.send(http, body, &[])?;
    let mut sent = vec![token];
    sent.extend(&client.secret);
    read_answer(&answer, &sent, now)
}

fn read_answer(
    answer: &Response,
    sent: &[&Secret<String>],
    now: Timestamp,
) -> Result<(), OAuthError> {
    // The body of a success says nothing (section 2.2), so it may be a page.
    if is_success(answer) || matches!(answer.status, 200..300) && is_page(answer) {
        return Ok(());
    }
    match answer.status {
        status @ (429 | 500..) => Err(OAuthError::Transient {
            reason: format!("the server returned HTTP {status}"),
            retry_after: error::retry_after(answer, now),
            status: Some(status),
        }),
        _ => Err(OAuthError::Refused(error::refusal(answer, sent))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::provider::ClientAuth;
    use crate::ports::http::{HttpErrorKind, Method};
    use crate::testing::http::ScriptedHttp;
    use std::time::Duration;

    const NOW: Timestamp = Timestamp(1_795_242_600_000);

    struct Asked {
        result: Result<(), OAuthError>,
        body: String,
        headers: Vec<(String, String)>,
    }

    fn ask(http: &ScriptedHttp, body: Body, client: &Client, hint: TokenTypeHint) -> Asked {
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

    fn answered(status: u16, body: &str) -> Result<(), OAuthError> {
        let http = ScriptedHttp::answering(status, body);
        ask(&http, Body::Form, &client(), TokenTypeHint::RefreshToken).result
    }

    #[test]
    fn rfc7009_2_1_a_form_names_token_hint_and_client() {
        let form = "token=rt-MARKER%2F%2B&token_type_hint=refresh_token";
        let http = ScriptedHttp::answering(200, "");
        let asked = ask(&http, Body::Form, &client(), TokenTypeHint::RefreshToken);
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
        let asked = ask(&http, Body::Form, &client, TokenTypeHint::RefreshToken);
        assert_eq!(
            asked.body,
            format!("{form}&client_id=client-1&client_secret=s%3A1")
        );

        client.auth = ClientAuth::Basic;
        let http = ScriptedHttp::answering(200, "");
        let asked = ask(&http, Body::Form, &client, TokenTypeHint::RefreshToken);
        assert_eq!(asked.body, form);
        // client-1:s%3A1
        let basic = "Basic Y2xpZW50LTE6cyUzQTE=".to_owned();
        assert!(asked.headers.contains(&("authorization".to_owned(), basic)));
    }

    #[test]
    fn json_is_what_codex_sends() {
        let http = ScriptedHttp::answering(200, "{}");
        let asked = ask(&http, Body::Json, &client(), TokenTypeHint::RefreshToken);
        assert_eq!(
            asked.body,
            r#"{"token":"rt-MARKER/+","token_type_hint":"refresh_token","client_id":"client-1"}"#
        );
        let http = ScriptedHttp::answering(200, "{}");
        let asked = ask(&http, Body::Json, &client(), TokenTypeHint::AccessToken);
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
            assert!(matches!(error, OAuthError::Transient { .. }), "{error:?}");
            assert!(!error.to_string().contains("MARKER"), "{error}");
        }
        let body = r#"{"error":"unsupported_token_type","error_description":"no rt-MARKER/+"}"#;
        for (status, body) in [(400, body), (302, ""), (404, ""), (401, "{}"), (200, body)] {
            let error = answered(status, body).unwrap_err();
            assert!(
                matches!(error, OAuthError::Refused(_)),
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
        let asked = ask(&http, Body::Form, &client(), TokenTypeHint::RefreshToken);
        let Err(OAuthError::Transient { retry_after, .. }) = asked.result else {
            panic!("{:?}", asked.result);
        };
        assert_eq!(retry_after, Some(Duration::from_secs(120)));
    }

    #[test]
    fn no_answer_is_no_revocation() {
        let failed = |kind| {
            let http = ScriptedHttp::new();
            http.fail(kind);
            ask(&http, Body::Form, &client(), TokenTypeHint::RefreshToken)
                .result
                .unwrap_err()
        };
        let connect = failed(HttpErrorKind::Connect);
        assert!(
            matches!(connect, OAuthError::Transient { .. }),
            "{connect:?}"
        );
        let unknown = failed(HttpErrorKind::AnswerTimeout);
        assert!(matches!(unknown, OAuthError::Unknown { .. }), "{unknown:?}");
    }
}
