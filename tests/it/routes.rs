//! Every way in: all at once on a machine without the person's browser, in two halves for programs,
//! and by a code that becomes an API key.

mod client;
mod clipboard;
mod halves;
mod keys;
mod remote;
mod threats;

use std::process::Command;

use openclaw::testing::issuer::{Codes, Issuer, Reply};

use crate::support::World;

/// The built-in provider at the test issuer, its callback on any free port.
pub(crate) fn world(provider: &str) -> (World, Issuer) {
    let (world, issuer) = World::with_builtin(provider);
    let path = format!("providers/{provider}.toml");
    let manifest = world.read(&path);
    let ports = manifest.lines().find(|line| line.starts_with("ports = "));
    let manifest = match ports {
        Some(line) => manifest.replace(line, "ports = [0]"),
        None => manifest,
    };
    world.write(&path, &manifest);
    (world, issuer)
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
