//! A session bus that says what a test wants, and GNOME Keyring on a real one.

mod fake;
mod gnome;
mod wire;

pub(crate) use fake::{FakeBus, Reply, usual};
pub(crate) use gnome::GnomeKeyring;
pub(crate) use wire::Values;

use std::time::Duration;

use openclaw::sys::keyring::SystemKeyring;
use openclaw::testing::env::FixedEnv;

/// The keyring of a session that has its bus at this address.
pub(crate) fn keyring_at(address: &str, limit: Duration) -> SystemKeyring {
    let env = FixedEnv::of(&[("DBUS_SESSION_BUS_ADDRESS", address)]);
    SystemKeyring::with_limit(&env, limit)
}
