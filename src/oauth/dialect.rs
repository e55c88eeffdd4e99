//! Between the `oauth2` crate, which speaks RFC 6749, and servers that nearly do.
//!
//! Outwards a form becomes JSON and headers are added where the manifest says so. Inwards the answer
//! is kept aside for the caller, who judges it, and the crate gets an empty one: it wants a
//! `token_type` that servers leave out, drops the ID token, and its `Parse` error would carry the
//! whole body, tokens included.

use std::cell::RefCell;

use oauth2::http::header::CONTENT_TYPE;
use oauth2::{HttpRequest, HttpResponse, SyncHttpClient};
use serde_json::Value;
use url::form_urlencoded;

use super::token_request::{self, FORM, JSON};
use crate::model::provider::{Body, Dialect};
use crate::model::secret::Secret;
use crate::ports::http::{Http, HttpError, Method, Request, Response};

/// A token endpoint with its oddities, for one request of the `oauth2` crate.
pub(super) struct TokenEndpoint<'a> {
    http: &'a dyn Http,
    dialect: &'a Dialect,
    answer: RefCell<Option<Result<Response, HttpError>>>,
}

impl<'a> TokenEndpoint<'a> {
    pub(super) fn new(http: &'a dyn Http, dialect: &'a Dialect) -> Self {
        Self {
            http,
            dialect,
            answer: RefCell::new(None),
        }
    }

    /// What the server really answered; `None` if no request was made.
    pub(super) fn into_answer(self) -> Option<Result<Response, HttpError>> {
        self.answer.into_inner()
    }

    fn request(&self, request: HttpRequest) -> Request {
        let (parts, body) = request.into_parts();
        let body = Secret::new(body);
        let mut headers: Vec<(String, String)> = parts
            .headers
            .iter()
            .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
            .filter(|(name, _)| *name != CONTENT_TYPE.as_str())
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let (content_type, body) = match self.dialect.body {
            Body::Form => (FORM, body),
            Body::Json => {
                let pairs = form_urlencoded::parse(body.expose());
                (JSON, Secret::new(token_request::object(pairs)))
            }
        };
        headers.push((CONTENT_TYPE.as_str().to_owned(), content_type.to_owned()));
        headers.extend(self.dialect.headers.iter().cloned());
        Request {
            method: Method::Post,
            url: parts.uri.to_string(),
            headers,
            body,
        }
    }
}

impl SyncHttpClient for TokenEndpoint<'_> {
    type Error = HttpError;

    fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = self.http.send(&self.request(request));
        self.answer.replace(Some(answer));
        Ok(HttpResponse::new(Vec::new()))
    }
}

/// Whether an answer says that all went well: its status does, and its body names no error (GoClaw
/// and Codex answer errors with 200, and GitHub's token endpoint always does).
pub(super) fn is_success(answer: &Response) -> bool {
    if !(200..300).contains(&answer.status) {
        return false;
    }
    token_request::json(answer)
        .get("error")
        .is_none_or(Value::is_null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::http::ScriptedHttp;

    /// Sends a form; gives what the server answered.
    fn call(fake: &ScriptedHttp, dialect: &Dialect) -> Response {
        let endpoint = TokenEndpoint::new(fake, dialect);
        let request = oauth2::http::Request::builder()
            .uri("https://login.example/token")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(b"a=1+2&b=%C3%A4".to_vec())
            .unwrap();
        let response = endpoint.call(request).unwrap();
        assert!(response.body().is_empty());
        endpoint.into_answer().unwrap().unwrap()
    }

    #[test]
    fn a_form_becomes_json_where_the_manifest_says_so() {
        let fake = ScriptedHttp::answering(200, r#"{"access_token":"at"}"#);
        let dialect = Dialect {
            body: Body::Json,
            headers: vec![("x-client".into(), "openclaw".into())],
            ..Dialect::default()
        };
        assert!(is_success(&call(&fake, &dialect)));
        assert_eq!(fake.first_body(), r#"{"a":"1 2","b":"ä"}"#);
        let seen = fake.requests();
        let types: Vec<_> = seen[0].headers.iter().collect();
        assert!(types.contains(&&("content-type".into(), "application/json".into())));
        assert!(types.contains(&&("x-client".into(), "openclaw".into())));
        assert_eq!(types.iter().filter(|(n, _)| n == "content-type").count(), 1);
    }

    #[test]
    fn an_error_with_status_200_is_an_error() {
        let fake = ScriptedHttp::answering(200, r#"{"error":"bad_verification_code"}"#);
        assert!(!is_success(&call(&fake, &Dialect::default())));
        assert_eq!(fake.first_body(), "a=1+2&b=%C3%A4");
        let answer = r#"{"access_token":"at","error":null,"expires_in":"60"}"#;
        let fake = ScriptedHttp::answering(201, answer);
        assert!(is_success(&call(&fake, &Dialect::default())));
    }
}
