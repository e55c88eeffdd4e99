//! A bundle: one file in which credentials go to another machine, or into a backup.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::id::shown_as_text;
use super::text::hexadecimal;
use super::time::Timestamp;

/// What names a bundle: 16 random bytes in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct BundleId(String);

impl BundleId {
    /// How many random bytes it is made of.
    pub const RANDOM: usize = 16;

    /// The id of these random bytes.
    pub fn new(random: &[u8; Self::RANDOM]) -> Self {
        Self(hexadecimal(random))
    }
}

impl TryFrom<String> for BundleId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        match text.len() == 2 * Self::RANDOM && text.bytes().all(is_digit) {
            true => Ok(Self(text)),
            false => Err("a bundle is named by 32 hexadecimal digits"),
        }
    }
}

shown_as_text!(BundleId);

/// What can be read of a bundle without opening it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleHead {
    /// Which one it is.
    pub id: BundleId,
    /// When it was made.
    pub created: Timestamp,
    /// Whether the refresh tokens went along, so that the machine that made it has them no more.
    pub is_move: bool,
    /// The one database that takes it in, if it is for one.
    pub database: Option<ForDatabase>,
}

/// The database that a bundle is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForDatabase {
    /// What tells it from every other one.
    pub id: String,
    /// Where it was then, without what is secret.
    pub at: String,
}

/// The SHA-256 of a sealed bundle in hexadecimal, by which it is known whatever sealed it.
pub fn digest(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_has_a_name_of_32_digits() {
        let id = BundleId::new(&[0xa5; 16]);
        assert_eq!(id.as_str(), "a5".repeat(16));
        assert_eq!(BundleId::try_from(id.to_string()), Ok(id));
        for text in ["", "../etc", &"A5".repeat(16), &"g5".repeat(16)] {
            assert!(BundleId::try_from(text.to_owned()).is_err());
        }
    }
}
