//! MiniMax's relative of RFC 8628: the user code takes the place of the device code, `state` comes
//! back and must be ours, times are milliseconds, and an answer tells its `status`.

use serde_json::Value;

use super::authorization::DeviceAuthorization;
use super::poll::{DeviceError, Poll};
use super::requests::{DeviceClient, interval, text};
use super::rfc8628::{
    ENDPOINT, Members, checked, is_unavailable, read_error_code, read_poll, sent_with,
};
use crate::model::grant::Refusal;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::oauth::answer_body::json;
use crate::oauth::error::{OAuthError, http_date};
use crate::oauth::lifetime;
use crate::oauth::redaction;
use crate::oauth::state_nonce::random_value;
use crate::oauth::token_members::TokenMembers;
use crate::ports::host::Random;
use crate::ports::http::Response;

/// The grant type of a poll.
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:user_code";

/// Asks for a code.
pub(super) fn authorize(
    client: &DeviceClient<'_>,
    random: &dyn Random,
    now: Timestamp,
) -> Result<DeviceAuthorization, DeviceError> {
    let endpoint = client.endpoint()?;
    let (request, code_verifier) = client.authorization_request(endpoint, random)?;
    let state = random_value(random)?;
    let request = request
        .with_before("scope", "response_type", "code")
        .with_before("client_id", "state", state.expose());
    let answer = client.send_authorization_request(request, random)?;
    let body = json(&answer);
    if !(200..300).contains(&answer.status) || fault(&body).is_some() {
        let sent: Vec<_> = client.client.secret.iter().collect();
        return Err(refusal(&answer, &body, now, &sent).into());
    }
    let returned = text(&body, "state").map(|text| Secret::from(text.as_ref()));
    if returned.as_ref() != Some(&state) {
        return Err(DeviceError::Malformed(
            "does not repeat our state, so it is not the response to this login",
        ));
    }
    let missing = DeviceError::Malformed;
    // By the server's own clock, where it shows it: the end is a moment of that clock.
    let there = answer.header("date").and_then(http_date).unwrap_or(now);
    let end = body.get("expired_in");
    let user_code = text(&body, "user_code").ok_or(missing("has no user code"))?;
    let members = Members {
        device_code: Secret::from(user_code.as_ref()),
        uri: text(&body, "verification_uri").ok_or(missing("has no verification address"))?,
        code_verifier,
        lifetime: end.and_then(|end| lifetime::lifetime(end, there)),
        interval: interval(&body, 1_000.0, client.flow.interval),
    };
    checked(client, endpoint, &body, members, now)
}

/// Asks once.
pub(super) fn poll(
    client: &DeviceClient<'_>,
    authorization: &DeviceAuthorization,
    now: Timestamp,
) -> Result<Poll, Poll> {
    let answer = client.poll_token_endpoint(authorization, |request| {
        let request = request
            .without("grant_type")
            .rename("device_code", "user_code");
        request.with_before("user_code", "grant_type", GRANT_TYPE)
    })?;
    let sent = sent_with(client, authorization);
    if let Some(poll) = read_error_code(&answer, &sent) {
        return Ok(poll);
    }
    let body = json(&answer);
    let status = text(&body, "status");
    match (answer.status, status.as_deref()) {
        (status, _) if is_unavailable(status) => Ok(read_poll(client, authorization, answer, now)),
        (200..=299, _) if TokenMembers::find(&body).is_some() => {
            Ok(read_poll(client, authorization, answer, now))
        }
        (200..=299, Some("success")) => Ok(read_poll(client, authorization, answer, now)),
        (200..=299, None) if fault(&body).is_none() => Ok(Poll::Pending),
        (200..=299, Some(status)) if status != "error" => Ok(Poll::Pending),
        _ => Err(refusal(&answer, &body, now, &sent).into()),
    }
}

/// The code of `base_resp`, if it says that something is wrong.
fn fault(body: &Value) -> Option<i64> {
    let code = body.pointer("/base_resp/status_code")?.as_i64()?;
    (code != 0).then_some(code)
}

/// A refusal in the words of `base_resp`, else in the usual ones.
fn refusal(
    answer: &Response,
    body: &Value,
    now: Timestamp,
    sent: &[&Secret<String>],
) -> OAuthError {
    let base = body.get("base_resp");
    let words = base.and_then(|base| text(base, "status_msg"));
    if is_unavailable(answer.status) || (fault(body).is_none() && words.is_none()) {
        return OAuthError::of_answer_at(ENDPOINT, answer, now, sent);
    }
    OAuthError::Refused(Refusal {
        code: fault(body).map_or_else(|| "error".to_owned(), |code| code.to_string()),
        description: redaction::clean(&words.unwrap_or_default(), 200, sent.iter().copied()),
        status: answer.status,
    })
}
