//! Asking a person for the passphrases of a vault.

use crate::model::secret::Secret;
use crate::model::vault::VaultFault;
use crate::ports::dialog::{DialogError, Notice, Question};

use super::open::FileVault;

/// So often a person is asked for a passphrase.
const TRIES: usize = 3;

impl FileVault {
    /// Asks for a passphrase until one is right: for that of the slot of this number, if one is meant.
    ///
    /// # Errors
    /// If nobody is there, they end the question, or each one was wrong.
    pub(super) fn ask_passphrase<T>(
        &self,
        slot: Option<usize>,
        open: &dyn Fn(&Secret<String>) -> Result<T, VaultFault>,
    ) -> Result<T, VaultFault> {
        let dialog = &*self.ports.dialog;
        let state = self.dirs.state.display();
        let text = match slot {
            Some(number) => format!("Passphrase of slot {number} of the secrets in {state}"),
            None => format!("Passphrase of the secrets in {state}"),
        };
        for left in (0..TRIES).rev() {
            let answer = dialog.ask(&Question::Passphrase(text.clone()), &|| false);
            let answer = answer.map_err(|error| match error {
                DialogError::NobodyThere => VaultFault::NeedsPassphrase,
                DialogError::Cancelled | DialogError::Withdrawn => VaultFault::Cancelled,
                DialogError::Failed(_) => VaultFault::Failed(error.to_string()),
            })?;
            match open(&answer) {
                Err(VaultFault::WrongPassphrase) if left > 0 => {
                    let text = "the passphrase is wrong; try again";
                    dialog.notice(&Notice::Warning(text.into()));
                }
                other => return other,
            }
        }
        Err(VaultFault::WrongPassphrase)
    }
}
