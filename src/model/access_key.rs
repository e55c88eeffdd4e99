//! Keys to the gateway, as they are kept: the digest of each, and never the key.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::access::{Role, Scope};
use super::secret::Secret;
use super::text::hexadecimal;
use super::time::Timestamp;

/// The longest life of a key that gets tokens.
pub const LONGEST_LEASE: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// How long a key that is accepted no more is still listed.
pub const KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// The SHA-256 of a bearer. That needs no salt and no slow hash: what is made here has 256 random
/// bits.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BearerDigest([u8; 32]);

impl BearerDigest {
    /// The digest of this bearer.
    pub fn of(bearer: &Secret<String>) -> Self {
        Self(Sha256::digest(bearer.expose()).into())
    }

    /// As it is written down: 64 small hexadecimal digits.
    pub fn text(&self) -> String {
        hexadecimal(&self.0)
    }
}

impl From<BearerDigest> for String {
    fn from(digest: BearerDigest) -> Self {
        digest.text()
    }
}

impl TryFrom<String> for BearerDigest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mut digest = Self([0; 32]);
        let is_read = hex::decode_to_slice(&text, &mut digest.0).is_ok();
        // One digest is one text: a row is found by it.
        match is_read && !text.contains(|digit: char| digit.is_ascii_uppercase()) {
            true => Ok(digest),
            false => Err("a digest has 64 small hexadecimal digits"),
        }
    }
}

impl PartialEq for BearerDigest {
    /// Constant time: how long a wrong guess takes tells nothing of a key.
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for BearerDigest {}

/// A key, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessKey {
    /// What it is called by in lists and logs: 16 hexadecimal digits.
    pub id: String,
    /// What a person calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The digest of the bearer.
    pub digest: BearerDigest,
    /// What its holder may do.
    pub role: Role,
    /// What that is limited to.
    #[serde(default)]
    pub scope: Scope,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    #[serde(default)]
    pub not_after: Option<Timestamp>,
    /// When it was revoked.
    #[serde(default)]
    pub revoked_at: Option<Timestamp>,
    /// Members that another release wrote.
    #[serde(flatten)]
    pub rest: Map<String, Value>,
}

/// Whether a key is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::AsRefStr)]
#[strum(serialize_all = "snake_case")]
pub enum Standing {
    /// It is.
    Active,
    /// Its time is over.
    Expired,
    /// It was revoked.
    Revoked,
}

impl AccessKey {
    /// What the text of a key begins with, so that it is known again where it does not belong.
    pub const PREFIX: &str = "ock_";
    /// The number of random bytes in the text of a key.
    pub const RANDOM: usize = 32;

    /// When it ends. One that gets tokens does, whatever its entry says.
    pub fn ends(&self) -> Option<Timestamp> {
        let limit = (self.role == Role::Lease).then(|| self.created.after(LONGEST_LEASE));
        match (self.not_after, limit) {
            (Some(end), Some(limit)) => Some(end.min(limit)),
            (end, limit) => end.or(limit),
        }
    }

    /// When it was, or will be, accepted for the last time.
    pub fn stops(&self) -> Option<Timestamp> {
        match (self.ends(), self.revoked_at) {
            (Some(end), Some(revoked)) => Some(end.min(revoked)),
            (end, revoked) => end.or(revoked),
        }
    }

    /// Whether it has not been accepted for so long that nobody asks for it any more.
    pub fn is_forgotten(&self, now: Timestamp) -> bool {
        self.stops().is_some_and(|end| end.after(KEPT) <= now)
    }

    /// Whether it is accepted.
    pub fn standing(&self, now: Timestamp) -> Standing {
        match self.ends() {
            _ if self.revoked_at.is_some() => Standing::Revoked,
            Some(end) if end <= now => Standing::Expired,
            _ => Standing::Active,
        }
    }
}

/// All keys.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessKeys {
    /// The form of this document.
    pub schema: u32,
    /// The keys, oldest first.
    pub keys: Vec<AccessKey>,
    /// What stands among them and is no key that this program can accept.
    #[serde(skip)]
    pub faults: Vec<String>,
    /// Members that another release wrote.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Default for AccessKeys {
    fn default() -> Self {
        Self {
            schema: Self::SCHEMA,
            keys: Vec::new(),
            faults: Vec::new(),
            rest: Map::new(),
        }
    }
}

impl AccessKeys {
    /// The form that this release knows.
    pub const SCHEMA: u32 = 1;

    /// The key of this bearer, if it is accepted. Every key is looked at, so that its place in the
    /// list cannot be told by the time that takes.
    pub fn find(&self, bearer: &BearerDigest, now: Timestamp) -> Option<&AccessKey> {
        let mut found = None;
        for key in &self.keys {
            if key.digest == *bearer {
                found = Some(key);
            }
        }
        // A limit that would not hold is no reason to do without it.
        found.filter(|key| key.standing(now) == Standing::Active && key.scope.suits(key.role))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(role: Role, not_after: Option<i64>) -> AccessKey {
        AccessKey {
            id: "0123456789abcdef".to_owned(),
            name: None,
            digest: BearerDigest::of(&Secret::from("ock_1")),
            role,
            scope: Scope::default(),
            created: Timestamp(0),
            not_after: not_after.map(Timestamp),
            revoked_at: None,
            rest: Map::new(),
        }
    }

    #[test]
    fn a_key_that_gets_tokens_always_ends() {
        let limit = Timestamp(0).after(LONGEST_LEASE);
        assert_eq!(key(Role::Lease, None).ends(), Some(limit));
        assert_eq!(key(Role::Lease, Some(7)).ends(), Some(Timestamp(7)));
        assert_eq!(key(Role::Lease, Some(i64::MAX)).ends(), Some(limit));
        assert_eq!(key(Role::Admin, None).ends(), None);
    }

    #[test]
    fn only_the_bearer_of_an_active_key_is_found() {
        let (bearer, other) = (Secret::from("ock_1"), Secret::from("ock_2"));
        let (bearer, other) = (BearerDigest::of(&bearer), BearerDigest::of(&other));
        let mut keys = AccessKeys::default();
        keys.keys.push(key(Role::Viewer, Some(10)));
        assert!(keys.find(&bearer, Timestamp(9)).is_some());
        assert!(keys.find(&other, Timestamp(9)).is_none());
        assert!(keys.find(&bearer, Timestamp(10)).is_none());
        keys.keys[0].revoked_at = Some(Timestamp(5));
        assert!(keys.find(&bearer, Timestamp(9)).is_none());
        assert_eq!(keys.keys[0].standing(Timestamp(99)), Standing::Revoked);
    }

    #[test]
    fn a_key_is_forgotten_a_while_after_it_was_accepted_last() {
        let after = |at: i64| Timestamp(at).after(KEPT);
        let mut ended = key(Role::Viewer, Some(10));
        assert!(ended.is_forgotten(after(10)) && !ended.is_forgotten(Timestamp(after(10).0 - 1)));
        ended.revoked_at = Some(Timestamp(5));
        assert!(ended.is_forgotten(after(5)));
        assert!(!key(Role::Viewer, None).is_forgotten(Timestamp(i64::MAX)));
    }

    #[test]
    fn what_another_release_wrote_is_kept() {
        let digest = "0".repeat(64);
        let text = format!(
            r#"{{"schema":1,"keys":[{{"id":"a","digest":"{digest}","role":"lease","created":5,"tenant":"x"}}],"later":[1]}}"#
        );
        let keys: AccessKeys = serde_json::from_str(&text).unwrap();
        let written = serde_json::to_value(&keys).unwrap();
        assert_eq!(written["keys"][0]["tenant"], "x");
        assert_eq!(written["later"][0], 1);
        let short = text.replace(&digest, "00");
        assert!(serde_json::from_str::<AccessKeys>(&short).is_err());
    }
}
