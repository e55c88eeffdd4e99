//! The slots of a vault: what each holds, and in which words people are told of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::id::printable;
use crate::model::seal::{DataKey, NONCE, WrappedKey};
use crate::model::vault::{SlotFault, VaultId};
use crate::ports::keyring::KeyringItem;

use super::passphrase::Stretch;

/// A slot: the key of the vault, wrapped under the key that lies elsewhere.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Slot {
    #[serde(flatten)]
    pub(super) place: Place,
    #[serde(flatten)]
    wrapped: WrappedKey,
}

/// Where the key lies that a slot is wrapped under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Place {
    /// A person knows it.
    Passphrase(Stretch),
    /// In this file; `~/` is the home directory, which may be renamed.
    KeyFile { path: String },
    /// In the keyring of the system.
    Keyring { service: String, account: String },
    /// systemd hands it to a service (`LoadCredential=`).
    Credential { name: String },
}

impl Place {
    /// Its type, as it is written.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Passphrase(_) => "passphrase",
            Self::KeyFile { .. } => "key_file",
            Self::Keyring { .. } => "keyring",
            Self::Credential { .. } => "credential",
        }
    }

    /// It, for people.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Passphrase(_) => "the passphrase".to_owned(),
            Self::KeyFile { path } => format!("the key file {}", printable(path, 200)),
            Self::Keyring { account, .. } => {
                format!("the system keyring ({})", printable(account, 80))
            }
            Self::Credential { name } => {
                format!("the systemd credential {}", printable(name, 80))
            }
        }
    }

    /// That it gave no key, for this reason.
    pub(super) fn fault(&self, why: impl Into<String>) -> SlotFault {
        SlotFault {
            slot: self.words(),
            why: why.into(),
        }
    }

    fn about(&self, vault: &VaultId) -> Vec<u8> {
        format!("slot\0{vault}\0{}", self.kind()).into_bytes()
    }
}

impl Slot {
    /// Wraps the key of a vault; `random` has to be fresh.
    pub(super) fn wrap(
        place: Place,
        vault: &VaultId,
        (outer, key): (&DataKey, &DataKey),
        random: &[u8; NONCE],
    ) -> Option<Self> {
        let wrapped = outer.wrap(&place.about(vault), key, random).ok()?;
        Some(Self { place, wrapped })
    }

    /// Reads a slot; `None` if it is one of a later release.
    pub(super) fn read(value: &Value) -> Option<Self> {
        Self::deserialize(value).ok()
    }

    /// The key of the vault; `None` if `outer` is not what it was wrapped under.
    pub(super) fn unwrap(&self, vault: &VaultId, outer: &DataKey) -> Option<DataKey> {
        outer.unwrap(&self.place.about(vault), &self.wrapped).ok()
    }
}

/// Where in the keyring of the system the key of a vault lies.
pub(super) fn keyring_item(vault: &VaultId) -> KeyringItem {
    KeyringItem {
        service: "openclaw".to_owned(),
        account: format!("vault|{}", vault.short()),
    }
}

/// The name of the credential that systemd hands to a service.
pub(super) fn credential_name(vault: &VaultId) -> String {
    format!("openclaw-{}", vault.short())
}
