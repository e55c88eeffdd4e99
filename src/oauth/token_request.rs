//! Requests that the `oauth2` crate does not make, and answers that it does not read: parameters,
//! the client's authentication, bodies.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};
use url::form_urlencoded::{Serializer, byte_serialize};

use crate::model::provider::{Body, Client, ClientAuth};
use crate::model::secret::Secret;
use crate::ports::http::{Method, Request, Response};

/// What a form is called.
pub(super) const FORM: &str = "application/x-www-form-urlencoded";
/// What JSON is called.
pub(super) const JSON: &str = "application/json";

/// The parameters of a request, in order.
pub(super) type Pairs<'a> = Vec<(&'a str, &'a str)>;
/// Names and values of headers.
pub(super) type Headers = Vec<(String, String)>;

/// A POST of parameters; `headers` go beside those that every such request has.
pub(super) fn request(
    url: &str,
    body: Body,
    pairs: &[(&str, &str)],
    mut headers: Headers,
) -> Request {
    let (content_type, body) = match body {
        Body::Form => {
            let mut form = Serializer::new(String::new());
            (FORM, form.extend_pairs(pairs).finish().into_bytes())
        }
        Body::Json => (JSON, object(pairs.iter().copied())),
    };
    headers.push(("accept".to_owned(), JSON.to_owned()));
    headers.push(("content-type".to_owned(), content_type.to_owned()));
    Request {
        method: Method::Post,
        url: url.to_owned(),
        headers,
        body: Secret::new(body),
    }
}

/// Parameters as a JSON object.
pub(super) fn object(
    pairs: impl Iterator<Item = (impl Into<String>, impl Into<String>)>,
) -> Vec<u8> {
    let object: Map<String, Value> = pairs
        .map(|(name, value)| (name.into(), Value::String(value.into())))
        .collect();
    Value::Object(object).to_string().into_bytes()
}

/// Adds who asks: a public client names its id, another one shows its secret as its registration
/// says (RFC 6749 section 2.3.1).
pub(super) fn authenticate<'a>(client: &'a Client, pairs: &mut Pairs<'a>, headers: &mut Headers) {
    match (&client.secret, client.auth) {
        (Some(secret), ClientAuth::Basic) => {
            headers.push(("authorization".to_owned(), basic(&client.id, secret)));
        }
        (secret, _) => {
            pairs.push(("client_id", &client.id));
            let secret = secret.as_ref().map(|secret| secret.expose().as_str());
            pairs.extend(secret.map(|secret| ("client_secret", secret)));
        }
    }
}

/// `client_secret_basic`: both halves are encoded as in a form first.
fn basic(id: &str, secret: &Secret<String>) -> String {
    let encoded = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Secret::new(format!("{}:{}", encoded(id), encoded(secret.expose())));
    format!("Basic {}", BASE64_STANDARD.encode(pair.expose()))
}

/// The body of an answer; `Null` if it is no JSON.
pub(super) fn json(answer: &Response) -> Value {
    serde_json::from_slice(answer.body.expose()).unwrap_or(Value::Null)
}
