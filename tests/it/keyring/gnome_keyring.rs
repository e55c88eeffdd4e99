//! A real Secret Service, in each state that people have it in.

use std::process::Command;
use std::time::Duration;

use openclaw::model::secret::Secret;
use openclaw::ports::keyring::{Keyring as _, KeyringFault};

use super::vault;
use crate::support::session_bus::{GnomeKeyring, keyring_at};

fn secret(text: &str) -> Secret<Vec<u8>> {
    Secret::new(text.as_bytes().to_vec())
}

#[test]
#[ignore = "needs gnome-keyring"]
fn unlocked_an_item_is_written_replaced_found_by_others_and_removed() {
    let gnome = GnomeKeyring::unlocked();
    let keyring = gnome.keyring();
    assert_eq!(keyring.get(&vault()), Ok(None));
    assert_eq!(keyring.remove(&vault()), Ok(false));
    for text in ["first", "second", "", &"long ".repeat(10_000)] {
        let secret = secret(text);
        keyring
            .put(&vault(), "the key of a vault", &secret)
            .unwrap();
        assert_eq!(keyring.get(&vault()), Ok(Some(secret)));
    }
    let every_byte = Secret::new((0..=255).collect::<Vec<u8>>());
    keyring
        .put(&vault(), "the key of a vault", &every_byte)
        .unwrap();
    assert_eq!(keyring.get(&vault()), Ok(Some(every_byte)));
    keyring
        .put(&vault(), "the key of a vault", &secret("last"))
        .unwrap();
    let mut tool = Command::new("secret-tool");
    tool.args(["lookup", "service", "openclaw", "account", &vault().account])
        .env("DBUS_SESSION_BUS_ADDRESS", gnome.address());
    let found = tool.output().expect("secret-tool is not installed");
    assert_eq!(String::from_utf8_lossy(&found.stdout), "last");
    let mut other = vault();
    other.account.push('0');
    assert_eq!(keyring.get(&other), Ok(None));
    assert_eq!(keyring.remove(&vault()), Ok(true));
    assert_eq!(keyring.get(&vault()), Ok(None));
}

#[test]
#[ignore = "needs gnome-keyring"]
fn locked_it_is_said_and_the_item_stays() {
    let gnome = GnomeKeyring::unlocked();
    let keyring = gnome.keyring();
    keyring.put(&vault(), "a key", &secret("kept")).unwrap();
    gnome.lock();
    let mut other = vault();
    other.account.push('0');
    for item in [vault(), other] {
        let locked = KeyringFault::Locked;
        assert_eq!(keyring.get(&item), Err(locked.clone()));
        assert_eq!(
            keyring.put(&item, "a key", &secret("x")),
            Err(locked.clone())
        );
        assert_eq!(keyring.remove(&item), Err(locked));
    }
}

#[test]
#[ignore = "needs gnome-keyring"]
fn a_keyring_that_was_never_set_up_is_no_empty_one() {
    let gnome = GnomeKeyring::without_collection();
    let keyring = gnome.keyring();
    let nowhere = KeyringFault::NoCollection;
    assert_eq!(keyring.get(&vault()), Err(nowhere.clone()));
    assert_eq!(
        keyring.put(&vault(), "a key", &secret("x")),
        Err(nowhere.clone())
    );
    assert_eq!(keyring.remove(&vault()), Err(nowhere));
}

#[test]
#[ignore = "needs gnome-keyring"]
fn a_daemon_that_is_stopped_is_silent_and_one_that_ended_is_missing() {
    let mut gnome = GnomeKeyring::unlocked();
    gnome
        .keyring()
        .put(&vault(), "a key", &secret("x"))
        .unwrap();
    gnome.stop();
    let limit = Duration::from_millis(300);
    let keyring = keyring_at(gnome.address(), limit);
    let silent = KeyringFault::Silent { limit };
    assert_eq!(keyring.get(&vault()), Err(silent.clone()));
    assert_eq!(keyring.put(&vault(), "a key", &secret("x")), Err(silent));
    gnome.end();
    let fault = gnome.keyring().get(&vault()).unwrap_err();
    let is_missing = matches!(fault, KeyringFault::Missing(_));
    assert!(is_missing, "{fault}");
}
