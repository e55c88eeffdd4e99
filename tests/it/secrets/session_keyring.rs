//! The key in the keyring of a session, in each state that it can be in.

use std::process::{Child, Stdio};

use super::{assert_nowhere, files};
use crate::support::session_bus::GnomeKeyring;
use crate::support::{Ran, World, ran};

/// Starts a command that reaches the bus at this address.
fn start(world: &World, address: &str, args: &[&str]) -> Child {
    let value = world.directory.path().join("home/value");
    std::fs::write(&value, "MARKER").unwrap();
    let mut command = world.command(args);
    command
        .env("DBUS_SESSION_BUS_ADDRESS", address)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn run(world: &World, address: &str, args: &[&str]) -> Ran {
    let child = start(world, address, args);
    let ran = ran(child.wait_with_output().unwrap());
    std::fs::remove_file(world.directory.path().join("home/value")).unwrap();
    ran
}

const SET: [&str; 6] = [
    "secrets",
    "set",
    "A",
    "--value-file",
    "home/value",
    "--keychain",
];
const GET: [&str; 3] = ["secrets", "get", "A"];

#[test]
fn without_a_keyring_nothing_is_made_and_nothing_falls_back() {
    let world = World::new();
    let ran = run(&world, "unix:path=/nowhere/bus", &SET);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.err.contains("there is no system keyring"), "{ran:?}");
    assert!(!world.state().join("secrets.enc").exists());
    let left = files(&world);
    assert!(
        left.iter().all(|path| path.ends_with("secrets.lock")),
        "{left:?}"
    );
}

#[test]
#[ignore = "needs gnome-keyring"]
fn the_keyring_opens_the_secrets_and_each_of_its_states_is_told() {
    let mut gnome = GnomeKeyring::unlocked();
    let address = gnome.address().to_owned();
    let world = World::new();
    let ran = run(&world, &address, &SET);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("Key: the system keyring"), "{ran:?}");
    assert_nowhere(&world, "MARKER");
    assert_eq!(run(&world, &address, &GET).out, "MARKER");
    gnome.lock();
    let before = world.read("secrets.enc");
    let ran = run(&world, &address, &GET);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(
        ran.err.contains("unlock the keyring of your session"),
        "{ran:?}"
    );
    gnome.stop();
    let ran = run(&world, &address, &GET);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(
        ran.err.contains("did not answer within 2 seconds"),
        "{ran:?}"
    );
    gnome.end();
    let ran = run(&world, &address, &GET);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.err.contains("there is no system keyring"), "{ran:?}");
    assert_eq!(world.read("secrets.enc"), before);
    assert_nowhere(&world, "MARKER");
}

#[test]
#[ignore = "needs gnome-keyring"]
fn in_another_keyring_the_key_is_not_there() {
    let world = World::new();
    let gnome = GnomeKeyring::unlocked();
    assert_eq!(run(&world, gnome.address(), &SET).code, 0);
    drop(gnome);
    let other = GnomeKeyring::unlocked();
    let ran = run(&world, other.address(), &GET);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.err.contains("it has no such item"), "{ran:?}");
    let empty = GnomeKeyring::without_collection();
    let world = World::new();
    let ran = run(&world, empty.address(), &SET);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.err.contains("no default collection"), "{ran:?}");
    assert!(!world.state().join("secrets.enc").exists());
}
