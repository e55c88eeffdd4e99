//! Requests and answers of device flows, as they are on the wire.

use std::time::Duration;

use oauth2::PkceCodeChallenge;
use serde_json::Value;

use super::{Begun, Device};
use crate::model::provider::{Body, DeviceFlow};
use crate::model::secret::Secret;
use crate::oauth::authorization::{challenge, random_text};
use crate::oauth::token_request::{self, Headers, Pairs};
use crate::ports::host::{Random, RandomError};
use crate::ports::http::{HttpError, Response};

/// No server is polled faster than this, whatever it says.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);

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
        mut headers: Headers,
    ) -> Result<Response, HttpError> {
        token_request::authenticate(self.client, &mut pairs, &mut headers);
        self.post(to, body, &pairs, headers)
    }

    /// A request with these parameters and no others.
    pub(super) fn post(
        &self,
        to: &str,
        body: Body,
        pairs: &[(&str, &str)],
        mut headers: Headers,
    ) -> Result<Response, HttpError> {
        headers.extend(self.provider.dialect.headers.iter().cloned());
        self.http
            .send(&token_request::request(to, body, pairs, headers))
    }
}

/// The scope and the PKCE challenge of a device authorization request.
pub(super) struct Asked {
    scope: String,
    pub(super) verifier: Option<Secret<String>>,
    challenge: Option<PkceCodeChallenge>,
}

impl Asked {
    /// What the manifest asks for.
    pub(super) fn of(flow: &DeviceFlow, random: &dyn Random) -> Result<Self, RandomError> {
        let verifier = match flow.pkce {
            true => Some(random_text(random)?),
            false => None,
        };
        Ok(Self {
            scope: flow.scopes.join(" "),
            challenge: verifier.as_ref().map(challenge),
            verifier,
        })
    }

    pub(super) fn pairs(&self) -> Pairs<'_> {
        let mut pairs = Vec::new();
        if !self.scope.is_empty() {
            pairs.push(("scope", self.scope.as_str()));
        }
        if let Some(challenge) = &self.challenge {
            pairs.push(("code_challenge", challenge.as_str()));
            pairs.push(("code_challenge_method", "S256"));
        }
        pairs
    }
}

impl Begun {
    /// What a poll says; the code goes under this name.
    pub(super) fn pairs<'a>(&'a self, grant_type: &'a str, code: &'a str) -> Pairs<'a> {
        let mut pairs = vec![("grant_type", grant_type), (code, self.code.expose())];
        if let Some(verifier) = &self.verifier {
            pairs.push(("code_verifier", verifier.expose()));
        }
        pairs
    }
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
    use crate::oauth::authorization::tests::Counting;
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
