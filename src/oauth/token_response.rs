//! The answer of a token endpoint (RFC 6749 section 5): a grant, or what its "no" means.

use std::time::Duration;

use serde_json::Value;

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
        return grant.ok_or_else(|| OAuthError::unexpected(missing));
    }
    Err(OAuthError::of_answer(&answer, now, sent))
}

fn read_grant(provider: &Provider, answer: Response, now: Timestamp) -> Option<Grant> {
    let body = json(&answer);
    let secret = |name: &str| {
        let text = body.get(name).and_then(Value::as_str)?;
        Some(Secret::from(text)).filter(|secret| !secret.is_blank())
    };
    let access = secret("access_token")?;
    let date = answer.header("date").and_then(http_date);
    let member = provider.dialect.expiry_member.as_deref();
    let life = body.get(member.unwrap_or("expires_in"));
    let ends = lifetime::end(life, &access, date, now);
    Some(Grant {
        refresh: secret("refresh_token"),
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
/// and Codex answer errors with 200, and GitHub's token endpoint always does).
pub(super) fn is_success(answer: &Response) -> bool {
    if !(200..300).contains(&answer.status) {
        return false;
    }
    json(answer).get("error").is_none_or(Value::is_null)
}

/// The body of an answer; `Null` if it is no JSON.
pub(super) fn json(answer: &Response) -> Value {
    serde_json::from_slice(answer.body.expose()).unwrap_or(Value::Null)
}

#[cfg(test)]
pub(super) mod tests;
