//! The digest of a `state`: finds a login by its answer, and tells nothing that would complete it.

use sha2::{Digest, Sha256};

use super::secret::Secret;
use super::text::hexadecimal;

/// The SHA-256 of a `state`. That needs no salt: a `state` is random.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateDigest(String);

impl StateDigest {
    /// The digest of this `state`.
    pub fn of(state: &Secret<String>) -> Self {
        Self(hexadecimal(&Sha256::digest(state.expose())))
    }

    /// One that was written down.
    pub fn written(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// As it is written down.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
