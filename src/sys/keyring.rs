//! The keyring of this system, by what kind of system it is.

#[cfg(all(unix, not(target_os = "macos")))]
mod bus_address;
#[cfg(windows)]
mod credential_manager;
#[cfg(target_os = "macos")]
mod keychain;
#[cfg(any(windows, target_os = "macos"))]
mod limited;
#[cfg(all(unix, not(target_os = "macos")))]
mod secret_service;

use std::time::Duration;

#[cfg(windows)]
pub use credential_manager::CredentialManager as SystemKeyring;
#[cfg(target_os = "macos")]
pub use keychain::Keychain as SystemKeyring;
#[cfg(all(unix, not(target_os = "macos")))]
pub use secret_service::SecretService as SystemKeyring;

use crate::model::secret::Secret;
use crate::ports::keyring::KeyringFault;

/// How long each step with a keyring is waited for.
pub const LIMIT: Duration = Duration::from_secs(2);

/// Fails unless a keyring gives back what was written. Some report a success for what they cut off or
/// drop.
fn check_given_back(
    read: Option<&Secret<Vec<u8>>>,
    written: &Secret<Vec<u8>>,
) -> Result<(), KeyringFault> {
    match read == Some(written) {
        true => Ok(()),
        false => Err(KeyringFault::Refused(
            "what it gives back is not what was written".to_owned(),
        )),
    }
}
