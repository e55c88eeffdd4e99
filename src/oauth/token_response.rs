//! The answer of a token endpoint (RFC 6749 section 5): a grant, or what its "no" means.

use std::time::Duration;

use serde_json::Value;

use super::answer_body::{json, page_title};
use super::error::{OAuthError, http_date};
use super::grant::Grant;
use super::lifetime;
use crate::model::json::Extra;
use crate::model::provider::Provider;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::ports::http::Response;

/// Life that a token keeps however much margin is subtracted: else a short-lived one would count as
/// expired the moment it comes.
const LEAST_LIFE: Duration = Duration::from_secs(30);

/// Reads an answer of a token endpoint that was saved before. `now` is the moment at which
/// its request was begun.
///
/// # Errors
/// Returns why it holds no grant.
pub fn read_saved(
    provider: &Provider,
    answer: &Response,
    now: Timestamp,
) -> Result<Grant, OAuthError> {
    read(provider, answer.clone(), now, &[])
}

/// Reads an answer of the token endpoint; `sent` are the secrets that went there.
pub(super) fn read(
    provider: &Provider,
    answer: Response,
    now: Timestamp,
    sent: &[&Secret<String>],
) -> Result<Grant, OAuthError> {
    if is_success(&answer) {
        let missing = "the token endpoint returned no access token";
        let grant = read_grant(provider, answer, now);
        return grant.ok_or_else(|| OAuthError::not_understood(missing));
    }
    let refusals = &provider.dialect.refusals;
    Err(OAuthError::of_answer(&answer, now, sent, refusals))
}

fn read_grant(provider: &Provider, answer: Response, now: Timestamp) -> Option<Grant> {
    let body = json(&answer);
    let text = |name: &str| body.get(name).and_then(Value::as_str);
    let is_torn = |name: &str| text(name).is_some_and(|text| text.contains('\u{fffd}'));
    if is_torn("access_token") || is_torn("refresh_token") {
        return None;
    }
    let secret = |name: &str| {
        let secret = text(name).map(|text| Secret::from(text.trim()))?;
        (!secret.is_blank()).then_some(secret)
    };
    // A line break in a token would become one in somebody's header.
    let access =
        secret("access_token").filter(|token| !token.expose().contains(char::is_control))?;
    let refresh = secret("refresh_token");
    let date = answer.header("date").and_then(http_date);
    let member = provider.dialect.expiry_member.as_deref();
    let life = body.get(member.unwrap_or("expires_in"));
    let mut ends = lifetime::end(life, &access, date, now);
    if refresh.is_some() {
        ends = ends.or(Some(now.after(provider.refresh.default_life)));
    }
    Some(Grant {
        refresh,
        id_token: secret("id_token"),
        expires: ends.map(|ends| less_margin(ends, now, provider.refresh.baked_margin)),
        clock_skew: date.map(|date| now.until(date)),
        extra: Extra::default(),
        nonce: None,
        response: answer.body,
        access,
    })
}

pub(super) fn less_margin(ends: Timestamp, now: Timestamp, baked: Duration) -> Timestamp {
    let baked = i64::try_from(baked.as_millis()).unwrap_or(i64::MAX);
    let early = Timestamp(ends.0.saturating_sub(baked));
    early.max(ends.min(now.after(LEAST_LIFE)))
}

/// Reports whether an answer is one of success: by its status, and by a body without error (GoClaw
/// and Codex answer errors with 200, and GitHub's token endpoint always does) that is no web page.
pub(super) fn is_success(answer: &Response) -> bool {
    if !(200..300).contains(&answer.status) {
        return false;
    }
    let body = json(answer);
    // An error beside a token is a remark: the grant is there, and what was sent is spent.
    let has_token = body.get("access_token").is_some_and(Value::is_string);
    (has_token || !says_no(&body)) && !is_page(answer)
}

/// Reports whether a body says that something went wrong, in any way that was seen.
fn says_no(body: &Value) -> bool {
    let is_nothing =
        |error: &Value| [Value::Null, false.into(), "".into(), 0.into()].contains(error);
    let at = |pointer: &str| body.pointer(pointer).unwrap_or(&Value::Null);
    let words = ["error", "fail", "failed"];
    !is_nothing(at("/error"))
        || !is_nothing(at("/base_resp/status_code"))
        || [at("/success"), at("/ok")].contains(&&Value::Bool(false))
        || words.iter().any(|word| at("/status") == word)
}

/// Reports whether a web page came in the place of an answer.
pub fn is_page(answer: &Response) -> bool {
    page_title(answer).is_some()
}

#[cfg(test)]
pub(super) mod tests;
