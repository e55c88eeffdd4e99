//! Requests and answers of device flows, as they are on the wire.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::Device;
use crate::model::provider::{Body, ClientAuth};
use crate::model::secret::Secret;
use crate::ports::host::{Random, RandomError};
use crate::ports::http::{HttpError, Method, Request, Response};

/// No server is polled faster than this, whatever it says.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);

/// The parameters of a request, in order.
pub(super) type Pairs<'a> = Vec<(&'a str, &'a str)>;

impl Device<'_> {
    /// The device authorization request (RFC 8628 section 3.1): always a form.
    pub(super) fn ask<'a>(
        &'a self,
        mut pairs: Pairs<'a>,
        random: &dyn Random,
        to: &str,
    ) -> Result<Result<Response, HttpError>, RandomError> {
        let mut headers = Vec::new();
        if let Some(name) = &self.flow.request_id {
            headers.push((name.clone(), uuid(random)?));
        }
        let params = self.flow.params.iter();
        pairs.extend(params.map(|(name, value)| (name.as_str(), value.as_str())));
        Ok(self.send(to, Body::Form, pairs, headers))
    }

    /// A request to the token endpoint.
    pub(super) fn ask_token<'a>(&'a self, pairs: Pairs<'a>) -> Result<Response, HttpError> {
        let body = self.provider.dialect.body;
        self.send(&self.client.token, body, pairs, Vec::new())
    }

    /// With the client's authentication (RFC 6749 section 2.3.1).
    fn send<'a>(
        &'a self,
        to: &str,
        body: Body,
        mut pairs: Pairs<'a>,
        mut headers: Vec<(String, String)>,
    ) -> Result<Response, HttpError> {
        match (&self.client.secret, self.client.auth) {
            (Some(secret), ClientAuth::Basic) => {
                headers.push(("authorization".to_owned(), basic(&self.client.id, secret)));
            }
            (Some(secret), ClientAuth::Post) => {
                pairs.push(("client_id", &self.client.id));
                pairs.push(("client_secret", secret.expose()));
            }
            (None, _) => pairs.push(("client_id", &self.client.id)),
        }
        self.post(to, body, &pairs, headers)
    }

    /// A request with these parameters and no others.
    pub(super) fn post(
        &self,
        to: &str,
        body: Body,
        pairs: &[(&str, &str)],
        mut headers: Vec<(String, String)>,
    ) -> Result<Response, HttpError> {
        let (content_type, body) = match body {
            Body::Form => (
                "application/x-www-form-urlencoded",
                form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(pairs)
                    .finish(),
            ),
            Body::Json => {
                let pairs = pairs.iter();
                let object: Map<String, Value> = pairs
                    .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
                    .collect();
                ("application/json", Value::Object(object).to_string())
            }
        };
        headers.push(("accept".to_owned(), "application/json".to_owned()));
        headers.push(("content-type".to_owned(), content_type.to_owned()));
        headers.extend(self.provider.dialect.headers.iter().cloned());
        self.http.send(&Request {
            method: Method::Post,
            url: to.to_owned(),
            headers,
            body: Secret::new(body.into_bytes()),
        })
    }
}

/// `client_secret_basic`: both parts are form-encoded first.
fn basic(id: &str, secret: &Secret<String>) -> String {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Secret::new(format!("{}:{}", encoded(id), encoded(secret.expose())));
    format!("Basic {}", BASE64_STANDARD.encode(pair.expose()))
}

/// A random UUID (RFC 9562 section 5.4).
fn uuid(random: &dyn Random) -> Result<String, RandomError> {
    let mut bytes = [0; 16];
    random.fill(&mut bytes)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    ))
}

/// The body of an answer; `Null` if it is no JSON.
pub(super) fn json(answer: &Response) -> Value {
    serde_json::from_slice(answer.body.expose()).unwrap_or(Value::Null)
}

/// A member that is a text and not blank.
pub(super) fn text<'a>(body: &'a Value, name: &str) -> Option<&'a str> {
    let text = body.get(name)?.as_str()?;
    (!text.trim().is_empty()).then_some(text)
}

/// A member that is a number above zero, or the text of one.
pub(super) fn number(body: &Value, name: &str) -> Option<f64> {
    let number = match body.get(name)? {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    (number > 0.0 && number.is_finite()).then_some(number)
}

/// The member `interval`, in units of so many to a second, or what the manifest says.
pub(super) fn interval(body: &Value, to_a_second: f64, usual: Duration) -> Duration {
    named_interval(body, to_a_second)
        .map_or(usual, |named| named)
        .max(SHORTEST_INTERVAL)
}

/// The member `interval`, if there is a usable one.
pub(super) fn named_interval(body: &Value, to_a_second: f64) -> Option<Duration> {
    let number = number(body, "interval")?;
    Duration::try_from_secs_f64(number / to_a_second).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::attempt::tests::Counting;
    use serde_json::json;

    #[test]
    fn a_request_id_is_a_random_uuid() {
        let random = Counting::default();
        assert_eq!(
            uuid(&random).unwrap(),
            "00010203-0405-4607-8809-0a0b0c0d0e0f"
        );
        assert_ne!(uuid(&random).unwrap(), uuid(&random).unwrap());
    }

    #[test]
    fn rfc8628_3_2_without_an_interval_it_is_the_usual_one() {
        let usual = Duration::from_secs(5);
        let read = |value| interval(&json!({ "interval": value }), 1.0, usual).as_secs_f64();
        assert_eq!(interval(&json!({}), 1.0, usual), usual);
        assert_eq!(read(json!(7)), 7.0);
        assert_eq!(read(json!(" 7 ")), 7.0);
        assert_eq!(read(json!(1.5)), 1.5);
        assert_eq!(read(json!(0.01)), 1.0);
        for none in [
            json!(0),
            json!(-1),
            json!("soon"),
            json!(null),
            json!("inf"),
            json!(1e300),
        ] {
            assert_eq!(read(none), 5.0);
        }
        let millis = json!({ "interval": 2_500 });
        assert_eq!(interval(&millis, 1_000.0, usual).as_millis(), 2_500);
    }
}
