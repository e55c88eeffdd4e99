//! RFC 8628, with a PKCE challenge where the manifest asks for one (Qwen).

use std::time::Duration;

use serde_json::Value;

use super::wire::{Asked, interval, named_interval, number, text};
use super::{Begun, Device, DeviceError, Poll, shown, trouble};
use crate::model::id::printable;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::oauth::dialect::is_success;
use crate::oauth::error::{OAuthError, retry_after};
use crate::oauth::grant;
use crate::oauth::token_request::json;
use crate::ports::host::Random;
use crate::ports::http::{HttpError, Response};

/// The grant type of a poll (RFC 8628 section 3.4).
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// How long a code lives where the server does not say, and the longest that is believed.
const USUAL_LIFETIME: Duration = Duration::from_secs(15 * 60);
const LONGEST_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Asks for a code.
pub(super) fn begin(
    device: &Device<'_>,
    random: &dyn Random,
    now: Timestamp,
) -> Result<Begun, DeviceError> {
    let endpoint = device.endpoint()?;
    let asked = Asked::of(device.flow, random)?;
    let answer = device.ask(asked.pairs(), random, endpoint)?;
    let answer = understood(answer, now, is_success)?;
    let body = json(&answer);
    let missing = DeviceError::Malformed;
    let code = text(&body, "device_code").ok_or(missing("holds no device code"))?;
    // Some servers still use the name of the draft.
    let uri = text(&body, "verification_uri").or(text(&body, "verification_url"));
    let lifetime = number(&body, "expires_in").map(Duration::try_from_secs_f64);
    begun(
        device,
        endpoint,
        &body,
        Named {
            code: Secret::from(code),
            uri: uri.ok_or(missing("holds no verification address"))?,
            verifier: asked.verifier,
            lifetime: lifetime.and_then(Result::ok),
            interval: interval(&body, 1.0, device.flow.interval),
        },
        now,
    )
}

/// What an answer names in its own way.
pub(super) struct Named<'a> {
    pub(super) code: Secret<String>,
    pub(super) uri: &'a str,
    pub(super) verifier: Option<Secret<String>>,
    pub(super) lifetime: Option<Duration>,
    pub(super) interval: Duration,
}

/// Checks what will be shown.
pub(super) fn begun(
    device: &Device<'_>,
    endpoint: &str,
    body: &Value,
    named: Named<'_>,
    now: Timestamp,
) -> Result<Begun, DeviceError> {
    let address = |text: &str| shown::address(text, device.flow, endpoint);
    let lifetime = named.lifetime.unwrap_or(USUAL_LIFETIME);
    let lifetime = lifetime.min(LONGEST_LIFETIME);
    let user_code = text(body, "user_code").or(text(body, "usercode"));
    Ok(Begun {
        user_code: shown::user_code(user_code.unwrap_or_default())?,
        verification_uri: address(named.uri)?,
        verification_uri_complete: text(body, "verification_uri_complete")
            .map(address)
            .transpose()?,
        expires: now.after(lifetime),
        lifetime,
        interval: named.interval,
        code: named.code,
        verifier: named.verifier,
        approved: None,
    })
}

/// The answer to a device authorization request, if it is one of success.
pub(super) fn understood(
    answer: Result<Response, HttpError>,
    now: Timestamp,
    is_success: fn(&Response) -> bool,
) -> Result<Response, DeviceError> {
    let answer = answer.map_err(OAuthError::from)?;
    if is_success(&answer) {
        return Ok(answer);
    }
    let error = OAuthError::of_answer_at(ENDPOINT, &answer, now, &[]);
    Err(DeviceError::OAuth(error))
}

/// What errors call the server's address for device codes.
pub(super) const ENDPOINT: &str = "device authorization endpoint";

/// Asks once.
pub(super) fn poll(device: &Device<'_>, begun: &Begun, now: Timestamp) -> Poll {
    match device.ask_token(begun.pairs(GRANT_TYPE, "device_code")) {
        Ok(answer) => judge(device, begun, answer, now),
        Err(error) => trouble(error),
    }
}

/// What an answer of the token endpoint means (RFC 8628 section 3.5). Its code counts, whatever the
/// status: GitHub says `authorization_pending` with 200, others say `slow_down` with 429.
pub(super) fn judge(device: &Device<'_>, begun: &Begun, answer: Response, now: Timestamp) -> Poll {
    if let Some(poll) = by_code(&answer) {
        return poll;
    }
    let mut sent = vec![&begun.code];
    sent.extend(&begun.verifier);
    sent.extend(&device.client.secret);
    let is_in_trouble = is_in_trouble(answer.status);
    let retry_after = retry_after(&answer, now);
    match grant::judge(device.provider, answer, now, &sent) {
        Ok(grant) => Poll::Grant(Box::new(grant)),
        Err(error) if is_in_trouble => Poll::Trouble {
            reason: error.to_string(),
            retry_after,
        },
        Err(error) => Poll::Failed(error.into()),
    }
}

/// What the error codes of the RFC mean; the refusals only where the server is not in trouble.
pub(super) fn by_code(answer: &Response) -> Option<Poll> {
    let body = json(answer);
    let code = body.get("error")?;
    let code = code.get("code").unwrap_or(code).as_str()?;
    match code {
        "authorization_pending" => Some(Poll::Pending),
        "slow_down" => Some(Poll::SlowDown(named_interval(&body, 1.0))),
        _ if is_in_trouble(answer.status) => None,
        "expired_token" => Some(Poll::Failed(DeviceError::Expired)),
        "access_denied" | "authorization_denied" => {
            let description = text(&body, "error_description").unwrap_or_default();
            Some(Poll::Failed(DeviceError::Denied {
                code: code.to_owned(),
                description: printable(description, 200),
            }))
        }
        _ => None,
    }
}

/// Whether a status says that the request was not looked at.
pub(super) fn is_in_trouble(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..)
}
