//! MiniMax's relative of RFC 8628: the user code takes the place of the device code, `state` comes
//! back and must be ours, times are milliseconds, and an answer tells its `status`.

use serde_json::Value;

use super::standard::{ENDPOINT, Named, begun, by_code, is_in_trouble, judge};
use super::wire::{Asked, interval, text};
use super::{Begun, Device, DeviceError, Poll, trouble};
use crate::model::grant::Refusal;
use crate::model::id::printable;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::oauth::authorization::random_text;
use crate::oauth::error::{OAuthError, http_date};
use crate::oauth::lifetime;
use crate::oauth::token_request::json;
use crate::ports::host::Random;
use crate::ports::http::Response;

/// The grant type of a poll.
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:user_code";

/// Asks for a code.
pub(super) fn begin(
    device: &Device<'_>,
    random: &dyn Random,
    now: Timestamp,
) -> Result<Begun, DeviceError> {
    let endpoint = device.endpoint()?;
    let asked = Asked::of(device.flow, random)?;
    let state = random_text(random)?;
    let mut pairs = vec![("response_type", "code")];
    pairs.extend(asked.pairs());
    pairs.push(("state", state.expose()));
    let answer = device
        .ask(pairs, random, endpoint)?
        .map_err(OAuthError::from)?;
    let body = json(&answer);
    if !(200..300).contains(&answer.status) || fault(&body).is_some() {
        return Err(DeviceError::OAuth(said(&answer, &body, now)));
    }
    let returned = text(&body, "state").map(Secret::from);
    if returned.as_ref() != Some(&state) {
        return Err(DeviceError::Malformed(
            "does not repeat our state, so it is not the answer to this login",
        ));
    }
    let missing = DeviceError::Malformed;
    // By the server's own clock, where it shows it: the end is a moment of that clock.
    let there = answer.header("date").and_then(http_date).unwrap_or(now);
    let life = body
        .get("expired_in")
        .and_then(|end| lifetime::lifetime(end, there));
    begun(
        device,
        endpoint,
        &body,
        Named {
            code: Secret::from(text(&body, "user_code").ok_or(missing("holds no user code"))?),
            uri: text(&body, "verification_uri").ok_or(missing("holds no verification address"))?,
            verifier: asked.verifier,
            lifetime: life,
            interval: interval(&body, 1_000.0, device.flow.interval),
        },
        now,
    )
}

/// Asks once.
pub(super) fn poll(device: &Device<'_>, begun: &Begun, now: Timestamp) -> Poll {
    let answer = match device.ask_token(begun.pairs(GRANT_TYPE, "user_code")) {
        Ok(answer) => answer,
        Err(error) => return trouble(error),
    };
    if let Some(poll) = by_code(&answer) {
        return poll;
    }
    let body = json(&answer);
    if !(200..300).contains(&answer.status) {
        return match is_in_trouble(answer.status) {
            true => judge(device, begun, answer, now),
            false => Poll::Failed(said(&answer, &body, now).into()),
        };
    }
    match text(&body, "status") {
        Some("success") => judge(device, begun, answer, now),
        Some("error") => Poll::Failed(said(&answer, &body, now).into()),
        None if fault(&body).is_some() => Poll::Failed(said(&answer, &body, now).into()),
        _ => Poll::Pending,
    }
}

/// The code of `base_resp`, if it says that something is wrong.
fn fault(body: &Value) -> Option<i64> {
    let code = body.pointer("/base_resp/status_code")?.as_i64()?;
    (code != 0).then_some(code)
}

/// A refusal in the words of `base_resp`, else in the usual ones.
fn said(answer: &Response, body: &Value, now: Timestamp) -> OAuthError {
    let base = body.get("base_resp");
    let words = base.and_then(|base| text(base, "status_msg"));
    if is_in_trouble(answer.status) || (fault(body).is_none() && words.is_none()) {
        return OAuthError::of_answer_at(ENDPOINT, answer, now, &[]);
    }
    OAuthError::Refused(Refusal {
        code: fault(body).map_or_else(|| "error".to_owned(), |code| code.to_string()),
        description: printable(words.unwrap_or_default(), 200),
        status: answer.status,
    })
}
