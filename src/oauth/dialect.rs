//! Between the `oauth2` crate, which speaks RFC 6749, and servers that nearly do.
//!
//! Outwards a form becomes JSON and headers are added where the manifest says so. Inwards an answer
//! is put right: the missing `token_type` is filled in, an error sent with status 200 becomes one.
//! The real answer is kept aside. Callers judge that one and never look into the crate's errors,
//! since its `Parse` error carries the whole body, tokens included.

use std::cell::RefCell;

use oauth2::http::header::{CONTENT_TYPE, HeaderValue};
use oauth2::{HttpRequest, HttpResponse, SyncHttpClient};
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use crate::model::provider::{Body, Dialect};
use crate::model::secret::Secret;
use crate::ports::http::{Http, HttpError, HttpErrorKind, Method, Request, Response};

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
            Body::Form => ("application/x-www-form-urlencoded", body),
            Body::Json => ("application/json", form_to_json(&body)),
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

fn form_to_json(form: &Secret<Vec<u8>>) -> Secret<Vec<u8>> {
    let pairs = form_urlencoded::parse(form.expose());
    let object: Map<String, Value> = pairs
        .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
        .collect();
    Secret::new(Value::Object(object).to_string().into_bytes())
}

impl SyncHttpClient for TokenEndpoint<'_> {
    type Error = HttpError;

    fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answer = self.http.send(&self.request(request));
        self.answer.replace(Some(answer.clone()));
        let answer = answer?;
        let (status, body) = normalised(&answer);
        let mut response = HttpResponse::new(body);
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        *response.status_mut() = status.try_into().map_err(|_| HttpError {
            kind: HttpErrorKind::NoAnswer,
            detail: "the answer has no valid status".to_owned(),
        })?;
        Ok(response)
    }
}

/// The answer as RFC 6749 section 5 would have it: a grant is status 200 and the members that the
/// crate needs, and nothing else is a success.
fn normalised(answer: &Response) -> (u16, Vec<u8>) {
    if !is_success(answer) {
        let status = match answer.status {
            200..=299 => 400,
            status => status,
        };
        return (status, answer.body.expose().clone());
    }
    let value: Value = serde_json::from_slice(answer.body.expose()).unwrap_or(Value::Null);
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let mut grant = json!({
        "access_token": text("access_token"),
        "token_type": text("token_type").unwrap_or("Bearer"),
    });
    if let Some(refresh) = text("refresh_token") {
        grant["refresh_token"] = refresh.into();
    }
    (200, grant.to_string().into_bytes())
}

/// Whether an answer says that all went well: its status does, and its body names no error (GoClaw
/// and Codex answer errors with 200, and GitHub's token endpoint always does).
pub(super) fn is_success(answer: &Response) -> bool {
    if !(200..300).contains(&answer.status) {
        return false;
    }
    let value: Value = serde_json::from_slice(answer.body.expose()).unwrap_or(Value::Null);
    value.get("error").is_none_or(Value::is_null)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::http::ScriptedHttp;

    fn call(fake: &ScriptedHttp, dialect: &Dialect) -> (u16, Value) {
        let endpoint = TokenEndpoint::new(fake, dialect);
        let request = oauth2::http::Request::builder()
            .uri("https://login.example/token")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(b"a=1+2&b=%C3%A4".to_vec())
            .unwrap();
        let response = endpoint.call(request).unwrap();
        assert!(endpoint.into_answer().unwrap().is_ok());
        let value = serde_json::from_slice(response.body()).unwrap();
        (response.status().as_u16(), value)
    }

    #[test]
    fn a_form_becomes_json_where_the_manifest_says_so() {
        let fake = ScriptedHttp::answering(200, r#"{"access_token":"at"}"#);
        let dialect = Dialect {
            body: Body::Json,
            headers: vec![("x-client".into(), "openclaw".into())],
            state_in_token_request: false,
        };
        let (status, body) = call(&fake, &dialect);
        assert_eq!(status, 200);
        assert_eq!(body["token_type"], "Bearer");
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
        assert_eq!(call(&fake, &Dialect::default()).0, 400);
        assert_eq!(fake.first_body(), "a=1+2&b=%C3%A4");
        let fake = ScriptedHttp::answering(
            201,
            r#"{"access_token":"at","error":null,"expires_in":"60"}"#,
        );
        assert_eq!(call(&fake, &Dialect::default()).0, 200);
    }
}
