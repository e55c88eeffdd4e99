//! Where secrets lie at rest, and the names of those that have one.

use std::fmt;

use serde::{Deserialize, Serialize};
use strum::{AsRefStr, EnumString, VariantNames};

use super::id::{shown_as_text, written_as_text};
use super::text::hexadecimal;

/// Where a state directory keeps the secrets of its profiles: `token_store`.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    AsRefStr,
    EnumString,
    VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum TokenStore {
    /// In the clear in `auth-profiles.json`, as OpenClaw does it.
    #[default]
    Plain,
    /// Sealed; the data key lies in a key file or behind a passphrase.
    EncryptedFile,
    /// Sealed; the data key lies in the keyring of the system.
    Keychain,
    /// Nowhere: secrets come from the environment, and nothing is stored.
    Env,
}

impl TokenStore {
    /// Whether profiles are sealed.
    pub fn seals(self) -> bool {
        matches!(self, Self::EncryptedFile | Self::Keychain)
    }
}

/// Which secrets of a profile are sealed.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    AsRefStr,
    EnumString,
    VariantNames,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum SealedPart {
    /// All of them.
    #[default]
    All,
    /// Of a login its refresh token alone, so that OpenClaw can hand its access token out; keys and
    /// static tokens stay in the clear.
    Refresh,
}

/// What names a vault: 16 random bytes in hexadecimal. Bound to a state directory and not to its
/// path, which may be renamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct VaultId(String);

impl VaultId {
    /// How many random bytes it is made of.
    pub const RANDOM: usize = 16;

    /// The id of these random bytes.
    pub fn new(random: &[u8; Self::RANDOM]) -> Self {
        Self(hexadecimal(random))
    }

    /// Its first digits, which go into the names of what belongs to it elsewhere.
    pub fn short(&self) -> &str {
        &self.0[..16]
    }
}

impl TryFrom<String> for VaultId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_one = text.len() == 2 * Self::RANDOM
            && (text.bytes()).all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        match is_one {
            true => Ok(Self(text)),
            false => Err("a vault is named by 32 hexadecimal digits"),
        }
    }
}

shown_as_text!(VaultId);

/// The name of a secret: a capital letter, then capital letters, digits and underscores; 128
/// characters at most. So it is one of a variable, too.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SecretName(String);

/// It is no name of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the name of a secret has capital letters, digits and underscores, begins with a letter, and has 128 characters at most"
)]
pub struct BadName;

impl SecretName {
    /// Reads a name.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(text: &str) -> Result<Self, BadName> {
        let mut bytes = text.bytes();
        let is_one = bytes.next().is_some_and(|b| b.is_ascii_uppercase())
            && bytes.all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
            && text.len() <= 128;
        match is_one {
            true => Ok(Self(text.to_owned())),
            false => Err(BadName),
        }
    }
}

shown_as_text!(SecretName);
written_as_text!(SecretName);

/// What a seal is about: its associated data. None of the parts holds a NUL.
#[derive(Clone, Copy, Debug)]
pub enum About<'a> {
    /// The secrets of a profile: its name, and its provider as it is written there. Not its agent:
    /// OpenClaw copies profiles between agents as they are.
    Profile(&'a str, &'a str),
    /// What a token endpoint answered to the refresh of this grant.
    Answer(&'a str),
    /// A login of that name which is not finished.
    Login(&'a str),
    /// A row of a database.
    Row(Row<'a>),
}

/// The place of a row: one that was moved does not open.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The table.
    pub table: &'a str,
    /// Whose it is.
    pub tenant: &'a str,
    /// The agent; blank in a table that knows none.
    pub agent: &'a str,
    /// What names it among those of the agent.
    pub name: &'a str,
}

impl About<'_> {
    /// The bytes that are bound to the seal, in that vault.
    pub fn bytes(&self, vault: &VaultId) -> Vec<u8> {
        let vault = vault.as_str();
        let text = match self {
            Self::Profile(id, provider) => format!("profile\0{vault}\0{id}\0{provider}"),
            Self::Answer(grant) => format!("answer\0{vault}\0{grant}"),
            Self::Login(name) => format!("login\0{vault}\0{name}"),
            Self::Row(Row {
                table,
                tenant,
                agent,
                name,
            }) => format!("row\0{vault}\0{table}\0{tenant}\0{agent}\0{name}"),
        };
        text.into_bytes()
    }
}

/// Why a vault, or one of its slots, does not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VaultFault {
    /// Nobody is there to ask for the passphrase.
    NeedsPassphrase,
    /// The slot of this number has a passphrase of its own, and nobody is there to ask for it.
    NeedsPassphraseOf(usize),
    /// The passphrase was wrong.
    WrongPassphrase,
    /// The keyring is locked.
    KeyringLocked,
    /// No slot gave the key: each that was tried, and why not.
    NoKey(Vec<SlotFault>),
    /// `secrets.enc` is there and cannot be understood.
    Damaged {
        /// The file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// A later release wrote it.
    Newer(String),
    /// It is sealed and there is no `secrets.enc`, or that of another vault.
    OtherVault {
        /// The vault that sealed it.
        needed: String,
        /// The one that is there.
        found: Option<VaultId>,
    },
    /// The file, a lock or the system failed.
    Failed(String),
    /// The person ended the question.
    Cancelled,
}

/// Why one slot did not give the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlotFault {
    /// The slot, in words: "the key file /home/me/k".
    pub slot: String,
    /// Why.
    pub why: String,
}

impl fmt::Display for VaultFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeedsPassphrase => f.write_str(
                "the secrets are locked, and no terminal is there to ask for the passphrase",
            ),
            Self::NeedsPassphraseOf(slot) => write!(
                f,
                "slot {slot} has another passphrase, and no terminal is there to ask for it"
            ),
            Self::WrongPassphrase => f.write_str("the passphrase is wrong"),
            Self::KeyringLocked => f.write_str("the secrets are locked, because the keyring is"),
            Self::NoKey(slots) => {
                f.write_str("no key opens the secrets")?;
                for (place, slot) in slots.iter().enumerate() {
                    let before = if place == 0 { ": " } else { "; " };
                    write!(f, "{before}{}: {}", slot.slot, slot.why)?;
                }
                Ok(())
            }
            Self::Damaged { path, why } => write!(f, "{path} cannot be read: {why}"),
            Self::Newer(path) => write!(f, "{path} was written by a later release"),
            Self::OtherVault {
                needed,
                found: None,
            } => write!(
                f,
                "it is sealed in vault {needed}, whose secrets.enc is not there"
            ),
            Self::OtherVault {
                needed,
                found: Some(found),
            } => write!(
                f,
                "it is sealed in vault {needed}, and secrets.enc is that of vault {found}"
            ),
            Self::Failed(why) => f.write_str(why),
            Self::Cancelled => f.write_str("cancelled"),
        }
    }
}

impl std::error::Error for VaultFault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_of_a_variable() {
        for name in ["A", "CODEX_CLIENT_ID", "A1_"] {
            assert_eq!(SecretName::parse(name).unwrap().as_str(), name);
        }
        let long = "A".repeat(129);
        for name in ["", "a", "1A", "_A", "A-B", "A B", "Ä", "A\n", "A/B", &long] {
            assert_eq!(SecretName::parse(name), Err(BadName), "{name:?}");
        }
        assert!(SecretName::parse(&long[1..]).is_ok());
    }

    #[test]
    fn a_vault_has_a_name_of_32_digits() {
        let id = VaultId::new(&[0xa5; 16]);
        assert_eq!(id.as_str(), "a5".repeat(16));
        assert_eq!(VaultId::try_from(id.to_string()), Ok(id));
        for text in ["", "a5", &"A5".repeat(16), &"g5".repeat(16)] {
            assert!(VaultId::try_from(text.to_owned()).is_err());
        }
    }
}
