//! A token for the client itself (RFC 6749 section 4.4): no person, no refresh token.

use super::error::OAuthError;
use super::grant::Grant;
use super::token_request::TokenRequest;
use super::token_response::{self, is_success};
use crate::model::provider::{Client, ClientCredentialsFlow, Provider};
use crate::model::time::Timestamp;
use crate::ports::http::Http;

/// Asks for a token. `now` is the moment before the call, so that an expiry errs on the early side.
/// A refresh token that comes with it is dropped, for it should not (section 4.4.3).
///
/// # Errors
/// Returns why there is none. All of the request is configuration, so an answer that finds fault
/// with it is a refusal, whatever its code; nothing is spent by any.
pub fn request(
    http: &dyn Http,
    provider: &Provider,
    client: &Client,
    flow: &ClientCredentialsFlow,
    now: Timestamp,
) -> Result<Grant, OAuthError> {
    let dialect = &provider.dialect;
    let mut request = TokenRequest::client_credentials(client, &flow.scopes)?;
    for (name, value) in &flow.params {
        request = request.with(name, value);
    }
    let answer = request.send(http, dialect.body, &dialect.headers)?;
    let sent: Vec<_> = client.secret.iter().collect();
    if is_success(&answer) {
        let mut grant = token_response::read(provider, answer, now, &sent)?;
        grant.refresh = None;
        return Ok(grant);
    }
    Err(OAuthError::of_answer_to_client(&answer, now, &sent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::grant::Refusal;
    use crate::model::provider::ClientAuth;
    use crate::model::secret::Secret;
    use crate::oauth::token_response::tests::{NOW, provider};
    use crate::testing::http::ScriptedHttp;

    fn client(auth: ClientAuth) -> Client {
        Client {
            secret: Some(Secret::from("s3cret+MARKER")),
            auth,
            ..Client::public("client:1", "https://login.example/token")
        }
    }

    fn ask(http: &ScriptedHttp, auth: ClientAuth) -> Result<Grant, OAuthError> {
        let flow = ClientCredentialsFlow {
            scopes: vec!["model.request".into(), "b".into()],
            params: vec![("audience".into(), "models".into())],
        };
        request(
            http,
            &provider(Default::default(), 0),
            &client(auth),
            &flow,
            NOW,
        )
    }

    const ANSWER: &str = r#"{"access_token":"at","refresh_token":"rt","expires_in":3600}"#;

    #[test]
    fn rfc6749_4_4_2_the_secret_is_posted() {
        let http = ScriptedHttp::answering(200, ANSWER);
        let grant = ask(&http, ClientAuth::Post).unwrap();
        assert_eq!(
            http.first_body(),
            "grant_type=client_credentials&scope=model.request+b&client_id=client%3A1&client_secret=s3cret%2BMARKER&audience=models"
        );
        assert_eq!(grant.refresh, None, "RFC 6749 section 4.4.3");
        assert_eq!(grant.expires, Some(Timestamp(NOW.0 + 3_600_000)));
        let headers = &http.requests()[0].headers;
        assert!(headers.iter().all(|(name, _)| name != "authorization"));
    }

    #[test]
    fn rfc6749_2_3_1_the_secret_is_a_basic_credential() {
        let http = ScriptedHttp::answering(200, ANSWER);
        ask(&http, ClientAuth::Basic).unwrap();
        let headers = &http.requests()[0].headers;
        let shown = headers.iter().find(|(name, _)| name == "authorization");
        // "client%3A1:s3cret%2BMARKER": both are encoded as in a form before they are joined.
        let expected = "Basic Y2xpZW50JTNBMTpzM2NyZXQlMkJNQVJLRVI=";
        assert_eq!(shown.map(|(_, value)| value.as_str()), Some(expected));
        assert_eq!(
            http.first_body(),
            "grant_type=client_credentials&scope=model.request+b&audience=models"
        );
    }

    #[test]
    fn what_finds_fault_with_the_request_is_a_refusal() {
        for (status, code) in [
            (401, "invalid_client"),
            (400, "unauthorized_client"),
            (400, "invalid_scope"),
            (400, "unsupported_grant_type"),
            (403, "odd"),
        ] {
            let body = format!(r#"{{"error":"{code}","error_description":"no s3cret+MARKER"}}"#);
            let error = ask(&ScriptedHttp::answering(status, &body), ClientAuth::Post).unwrap_err();
            let code = code.to_owned();
            let description = "no (hidden)".to_owned();
            let refusal = Refusal {
                code,
                description,
                status,
            };
            assert_eq!(error, OAuthError::Refused(refusal), "{status}");
        }
        for status in [408, 425, 429, 500, 503] {
            let http = ScriptedHttp::answering(status, r#"{"error":"later"}"#);
            let error = ask(&http, ClientAuth::Post).unwrap_err();
            assert!(error.is_transient(), "{status}: {error:?}");
        }
        let region = r#"{"error":"unsupported_country_region_territory"}"#;
        let error = ask(&ScriptedHttp::answering(403, region), ClientAuth::Post).unwrap_err();
        assert!(error.is_transient(), "{error:?}");
    }
}
