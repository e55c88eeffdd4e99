//! What keeps a text in the place of a secret from being handed out.

use super::bearer::BearerFault;
use super::env_reference;
use super::id::printable;
use super::malformed::Malformed;
use super::secret::{SealFault, Secret};

/// Why a text in the place of a secret is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretFault {
    /// It refers to a variable that is not set.
    Unset(String),
    /// No header can hold it.
    Bearer(BearerFault),
    /// It is nothing that anybody could use.
    Malformed(Malformed),
    /// It is sealed, and does not open.
    Sealed(SealFault),
}

impl SecretFault {
    /// Looks for one in what would be handed out.
    pub fn of(secret: &Secret<String>) -> Option<Self> {
        // A glimpse is held only of one that has none, or whose seal tells.
        match secret.is_held() {
            true => Self::find(secret.expose(), false),
            false => secret.as_sealed()?.fault.clone().map(Self::Sealed),
        }
    }

    /// Looks for one in the text of a secret. Of one that [is graphic](super::text::is_graphic) not
    /// each character is looked at again.
    pub(super) fn find(text: &str, is_graphic: bool) -> Option<Self> {
        let text = text.trim();
        if let Some(name) = env_reference::variable(text) {
            return Some(Self::Unset(name.to_owned()));
        }
        let bearer = match is_graphic {
            true => BearerFault::of_length(text),
            false => BearerFault::of(text),
        };
        bearer
            .map(Self::Bearer)
            .or_else(|| Malformed::of_stored(text).map(Self::Malformed))
    }

    /// Looks for one in what a variable holds: `value` as it is set, `secret` as it was cleaned. What
    /// would not be stored if it was pasted is not handed out either. Secrets of its kind begin with
    /// `prefix`.
    pub fn of_variable(value: &str, secret: &Secret<String>, prefix: Option<&str>) -> Option<Self> {
        let text = secret.expose();
        let several = || Malformed::of_several(value, text, prefix);
        let malformed = || several().or_else(|| Malformed::of(text));
        let fault = Self::of(secret).filter(|fault| !matches!(fault, Self::Malformed(_)));
        fault.or_else(|| malformed().map(Self::Malformed))
    }

    /// Describes it; the words follow the name of the credential.
    pub fn words(&self) -> String {
        match self {
            Self::Unset(name) if name.is_empty() => {
                "refers to a variable without a name".to_owned()
            }
            Self::Unset(name) => {
                let name = printable(name, 80);
                format!("refers to the variable {name}, which is not set or holds no usable secret")
            }
            Self::Bearer(fault) => fault.words(),
            Self::Malformed(fault) => fault.words(),
            Self::Sealed(SealFault::Damaged) => {
                "is sealed, and its seal does not open: it was damaged, or belongs to another profile"
                    .to_owned()
            }
            Self::Sealed(SealFault::Newer) => {
                "is sealed in a way that only a later release opens".to_owned()
            }
            Self::Sealed(SealFault::OtherVault(vault)) => {
                format!("is sealed in vault {vault}, whose key is not here")
            }
        }
    }
}
