//! Which provider a path names.

use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath, Path};
use axum::http::request::Parts;

use super::problem::Problem;
use super::state::Gateway;
use crate::app::gateway::provider::{chatgpt, fits_path};
use crate::model::id::ProviderId;

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
            false => Some(chatgpt()),
        };
        id.map(Self).ok_or_else(|| {
            Problem::bad_request("invalid_provider", "this is not the name of a provider")
        })
    }
}

fn parse(name: &str) -> Option<ProviderId> {
    let id = ProviderId::parse(name).ok()?;
    // As it is written: a name is not made to fit.
    (id.as_str() == name && fits_path(&id)).then_some(id)
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
