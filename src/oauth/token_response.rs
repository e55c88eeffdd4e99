//! The answer of a token endpoint (RFC 6749 section 5): a grant, or what its "no" means.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;

use super::answer_body::{json, page_title};
use super::error::{OAuthError, http_date};
use super::grant::Grant;
use super::lifetime;
use super::refusal::is_code;
use super::token_members::{self, TokenMembers};
use crate::model::clean;
use crate::model::json::Extra;
use crate::model::provider::{Provider, Refusals};
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
    if is_grant(&answer, &provider.dialect.refusals) {
        return read_grant(provider, answer, now)
            .map_err(|reason| OAuthError::not_understood(&reason));
    }
    let refusals = &provider.dialect.refusals;
    Err(OAuthError::of_answer(&answer, now, sent, refusals))
}

/// Reads a grant, or says what prevents that.
fn read_grant(
    provider: &Provider,
    answer: Response,
    now: Timestamp,
) -> Result<Grant, Cow<'static, str>> {
    let body = json(&answer);
    let members = TokenMembers::find(&body).ok_or("the token endpoint returned no access token")?;
    let access = token(members.get("access_token"))?.ok_or("the access token is empty")?;
    // Some put the word of the header in front of it.
    let bare = clean::stored(access.expose()).map(Secret::from);
    let access = bare.unwrap_or(access);
    if let Some(fault) = access.bearer_fault() {
        return Err(format!("the access token {}", fault.words()).into());
    }
    // A refresh token goes into the form of a request, which holds any character.
    // One that is there and is not understood is not one that is missing: what was sent is spent.
    let refresh = token(members.get("refresh_token"))?;
    let date = answer.header("date").and_then(http_date);
    let member = provider.dialect.expiry_member.as_deref();
    let life = members.get(member.unwrap_or("expires_in"));
    let mut ends = lifetime::end(life, &access, date, now);
    if refresh.is_some() {
        ends = ends.or(Some(now.after(provider.refresh.default_life)));
    }
    Ok(Grant {
        refresh,
        id_token: token(members.get("id_token")).ok().flatten(),
        expires: ends.map(|ends| less_margin(ends, now, provider.refresh.baked_margin)),
        clock_skew: date.map(|date| now.until(date)),
        extra: Extra::default(),
        nonce: None,
        response: answer.body,
        access,
    })
}

/// Reads a token; `None` if there is none. One that is torn or of another type is none, either, and
/// that is an error.
fn token(member: Option<&Value>) -> Result<Option<Secret<String>>, &'static str> {
    match member.filter(|member| !token_members::is_nothing(member)) {
        None => Ok(None),
        Some(member) => match token_members::text(member) {
            Some(text) if !text.contains('\u{fffd}') => Ok(Some(Secret::new(text))),
            _ => Err("a token in the response is not a text"),
        },
    }
}

pub(super) fn less_margin(ends: Timestamp, now: Timestamp, baked: Duration) -> Timestamp {
    let baked = i64::try_from(baked.as_millis()).unwrap_or(i64::MAX);
    let early = Timestamp(ends.0.saturating_sub(baked));
    early.max(ends.min(now.after(LEAST_LIFE)))
}

/// Reports whether an answer is one of success: by its status, and by a body without error (GoClaw
/// and Codex answer errors with 200, and GitHub's token endpoint always does) that is no web page.
pub(super) fn is_success(answer: &Response) -> bool {
    is_grant(answer, &Refusals::default())
}

/// The same for an answer with a grant, by the codes of a manifest, too.
fn is_grant(answer: &Response, refusals: &Refusals) -> bool {
    if !(200..300).contains(&answer.status) {
        return false;
    }
    let body = json(answer);
    // An error beside a token is a remark: the grant is there, and what was sent is spent. In an
    // envelope only a pair of tokens is one, for there a server may also quote what it was sent.
    let has_token = TokenMembers::find(&body).is_some_and(|members| {
        let refresh = members.get("refresh_token").and_then(token_members::text);
        let is_refused = body
            .get("error")
            .and_then(Value::as_str)
            .is_some_and(|code| is_code(code, refusals));
        !members.is_wrapped() || refresh.is_some() && !is_refused
    });
    (has_token || !says_no(&body)) && !is_page(answer)
}

/// Reports whether a body says that something went wrong, in any way that was seen.
pub(super) fn says_no(body: &Value) -> bool {
    let at = |pointer: &str| body.pointer(pointer).unwrap_or(&Value::Null);
    let words = ["error", "fail", "failed"];
    !is_no_error(at("/error"))
        || !is_no_error(at("/errors"))
        || !is_no_error(at("/base_resp/status_code"))
        || [at("/success"), at("/ok")].contains(&&Value::Bool(false))
        || words.iter().any(|word| at("/status") == word)
}

/// Whether a member that is named for an error says that there is none.
fn is_no_error(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::String(text) => {
            let text = text.trim().to_ascii_lowercase();
            ["", "0", "ok", "none", "null", "false", "no", "success"].contains(&text.as_str())
        }
    }
}

/// Reports whether an answer may bring a token or a key, so that it must be saved: one of success
/// that is neither a web page nor an object in which nothing is called so. GitHub and MiniMax say
/// with 200 that the person has not agreed yet, and others that they are in trouble.
pub fn may_hold_grant(answer: &Response) -> bool {
    let body = json(answer);
    let is_surely_none = body.is_object() && !names_secret(&body);
    (200..300).contains(&answer.status) && !is_surely_none && !is_page(answer)
}

/// Whether a member within is called after a secret, or cannot be read.
fn names_secret(body: &Value) -> bool {
    let is_named = |name: &str| {
        let name = name.to_lowercase();
        ["token", "key", "access", "refresh"]
            .iter()
            .any(|word| name.contains(word))
    };
    match body {
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| is_named(name) || names_secret(value)),
        Value::Array(items) => items.is_empty() || items.iter().any(names_secret),
        Value::String(text) => text.trim_start().starts_with(['{', '[']),
        _ => false,
    }
}

/// Reports whether a web page came in the place of an answer.
pub fn is_page(answer: &Response) -> bool {
    page_title(answer).is_some()
}

#[cfg(test)]
pub(super) mod tests;
