//! The Keychain of macOS.
//!
//! It asks the person where one sits at a terminal, because it must: its item lets in the program that
//! wrote it, and after an update that is another one.

use std::io::IsTerminal as _;
use std::time::Duration;

use security_framework::base::Error;
use security_framework::os::macos::keychain::SecKeychain;
use security_framework::passwords::{
    PasswordOptions, delete_generic_password, generic_password, set_generic_password,
};

use super::limited::within;
use super::{LIMIT, check_given_back};
use crate::model::id::printable;
use crate::model::secret::Secret;
use crate::ports::host::Env;
use crate::ports::keyring::{Keyring, KeyringFault, KeyringItem};

/// How long a person is waited for.
const PERSON: Duration = Duration::from_secs(60);

// Results of Keychain Services (SecBase.h).
const CANCELLED: i32 = -128;
const NOT_AVAILABLE: i32 = -25_291;
const AUTHENTICATION_FAILED: i32 = -25_293;
const NO_SUCH_KEYCHAIN: i32 = -25_294;
const NOT_FOUND: i32 = -25_300;
const NO_DEFAULT_KEYCHAIN: i32 = -25_307;
const INTERACTION_NOT_ALLOWED: i32 = -25_308;

/// The default keychain of this user.
#[derive(Debug)]
pub struct Keychain {
    may_ask: bool,
}

impl Keychain {
    /// It needs nothing of the environment.
    pub fn new(_: &dyn Env) -> Self {
        let may_ask = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        Self { may_ask }
    }

    fn with<T: Send + 'static>(
        &self,
        item: &KeyringItem,
        act: impl FnOnce(&KeyringItem) -> Result<T, Error> + Send + 'static,
    ) -> Result<Option<T>, KeyringFault> {
        let (item, may_ask) = (item.clone(), self.may_ask);
        let limit = if may_ask { PERSON } else { LIMIT };
        within(limit, move || {
            let silence = (!may_ask).then(SecKeychain::disable_user_interaction);
            let _silence = silence.transpose().map_err(fault)?;
            match act(&item) {
                Ok(found) => Ok(Some(found)),
                Err(error) if error.code() == NOT_FOUND => Ok(None),
                Err(error) => Err(fault(error)),
            }
        })
    }
}

impl Keyring for Keychain {
    fn get(&self, item: &KeyringItem) -> Result<Option<Secret<Vec<u8>>>, KeyringFault> {
        self.with(item, |KeyringItem { service, account }| {
            let options = PasswordOptions::new_generic_password(service, account);
            generic_password(options).map(Secret::new)
        })
    }

    /// The Keychain shows the service in the place of a label.
    fn put(
        &self,
        item: &KeyringItem,
        _label: &str,
        secret: &Secret<Vec<u8>>,
    ) -> Result<(), KeyringFault> {
        let written = secret.clone();
        self.with(item, move |KeyringItem { service, account }| {
            set_generic_password(service, account, written.expose())
        })?;
        check_given_back(self.get(item)?.as_ref(), secret)
    }

    fn remove(&self, item: &KeyringItem) -> Result<bool, KeyringFault> {
        let removed = self.with(item, |KeyringItem { service, account }| {
            delete_generic_password(service, account)
        })?;
        Ok(removed.is_some())
    }
}

fn fault(error: Error) -> KeyringFault {
    match error.code() {
        CANCELLED | AUTHENTICATION_FAILED | INTERACTION_NOT_ALLOWED => KeyringFault::Locked,
        NO_SUCH_KEYCHAIN | NO_DEFAULT_KEYCHAIN => KeyringFault::NoCollection,
        NOT_AVAILABLE => KeyringFault::Missing("this session has no keychain".to_owned()),
        code => {
            let words = error.message().unwrap_or_default();
            KeyringFault::Refused(printable(&format!("{words} ({code})"), 200))
        }
    }
}
