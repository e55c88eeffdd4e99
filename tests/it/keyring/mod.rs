//! Where keys lie outside of files: the keyring of the session, and kernel memory.

mod gnome_keyring;
mod kernel_keyring;
mod secret_service;
mod session_bus;

use openclaw::ports::keyring::KeyringItem;

/// The item of the vault that a test has.
fn vault() -> KeyringItem {
    KeyringItem {
        service: "openclaw".to_owned(),
        account: "vault|0123456789abcdef".to_owned(),
    }
}
