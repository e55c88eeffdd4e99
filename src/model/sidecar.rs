//! The files in which OpenClaw 2026.5.12 kept the tokens of a login, encrypted, beside the store: a
//! profile then has `oauthRef` in their place. Later releases write no such file.

use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};

use super::seal::{Bytes, DataKey};
use super::secret::Secret;

/// The member of a profile that refers to such a file.
pub const REFERENCE: &str = "oauthRef";

const VERSION: u64 = 1;
const SOURCE: &str = "openclaw-credentials";
const ALGORITHM: &str = "aes-256-gcm";

/// The login that a file belongs to: all of it is bound to the ciphertext.
#[derive(Clone, Copy, Debug)]
pub struct SidecarOwner<'a> {
    /// What the profile refers to, which names the file.
    pub id: &'a str,
    /// The name of the profile.
    pub profile: &'a str,
    /// Its provider, as it is written.
    pub provider: &'a str,
}

/// What a file holds. Its ID token is of no use any more.
#[derive(Debug, Default, Deserialize)]
pub struct SidecarTokens {
    /// The access token.
    #[serde(default, deserialize_with = "hide")]
    pub access: Option<Secret<String>>,
    /// The refresh token.
    #[serde(default, deserialize_with = "hide")]
    pub refresh: Option<Secret<String>>,
}

/// Why a file gives no tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SidecarFault {
    /// It is none, or one of another version.
    #[error("its file is damaged, or was written by another release")]
    Unreadable,
    /// It says so.
    #[error("its file belongs to another profile")]
    OtherProfile,
    /// There is no key at all.
    #[error("its file is encrypted, and the key is not here")]
    NoKey,
    /// No key that is here opens it.
    #[error("its file does not open: it was damaged, or encrypted with another key")]
    Closed,
    /// It opens, and holds none.
    #[error("its file holds no token")]
    Empty,
}

#[derive(Deserialize)]
struct Reference {
    source: String,
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sidecar {
    version: u64,
    profile_id: String,
    provider: String,
    encrypted: Option<Encrypted>,
    /// Early files of that release are not encrypted.
    #[serde(flatten)]
    plain: SidecarTokens,
}

#[derive(Deserialize)]
struct Encrypted {
    algorithm: String,
    iv: Bytes,
    tag: Bytes,
    ciphertext: Bytes,
}

/// Reads which file a reference names; `None` if it names none of these.
pub fn id_of(reference: &str) -> Option<String> {
    let reference: Reference = serde_json::from_str(reference).ok()?;
    let is_digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    let is_id = reference.id.len() == 32 && reference.id.bytes().all(is_digit);
    (reference.source == SOURCE && is_id).then_some(reference.id)
}

/// Opens a file, with the first of these seeds that does.
///
/// # Errors
/// If it is damaged, of another login, or none of them opens it.
pub fn open(
    bytes: &Secret<Vec<u8>>,
    owner: SidecarOwner<'_>,
    seeds: &[Secret<String>],
) -> Result<SidecarTokens, SidecarFault> {
    let read: Option<Sidecar> = serde_json::from_slice(bytes.expose()).ok();
    let sidecar = read.filter(|sidecar| sidecar.version == VERSION);
    let sidecar = sidecar.ok_or(SidecarFault::Unreadable)?;
    if sidecar.profile_id != owner.profile || sidecar.provider != owner.provider {
        return Err(SidecarFault::OtherProfile);
    }
    let tokens = match sidecar.encrypted {
        Some(encrypted) => encrypted.open(owner, seeds)?,
        None => sidecar.plain,
    };
    let is_blank = |token: &Option<Secret<String>>| token.as_ref().is_none_or(Secret::is_blank);
    match is_blank(&tokens.access) && is_blank(&tokens.refresh) {
        true => Err(SidecarFault::Empty),
        false => Ok(tokens),
    }
}

impl Encrypted {
    fn open(
        self,
        owner: SidecarOwner<'_>,
        seeds: &[Secret<String>],
    ) -> Result<SidecarTokens, SidecarFault> {
        if self.algorithm != ALGORITHM {
            return Err(SidecarFault::Unreadable);
        }
        if seeds.is_empty() {
            return Err(SidecarFault::NoKey);
        }
        let about = format!("{}\0{}\0{}", owner.id, owner.profile, owner.provider);
        let data = Bytes([self.ciphertext.0, self.tag.0].concat());
        let keys = seeds.iter().filter_map(key_of);
        let mut opened = keys.filter_map(|key| key.decrypt(about.as_bytes(), &self.iv, &data).ok());
        let plain = opened.next().ok_or(SidecarFault::Closed)?;
        serde_json::from_slice(plain.expose()).map_err(|_| SidecarFault::Unreadable)
    }
}

fn key_of(seed: &Secret<String>) -> Option<DataKey> {
    let mut hash = Sha256::new();
    hash.update("openclaw:auth-profile-oauth:");
    hash.update(seed.expose());
    DataKey::new(Secret::new(hash.finalize().to_vec()))
}

fn hide<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret<String>>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?;
    Ok(text.map(Secret::new))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWNER: SidecarOwner<'_> = SidecarOwner {
        id: "0123456789abcdef0123456789abcdef",
        profile: "openai-codex:default",
        provider: "openai-codex",
    };

    /// Made with the cipher of Node, as that release does.
    const FILE: &str =
        include_str!("../../tests/fixtures/sidecar/0123456789abcdef0123456789abcdef.json");

    fn opened(text: &str, owner: SidecarOwner<'_>, seeds: &[&str]) -> Result<String, SidecarFault> {
        let seeds: Vec<_> = seeds.iter().map(|seed| Secret::from(*seed)).collect();
        let tokens = open(&Secret::new(text.as_bytes().to_vec()), owner, &seeds)?;
        Ok(tokens.refresh.unwrap().expose().clone())
    }

    #[test]
    fn a_file_opens_for_its_login_with_its_key_and_for_nothing_else() {
        let refresh = Ok("rt-MARKER-of-the-sidecar".to_owned());
        assert_eq!(opened(FILE, OWNER, &["a seed"]), refresh);
        assert_eq!(opened(FILE, OWNER, &["other", "a seed"]), refresh);
        assert_eq!(opened(FILE, OWNER, &[]), Err(SidecarFault::NoKey));
        assert_eq!(opened(FILE, OWNER, &["other"]), Err(SidecarFault::Closed));
        let other = SidecarOwner {
            profile: "openai-codex:b",
            ..OWNER
        };
        assert_eq!(
            opened(FILE, other, &["a seed"]),
            Err(SidecarFault::OtherProfile)
        );
        let renamed = FILE.replace("openai-codex:default", "openai-codex:b");
        assert_eq!(
            opened(&renamed, other, &["a seed"]),
            Err(SidecarFault::Closed)
        );
        let moved = SidecarOwner {
            id: "f123456789abcdef0123456789abcdef",
            ..OWNER
        };
        assert_eq!(opened(FILE, moved, &["a seed"]), Err(SidecarFault::Closed));
    }

    #[test]
    fn what_is_no_such_file_is_not_taken_for_one() {
        for text in ["", "{", "[]", "{\"version\":1}"] {
            assert_eq!(
                opened(text, OWNER, &["a seed"]),
                Err(SidecarFault::Unreadable),
                "{text}"
            );
        }
        let plain = r#"{"version":1,"profileId":"openai-codex:default","provider":"openai-codex","refresh":"rt"}"#;
        assert_eq!(opened(plain, OWNER, &[]), Ok("rt".to_owned()));
        let empty = plain.replace("\"rt\"", "\" \"");
        assert_eq!(opened(&empty, OWNER, &[]), Err(SidecarFault::Empty));
        let later = plain.replace("\"version\":1", "\"version\":2");
        assert_eq!(opened(&later, OWNER, &[]), Err(SidecarFault::Unreadable));
    }

    #[test]
    fn a_reference_names_a_file_and_no_other_path() {
        let id = |source: &str, id: &str| id_of(&format!(r#"{{"source":"{source}","id":"{id}"}}"#));
        assert_eq!(id(SOURCE, OWNER.id).as_deref(), Some(OWNER.id));
        for (source, name) in [
            ("env", OWNER.id),
            (SOURCE, "1"),
            (SOURCE, "../../../../../../etc/passwd-------"),
            (SOURCE, "0123456789ABCDEF0123456789ABCDEF"),
        ] {
            assert_eq!(id(source, name), None, "{name}");
        }
        assert_eq!(id_of("5"), None);
    }
}
