//! RFC 8628, with a PKCE challenge where the manifest asks for one (Qwen).

use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;

use super::authorization::DeviceAuthorization;
use super::poll::{DeviceError, Poll};
use super::requests::{DeviceClient, interval, number, text, told_interval};
use super::verification;
use crate::model::grant::Refusal;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::oauth::answer_body::json;
use crate::oauth::error::{OAuthError, retry_after};
use crate::oauth::redaction;
use crate::oauth::token_response::{self, is_success};
use crate::ports::host::Random;
use crate::ports::http::Response;

/// How long a code lives where the server does not say, and the longest that is believed.
const USUAL_LIFETIME: Duration = Duration::from_secs(15 * 60);
const LONGEST_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The name of the endpoint in errors.
pub(super) const ENDPOINT: &str = "device authorization endpoint";

/// Asks for a code.
pub(super) fn authorize(
    client: &DeviceClient<'_>,
    random: &dyn Random,
    now: Timestamp,
) -> Result<DeviceAuthorization, DeviceError> {
    let endpoint = client.endpoint()?;
    let (request, code_verifier) = client.authorization_request(endpoint, random)?;
    let answer = client.send_authorization_request(request, random)?;
    let body = success_body(client, &answer, now)?;
    let missing = DeviceError::Malformed;
    let device_code = text(&body, "device_code").ok_or(missing("has no device code"))?;
    // Some servers still use the name of the draft.
    let uri = text(&body, "verification_uri").or(text(&body, "verification_url"));
    let lifetime = number(&body, "expires_in").map(Duration::try_from_secs_f64);
    let members = Members {
        device_code: Secret::from(device_code.as_ref()),
        uri: uri.ok_or(missing("has no verification address"))?,
        code_verifier,
        lifetime: lifetime.and_then(Result::ok),
        interval: interval(&body, 1.0, client.flow.interval),
    };
    checked(client, endpoint, &body, members, now)
}

/// The members of an answer that each scheme names and writes in its own way.
pub(super) struct Members<'a> {
    pub(super) device_code: Secret<String>,
    pub(super) uri: Cow<'a, str>,
    pub(super) code_verifier: Option<Secret<String>>,
    pub(super) lifetime: Option<Duration>,
    pub(super) interval: Duration,
}

/// Checks what will be shown.
pub(super) fn checked(
    client: &DeviceClient<'_>,
    endpoint: &str,
    body: &Value,
    members: Members<'_>,
    now: Timestamp,
) -> Result<DeviceAuthorization, DeviceError> {
    let address = |text: &str| verification::address(text, client.flow, endpoint);
    let lifetime = members.lifetime.unwrap_or(USUAL_LIFETIME);
    let lifetime = lifetime.min(LONGEST_LIFETIME);
    let user_code = text(body, "user_code").or(text(body, "usercode"));
    Ok(DeviceAuthorization {
        user_code: verification::user_code(&user_code.unwrap_or_default())?,
        verification_uri: address(&members.uri)?,
        verification_uri_complete: text(body, "verification_uri_complete")
            .map(|text| address(&text))
            .transpose()?,
        expires: now.after(lifetime),
        lifetime,
        interval: members.interval,
        device_code: members.device_code,
        code_verifier: members.code_verifier,
        approval: None,
    })
}

/// The body of an answer to a device authorization request, if it is one of success.
pub(super) fn success_body(
    client: &DeviceClient<'_>,
    answer: &Response,
    now: Timestamp,
) -> Result<Value, OAuthError> {
    match is_success(answer) {
        true => Ok(json(answer)),
        false => {
            let sent: Vec<_> = client.client.secret.iter().collect();
            Err(OAuthError::of_answer_at(ENDPOINT, answer, now, &sent))
        }
    }
}

/// Asks once.
pub(super) fn poll(
    client: &DeviceClient<'_>,
    authorization: &DeviceAuthorization,
    now: Timestamp,
) -> Result<Poll, Poll> {
    let answer = client.poll_token_endpoint(authorization, |request| request)?;
    Ok(read_poll(client, authorization, answer, now))
}

/// What an answer of the token endpoint means (RFC 8628 section 3.5). Its code counts, whatever the
/// status: GitHub says `authorization_pending` with 200, others say `slow_down` with 429.
pub(super) fn read_poll(
    client: &DeviceClient<'_>,
    authorization: &DeviceAuthorization,
    answer: Response,
    now: Timestamp,
) -> Poll {
    let sent = sent_with(client, authorization);
    if let Some(poll) = read_error_code(&answer, &sent) {
        return poll;
    }
    let is_unavailable = is_unavailable(answer.status);
    let retry_after = retry_after(&answer, now);
    match token_response::read(client.provider, answer, now, &sent) {
        Ok(grant) => Poll::Grant(Box::new(grant)),
        Err(error) if is_unavailable || matches!(error, OAuthError::WebPage { .. }) => {
            Poll::Unavailable {
                reason: error.to_string(),
                retry_after,
            }
        }
        Err(error) => error.into(),
    }
}

/// The secrets that a poll sends.
pub(super) fn sent_with<'a>(
    client: &'a DeviceClient<'_>,
    authorization: &'a DeviceAuthorization,
) -> Vec<&'a Secret<String>> {
    let mut sent = vec![&authorization.device_code];
    sent.extend(&authorization.code_verifier);
    sent.extend(&client.client.secret);
    sent
}

/// Reads the error codes of the RFC; refusals count only where the server is available.
pub(super) fn read_error_code(answer: &Response, sent: &[&Secret<String>]) -> Option<Poll> {
    let body = json(answer);
    let code = body.get("error")?;
    let code = code.get("code").unwrap_or(code).as_str()?;
    match code {
        "authorization_pending" => Some(Poll::Pending),
        "slow_down" => Some(Poll::SlowDown(told_interval(&body, 1.0))),
        _ if is_unavailable(answer.status) => None,
        "expired_token" => Some(Poll::Failed(DeviceError::Expired)),
        "access_denied" | "authorization_denied" => {
            let description = text(&body, "error_description").unwrap_or_default();
            Some(Poll::Failed(DeviceError::Denied(Refusal {
                code: code.to_owned(),
                description: redaction::clean(&description, 200, sent.iter().copied()),
                status: answer.status,
            })))
        }
        _ => None,
    }
}

/// Reports whether a status says that the request was not handled.
pub(super) fn is_unavailable(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..)
}
