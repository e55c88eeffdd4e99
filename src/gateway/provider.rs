//! Which provider a path names.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;

use super::problem::Problem;
use super::state::Gateway;
use crate::model::id::ProviderId;

/// The longest name.
const MAX_NAME: usize = 64;

/// The provider of a path. `openai` stands for the provider whose ChatGPT login it always was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named(pub(super) ProviderId);

impl FromRequestParts<Arc<Gateway>> for Named {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<Gateway>,
    ) -> Result<Self, Problem> {
        let named = Path::<String>::from_request_parts(parts, gateway).await;
        let name = named.map_or_else(|_| "openai".to_owned(), |Path(name)| name);
        let id = parse(&name).ok_or_else(|| {
            Problem::bad_request("invalid_provider", "this is not the name of a provider")
        })?;
        Ok(Self(id))
    }
}

fn parse(name: &str) -> Option<ProviderId> {
    let is_first = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_next = |byte: u8| is_first(byte) || matches!(byte, b'-' | b'_');
    let (first, rest) = name.as_bytes().split_first()?;
    let is_name = is_first(*first) && rest.iter().copied().all(is_next) && name.len() <= MAX_NAME;
    match is_name {
        true if name == "openai" => ProviderId::parse("openai-codex").ok(),
        true => ProviderId::parse(name).ok(),
        false => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_plain() {
        assert_eq!(parse("openai").unwrap().as_str(), "openai-codex");
        assert_eq!(parse("qwen-portal").unwrap().as_str(), "qwen-portal");
        for name in ["", "-a", "A", "a/b", "a.b", "ä", &"a".repeat(65)] {
            assert_eq!(parse(name), None, "{name:?}");
        }
    }
}
