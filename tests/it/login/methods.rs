//! Every way in: all at once on a machine without the person's browser, in two halves for programs,
//! and by a code that becomes an API key.

mod clipboard;
mod key_exchange;
mod over_ssh;
mod own_redirect_uri;
mod small_terminal;
pub(crate) mod two_halves;
mod two_halves_threats;

use std::process::Command;

use crate::support::issuer::{Codes, Issuer, Reply};

use crate::support::World;

/// The built-in provider at the test issuer, its callback on any free port.
pub(crate) fn world(provider: &str) -> (World, Issuer) {
    World::with_builtin(provider)
}

/// Makes the machine of `command` one that is reached by SSH.
pub(crate) fn by_ssh(command: &mut Command) -> &mut Command {
    command
        .env_remove("DISPLAY")
        .env("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22")
        .env("USER", "me")
}

/// Device codes that nobody ever uses.
pub(crate) fn never() -> Codes {
    Codes {
        replies: vec![Reply::Pending; 1_000],
        ..Codes::default()
    }
}
