//! The name of a grant.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::id::{AgentId, ProfileId, ProviderId, shown_as_text};
use super::secret::Secret;

/// Names a grant: SHA-256 over provider and refresh token, in hexadecimal.
///
/// Locks and the journal are keyed by it and not by a path or a profile id: agents that hold copies
/// of one grant share one lock and one refresh, wherever the copies lie. A refresh token has
/// hundreds of random bits, so its digest can lie in a file that holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct GrantDigest(String);

impl GrantDigest {
    /// The digest of a grant. The NUL keeps provider and token apart. Only of a token that is held.
    pub fn of(provider: &ProviderId, refresh_token: &Secret<String>) -> Self {
        let mut hash = Sha256::new();
        hash.update(provider.as_str());
        hash.update([0]);
        hash.update(refresh_token.expose());
        Self(format!("{:x}", hash.finalize()))
    }

    /// Stands for the grant of a client that asks for tokens by its own credentials: nothing is
    /// spent then, and the place where the token is kept names it. The credentials themselves are
    /// no part of it, for people choose weak ones.
    pub fn of_client(agent: &AgentId, provider: &ProviderId, profile: &ProfileId) -> Self {
        let mut hash = Sha256::new();
        for part in [
            "client_credentials",
            agent.as_str(),
            provider.as_str(),
            profile.as_str(),
        ] {
            hash.update(part);
            hash.update([0]);
        }
        Self(format!("{:x}", hash.finalize()))
    }

    /// Takes back a digest that was written out; `None` if it is not 64 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let valid = text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        valid.then(|| Self(text.to_ascii_lowercase()))
    }
}

shown_as_text!(GrantDigest);

impl TryFrom<String> for GrantDigest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not a digest")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_depends_on_provider_and_token() {
        let provider = |id| ProviderId::parse(id).unwrap();
        let digest = |id, token| GrantDigest::of(&provider(id), &Secret::from(token));
        let grant = digest("openai-codex", "rt-1");
        assert_eq!(grant, digest("openai-codex", "rt-1"));
        assert_ne!(grant, digest("openai-codex", "rt-2"));
        assert_ne!(grant, digest("openai-code", "xrt-1"));
        assert_eq!(GrantDigest::parse(grant.as_str()), Some(grant.clone()));
        assert_eq!(GrantDigest::parse("../etc"), None);
        assert!(!grant.to_string().contains("rt-1"));
    }
}
