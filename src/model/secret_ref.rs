//! References to secrets that lie elsewhere, as OpenClaw writes them in the place of a secret:
//! `{"source": "exec", "provider": "vault", "id": "main/openai:default"}`.

use std::fmt;

use serde::Deserialize;
use strum::AsRefStr;

use super::id::printable;

/// What kind of place a secret lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, AsRefStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum SecretPlace {
    /// A variable of the environment.
    Env,
    /// A file.
    File,
    /// The answer of a program.
    Exec,
    /// The secrets of this state directory that have names.
    Store,
}

/// A reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretRef {
    /// What kind of place it names.
    pub place: SecretPlace,
    /// Which of `secrets.providers` in `openclaw.json` knows the place.
    pub provider: String,
    /// What the secret is called there.
    pub id: String,
}

#[derive(Deserialize)]
struct Written {
    source: SecretPlace,
    provider: Option<String>,
    id: String,
}

/// Why a text is no reference; the words follow "its reference to a secret".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadSecretRef {
    /// The members are not there, or of another kind.
    #[error("needs a source (env, file, exec or store), a provider and an id")]
    Members,
    /// The provider is none.
    #[error(
        "names a provider that is none: 1 to 64 small letters, digits, - and _, a letter first"
    )]
    Provider,
    /// The id is none.
    #[error("has an id that no secret of that source can have")]
    Id,
}

impl SecretRef {
    /// Reads one from JSON; `usual` is the provider of a place where none is named, as early releases
    /// wrote it.
    ///
    /// # Errors
    /// If it is none.
    pub fn read(text: &str, usual: &dyn Fn(SecretPlace) -> String) -> Result<Self, BadSecretRef> {
        let written: Option<Written> = serde_json::from_str(text).ok();
        let written = written.ok_or(BadSecretRef::Members)?;
        let place = written.source;
        let reference = Self {
            place,
            provider: written.provider.unwrap_or_else(|| usual(place)),
            id: written.id.trim().to_owned(),
        };
        match (
            is_alias(&reference.provider),
            is_id(place, reference.id.as_str()),
        ) {
            (false, _) => Err(BadSecretRef::Provider),
            (_, false) => Err(BadSecretRef::Id),
            (true, true) => Ok(reference),
        }
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, id) = (self.place.as_ref(), printable(&self.id, 120));
        write!(f, "{place}:{}:{id}", self.provider)
    }
}

/// The name in `${secret:NAME}`.
pub fn name_of(text: &str) -> Option<&str> {
    let name = text.strip_prefix("${secret:")?.strip_suffix('}')?;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (!name.is_empty() && name.bytes().all(plain)).then_some(name)
}

/// A reference as a view shows it, whether it is a sound one or not.
pub(super) fn shown(text: &str) -> String {
    match SecretRef::read(text, &|_| "default".to_owned()) {
        Ok(reference) => format!("ref({reference})"),
        Err(_) => "ref(?)".to_owned(),
    }
}

fn is_alias(text: &str) -> bool {
    let rest = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
    text.len() <= 64
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(rest)
}

/// Whether a secret of that place can be called so.
pub(super) fn is_id(place: SecretPlace, id: &str) -> bool {
    match place {
        SecretPlace::Env | SecretPlace::Store => super::vault::SecretName::parse(id).is_ok(),
        // A pointer (RFC 6901), or the one name of a file that is a secret as a whole.
        SecretPlace::File => id == "value" || id.starts_with('/'),
        SecretPlace::Exec => {
            let is_one = |b: u8| b.is_ascii_alphanumeric() || b"._:/-".contains(&b);
            let leads_out = id.split('/').any(|part| part == "." || part == "..");
            id.len() <= 256
                && id.starts_with(|first: char| first.is_ascii_alphanumeric())
                && id.bytes().all(is_one)
                && !leads_out
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<String, BadSecretRef> {
        let read = SecretRef::read(text, &|place| format!("usual-{}", place.as_ref()));
        read.map(|reference| reference.to_string())
    }

    #[test]
    fn the_grammar_is_that_of_the_reference_release() {
        for (place, id) in [
            ("env", "A_1"),
            ("store", "CLIENT_SECRET"),
            ("file", "value"),
            ("file", "/providers/openai/apiKey"),
            ("exec", "main/openai:default"),
            ("exec", "a.b-c_d"),
        ] {
            let text = format!(r#"{{"source":"{place}","provider":"p","id":"{id}"}}"#);
            assert_eq!(read(&text), Ok(format!("{place}:p:{id}")));
            let text = format!(r#"{{"source":"{place}","id":"{id}"}}"#);
            assert_eq!(read(&text), Ok(format!("{place}:usual-{place}:{id}")));
        }
        let long = "a".repeat(257);
        for (place, provider, id, fault) in [
            ("vault", "p", "x", BadSecretRef::Members),
            ("env", "P", "X", BadSecretRef::Provider),
            ("env", "1p", "X", BadSecretRef::Provider),
            ("env", "p\\u001b", "X", BadSecretRef::Provider),
            ("env", "p", "x", BadSecretRef::Id),
            ("store", "p", "secret/X", BadSecretRef::Id),
            ("file", "p", "key", BadSecretRef::Id),
            ("exec", "p", "", BadSecretRef::Id),
            ("exec", "p", "../x", BadSecretRef::Id),
            ("exec", "p", "a/../x", BadSecretRef::Id),
            ("exec", "p", "a b", BadSecretRef::Id),
            ("exec", "p", &long, BadSecretRef::Id),
        ] {
            let text = format!(r#"{{"source":"{place}","provider":"{provider}","id":"{id}"}}"#);
            assert_eq!(read(&text), Err(fault), "{text}");
        }
        for text in ["", "{}", "[]", r#"{"source":"env","id":1}"#] {
            assert_eq!(read(text), Err(BadSecretRef::Members), "{text}");
        }
    }
}
