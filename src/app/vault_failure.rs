//! What is said of a vault that does not open or cannot be changed, and the command that mends it.

use crate::model::hint::{Command, Hint, shell_word};
use crate::model::vault::VaultFault;
use crate::ports::host::Signal;
use crate::ports::vault::VaultError;

use super::failure::{Failure, Kind};

impl From<VaultFault> for Failure {
    fn from(fault: VaultFault) -> Self {
        let kind = match &fault {
            VaultFault::NeedsPassphrase
            | VaultFault::NeedsPassphraseOf(_)
            | VaultFault::WrongPassphrase
            | VaultFault::KeyringLocked => Kind::Locked,
            VaultFault::NoKey(_)
            | VaultFault::Damaged { .. }
            | VaultFault::OtherVault { .. }
            | VaultFault::Failed(_) => Kind::Storage,
            VaultFault::Newer(_) => Kind::Config,
            VaultFault::Cancelled => return Self::cancelled(Signal::INTERRUPT),
        };
        let hint = match (&fault, kind) {
            // No command of ours unlocks the keyring.
            (VaultFault::KeyringLocked, _) => {
                "unlock the keyring of your session, then run the command again".into()
            }
            (VaultFault::NeedsPassphraseOf(slot), _) => {
                let remove = Command::new("secrets slot remove").arg(slot);
                let text = "give --passphrase-fd for each passphrase, or remove the slot: ";
                Hint::from(text).run(remove)
            }
            (_, Kind::Locked) => Hint::from(Command::new("secrets unlock")),
            (VaultFault::NoKey(slots), _) if !slots.is_empty() => {
                "bring one of them back, or name a copy of a key file in OPENCLAW_SECRETS_KEY_FILE"
                    .into()
            }
            (VaultFault::Damaged { path, .. }, _) => {
                let [from, to] =
                    [format!("{path}.bak"), path.clone()].map(|path| shell_word(&path));
                format!("cp {from} {to} (or restore it from another backup)").into()
            }
            (VaultFault::Newer(_), _) => "use the release that wrote it, or a later one".into(),
            _ => Command::new("secrets status").into(),
        };
        Self::new(kind, fault.to_string()).hint(hint)
    }
}

impl From<VaultError> for Failure {
    fn from(error: VaultError) -> Self {
        match error {
            VaultError::Vault(fault) => Self::from(fault),
            VaultError::Lock(error) => Self::from(error),
            VaultError::File(error) => Self::from(error),
            VaultError::Refused(why) => Self::new(Kind::Usage, why),
            VaultError::Changed => Self::new(Kind::Busy, error.to_string())
                .hint("wait for the other process, then run the command again"),
        }
    }
}
