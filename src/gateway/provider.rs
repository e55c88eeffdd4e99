//! Which provider a path names.

use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath, Path};
use axum::http::request::Parts;

use super::problem::Problem;
use super::state::Gateway;
use crate::model::id::ProviderId;

/// The provider of ChatGPT logins.
pub(super) const CHATGPT: &str = "openai-codex";
/// The longest name.
const MAX_NAME: usize = 64;

/// The provider of a path. `/v1/auth/openai/…`, which names none, is about the ChatGPT login, as it always
/// was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named(pub(super) ProviderId);

impl FromRequestParts<Arc<Gateway>> for Named {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<Gateway>,
    ) -> Result<Self, Problem> {
        let route = parts.extensions.get::<MatchedPath>();
        let is_named = route.is_none_or(|route| route.as_str().contains("{provider}"));
        let id = match is_named {
            // Bytes that are no text, for one, are no name either.
            true => (Path::<String>::from_request_parts(parts, gateway)
                .await
                .ok())
            .and_then(|Path(name)| parse(&name)),
            false => ProviderId::parse(CHATGPT).ok(),
        };
        id.map(Self).ok_or_else(|| {
            Problem::bad_request("invalid_provider", "this is not the name of a provider")
        })
    }
}

fn parse(name: &str) -> Option<ProviderId> {
    let is_first = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_next = |byte: u8| is_first(byte) || matches!(byte, b'-' | b'_');
    let (first, rest) = name.as_bytes().split_first()?;
    let is_name = is_first(*first) && rest.iter().copied().all(is_next) && name.len() <= MAX_NAME;
    is_name.then(|| ProviderId::parse(name).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        assert_eq!(parse("openai").unwrap().as_str(), "openai");
        assert_eq!(parse("qwen-portal").unwrap().as_str(), "qwen-portal");
        for name in ["", "-a", "A", "a/b", "a.b", "ä", &"a".repeat(65)] {
            assert_eq!(parse(name), None, "{name:?}");
        }
    }
}
