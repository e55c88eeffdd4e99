//! The Credential Manager of Windows. An item holds 2560 bytes.

use keyring_core::api::CredentialStoreApi as _;
use keyring_core::{Entry, Error};
use windows_native_keyring_store::Store;

use super::limited::within;
use super::{LIMIT, check_given_back};
use crate::model::id::printable;
use crate::model::secret::Secret;
use crate::ports::host::Env;
use crate::ports::keyring::{Keyring, KeyringFault, KeyringItem};

/// The generic credentials of this user.
#[derive(Debug)]
pub struct CredentialManager;

impl CredentialManager {
    /// It needs nothing of the environment.
    pub fn new(_: &dyn Env) -> Self {
        Self
    }
}

/// What Windows says; `None` if there is no such item.
fn with<T: Send + 'static>(
    item: &KeyringItem,
    act: impl FnOnce(&Entry) -> Result<T, Error> + Send + 'static,
) -> Result<Option<T>, KeyringFault> {
    let item = item.clone();
    within(LIMIT, move || {
        let entry = Store::new().and_then(|store| store.build(&item.service, &item.account, None));
        match entry.and_then(|entry| act(&entry)) {
            Ok(found) => Ok(Some(found)),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(fault(error)),
        }
    })
}

impl Keyring for CredentialManager {
    fn get(&self, item: &KeyringItem) -> Result<Option<Secret<Vec<u8>>>, KeyringFault> {
        with(item, |entry| entry.get_secret().map(Secret::new))
    }

    /// Windows shows the account and the service in the place of a label.
    fn put(
        &self,
        item: &KeyringItem,
        _label: &str,
        secret: &Secret<Vec<u8>>,
    ) -> Result<(), KeyringFault> {
        let written = secret.clone();
        with(item, move |entry| entry.set_secret(written.expose()))?;
        check_given_back(self.get(item)?.as_ref(), secret)
    }

    fn remove(&self, item: &KeyringItem) -> Result<bool, KeyringFault> {
        Ok(with(item, Entry::delete_credential)?.is_some())
    }
}

/// Some errors hold what was read, and none is shown by its `Debug` form.
fn fault(error: Error) -> KeyringFault {
    match error {
        // There is no session that has credentials: a service, or a login over the network.
        Error::NoStorageAccess(error) => KeyringFault::Missing(printable(&error.to_string(), 200)),
        error => KeyringFault::Refused(printable(&error.to_string(), 200)),
    }
}
