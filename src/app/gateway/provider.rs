//! The provider that a person names to a gateway.

use std::sync::LazyLock;

use crate::app::context::Context;
use crate::app::credential::provider_name::Purpose;
use crate::app::failure::{Failure, Kind};
use crate::model::hint::Command;
use crate::model::id::{AgentId, ProviderId};
use crate::model::named::ProviderName;
use crate::model::provider::Provider;
use crate::providers::catalogue::CatalogueError;

/// The provider of ChatGPT logins, which is meant where none is named.
pub const CHATGPT: &str = "openai-codex";
/// The longest name in a path.
const LONGEST: usize = 64;
/// What stands for it in the paths of a gateway, and so here; elsewhere it is a provider of keys.
const SHORT: &str = "openai";

/// [`CHATGPT`], read once.
pub fn chatgpt() -> ProviderId {
    static ID: LazyLock<ProviderId> =
        LazyLock::new(|| ProviderId::parse(CHATGPT).expect("the name of a provider"));
    ID.clone()
}

/// Finds the provider that `name` means; [`CHATGPT`] for none and for `openai`.
///
/// # Errors
/// [`Kind::NotFound`] for one that the catalogue does not know, or that no path of a gateway can
/// name; and what else the catalogue says.
pub(super) fn find(
    cx: Context<'_>,
    agent: &AgentId,
    name: Option<&ProviderName>,
) -> Result<Provider, Failure> {
    let id = match name {
        Some(name) if name.typed().as_str() != SHORT => {
            cx.provider_id(agent, name, Purpose::Login)?
        }
        _ => chatgpt(),
    };
    let known = match cx.catalogue.get(&id) {
        Err(CatalogueError::Unknown { .. }) => None,
        found => Some(found?),
    };
    known
        .filter(|provider| fits_path(&provider.id))
        .ok_or_else(|| {
            Failure::new(Kind::NotFound, format!("unknown provider: {id}"))
                .hint(Command::new("models auth providers"))
        })
}

/// The path of a gateway for `action` on a provider.
pub(super) fn path(provider: &ProviderId, action: &str) -> String {
    let name = match provider.as_str() {
        CHATGPT => SHORT,
        name => name,
    };
    format!("/v1/auth/{name}/{action}")
}

/// Whether a path of a gateway can name a provider.
pub fn fits_path(id: &ProviderId) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let id = id.as_str();
    let is_name = id.chars().all(|c| is_plain(c) || c == '-' || c == '_');
    id.starts_with(is_plain) && is_name && id.len() <= LONGEST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_provider_has_a_path_of_its_own() {
        let path = |id: &str| path(&ProviderId::parse(id).unwrap(), "status");
        assert_eq!(path("openai-codex"), "/v1/auth/openai/status");
        assert_eq!(path("anthropic"), "/v1/auth/anthropic/status");
    }

    #[test]
    fn only_what_a_path_can_hold_is_asked_for() {
        let fits = |id: &str| fits_path(&ProviderId::parse(id).unwrap());
        assert!(fits("a") && fits("9_a-b"));
        for id in ["-a", "_a", "a.b", "a?b", "a%2f", "é"] {
            assert!(!fits(id), "{id}");
        }
    }
}
