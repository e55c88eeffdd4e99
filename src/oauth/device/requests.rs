//! Requests of device flows, and the members of their answers.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;

use super::authorization::DeviceAuthorization;
use super::poll::{DeviceError, Poll};
use crate::model::provider::{Body, Client, DeviceFlow, Provider};
use crate::model::secret::Secret;
use crate::model::text::hexadecimal;
use crate::oauth::claims;
use crate::oauth::error::OAuthError;
use crate::oauth::pkce::{self, code_challenge, code_verifier};
use crate::oauth::token_request::TokenRequest;
use crate::ports::host::{Random, RandomError};
use crate::ports::http::{CALL_LIMIT, Http, HttpError, Patience, Response};

/// No server is polled faster than this, whatever it says.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);

/// A device flow of a provider, ready to speak to its server.
#[derive(Clone, Copy)]
pub struct DeviceClient<'a> {
    /// The one HTTP client.
    pub http: &'a dyn Http,
    /// The provider.
    pub provider: &'a Provider,
    /// The resolved client.
    pub client: &'a Client,
    /// The flow.
    pub flow: &'a DeviceFlow,
    /// Whether nobody waits for the login any more: the open request is given up. The exchange of a
    /// code never is.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

impl DeviceClient<'_> {
    /// The device authorization endpoint.
    pub(super) fn endpoint(&self) -> Result<&str, OAuthError> {
        let missing = "the manifest has no device authorization endpoint";
        let endpoint = self.client.device.as_deref();
        endpoint.ok_or_else(|| OAuthError::unsupported(missing))
    }

    /// The device authorization request (RFC 8628 section 3.1), with a PKCE challenge where the
    /// manifest asks for one; gives its verifier, too.
    pub(super) fn authorization_request(
        &self,
        endpoint: &str,
        random: &dyn Random,
    ) -> Result<(TokenRequest, Option<Secret<String>>), DeviceError> {
        let scopes = &self.flow.scopes;
        let request = TokenRequest::device_authorization(self.client, endpoint, scopes)?;
        if !self.flow.pkce {
            return Ok((request, None));
        }
        let verifier = code_verifier(random)?;
        let challenge = code_challenge(&verifier);
        let request = request
            .with_before("client_id", "code_challenge", challenge.as_str())
            .with_before("client_id", "code_challenge_method", pkce::METHOD);
        Ok((request, Some(verifier)))
    }

    /// Sends such a request: always a form.
    pub(super) fn send_authorization_request(
        &self,
        mut request: TokenRequest,
        random: &dyn Random,
    ) -> Result<Response, DeviceError> {
        for (name, value) in &self.flow.params {
            request = request.with_before("client_id", name, value);
        }
        if let Some(name) = &self.flow.request_id {
            request = request.header(name, &uuid(random)?);
        }
        Ok(self.send(request, Body::Form).map_err(OAuthError::from)?)
    }

    /// Polls the token endpoint (RFC 8628 section 3.4); `change` makes of the request what another
    /// scheme sends.
    pub(super) fn poll_token_endpoint(
        &self,
        authorization: &DeviceAuthorization,
        change: impl FnOnce(TokenRequest) -> TokenRequest,
    ) -> Result<Response, Poll> {
        let request = TokenRequest::device_code(self.client, &authorization.device_code)?;
        let mut request = change(request);
        if let Some(verifier) = &authorization.code_verifier {
            request = request.with_before("client_id", "code_verifier", verifier.expose());
        }
        Ok(self.send(request, self.provider.dialect.body)?)
    }

    /// Sends a request with the headers that the manifest adds.
    pub(super) fn send(&self, request: TokenRequest, body: Body) -> Result<Response, HttpError> {
        let request = request.encode(body, &self.provider.dialect.headers);
        let patience = Patience {
            limit: CALL_LIMIT,
            stop: self.stop,
        };
        self.http.send_within(&request, &patience)
    }
}

/// A random UUID (RFC 9562 section 5.4).
fn uuid(random: &dyn Random) -> Result<String, RandomError> {
    let mut bytes = [0; 16];
    random.fill(&mut bytes)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hexadecimal(&bytes);
    Ok(format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    ))
}

/// A member that is a text and not blank; a code may also be a number.
pub(super) fn text<'a>(body: &'a Value, name: &str) -> Option<Cow<'a, str>> {
    claims::text(body.get(name)?).filter(|text| !text.trim().is_empty())
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
    told_interval(body, to_a_second)
        .unwrap_or(usual)
        .max(SHORTEST_INTERVAL)
}

/// The member `interval`, if there is a usable one.
pub(super) fn told_interval(body: &Value, to_a_second: f64) -> Option<Duration> {
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
    fn a_code_that_is_a_number_is_its_digits() {
        let body = json!({ "user_code": 123_456, "device_code": " ", "uri": ["x"] });
        assert_eq!(text(&body, "user_code").as_deref(), Some("123456"));
        assert_eq!(text(&body, "device_code"), None);
        assert_eq!(text(&body, "uri"), None);
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
