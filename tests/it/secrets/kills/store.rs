//! `secrets migrate` in each direction and `secrets rotate`, killed before each of their system calls:
//! the login is whole at every moment, a second run completes the first, and then nothing lies in the
//! clear that is sealed.

use std::process::{Command, Stdio};

use serde_json::Value;

use super::{each, killed_at, names_of, under};
use crate::secrets::{SEAL, assert_nowhere, get, set};
use crate::support::World;
use crate::support::issuer::Account;

const CONNECT: &[&str] = &[
    "secrets",
    "migrate",
    "--to",
    "encrypted_file",
    "--no-recovery",
    "--openclaw",
];
const UNSEAL: &[&str] = &["secrets", "migrate", "--to", "plain"];
const ROTATE: &[&str] = &["secrets", "rotate"];
const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];

/// A world with a login, what it held before, and, sealed by a command, a secret; and the tokens.
fn world(sealed_by: Option<&[&str]>) -> (World, [String; 2]) {
    let (world, issuer) = World::with_issuer(Account::default());
    let (access, refresh) = world.seed(&issuer, "main", 3_600);
    let key = "sk-MARKER-0123456789abcdef0123456789abcdef";
    let paste = ["models", "auth", "paste-api-key", "--provider", "openai"];
    for key in [key, &key.replace("sk-", "sk-again-")] {
        let ran = world.pipe(&paste, key);
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    if let Some(seal) = sealed_by {
        set(&world, "A", "MARKER one");
        let ran = world.run(seal);
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    (world, [access, refresh])
}

fn traced(world: &World, args: &[&str], options: &[&str]) -> bool {
    let mut strace: Command = under(&world.command(args), options);
    strace.stdin(Stdio::null());
    strace.status().unwrap().success()
}

fn assert_whole(world: &World, access: &str, call: &(String, usize)) {
    let ran = world.run(&TOKEN);
    assert_eq!(ran.out.trim_end(), access, "{call:?} {ran:?}");
    let key = world.run(&["models", "auth", "token", "--provider", "openai"]);
    assert!(key.out.contains("sk-again-MARKER"), "{call:?} {key:?}");
    // OpenClaw would take it out.
    let key = &world.store()["profiles"]["openai:default"];
    assert!(
        key["keyRef"].is_null() || key["key"] == "",
        "{call:?} {key}"
    );
}

/// The profile of the key.
fn key_of(world: &World) -> Value {
    let store = world.store();
    let mut all = store["profiles"].as_object().unwrap().values();
    let key = all.find(|profile| profile["provider"] == "openai");
    key.unwrap().clone()
}

/// Whether OpenClaw is told of this program, and all of it.
fn is_connected(world: &World) -> bool {
    let config = world.state().join("openclaw.json");
    let config = std::fs::read_to_string(config).unwrap_or_default();
    let has_program = config.contains("openclaw-vault");
    let key = key_of(world);
    assert_eq!(has_program, key["keyRef"].is_object(), "{config} {key}");
    has_program
}

/// Kills it there; whether it got that far.
fn kill(args: &[&str], sealed_by: Option<&[&str]>, call: &(String, usize)) -> bool {
    let (world, [access, refresh]) = world(sealed_by);
    let ended = killed_at(call, &|options| traced(&world, args, options));
    assert_whole(&world, &access, call);
    if args == ROTATE {
        // Nothing was ever in the clear.
        for text in [&access, &refresh, "MARKER"] {
            assert_nowhere(&world, text);
        }
    }
    let again = world.run(args);
    assert_eq!(again.code, 0, "{call:?} {again:?}");
    assert_whole(&world, &access, call);
    if args != UNSEAL {
        for text in [&access, &refresh, "MARKER"] {
            assert_nowhere(&world, text);
        }
    }
    assert_eq!(is_connected(&world), args == CONNECT, "{call:?}");
    if sealed_by.is_some() {
        assert_eq!(get(&world, "A").out, "MARKER one", "{call:?}");
    }
    !ended
}

fn every_call(args: &'static [&'static str], sealed_by: Option<&'static [&'static str]>) {
    let (first, _) = world(sealed_by);
    let log = first.directory.path().join("log");
    let options = ["-o", log.to_str().unwrap(), "-s", "0"];
    assert!(traced(&first, args, &options));
    let calls = names_of(&std::fs::read_to_string(log).unwrap());
    each(&calls, &|call| kill(args, sealed_by, call));
}

#[test]
#[ignore = "needs strace, and a minute"]
fn a_store_that_is_being_sealed_is_whole_at_every_moment() {
    every_call(&SEAL, None);
    every_call(CONNECT, None);
}

#[test]
#[ignore = "needs strace, and a minute"]
fn a_store_that_is_being_unsealed_is_whole_at_every_moment() {
    every_call(UNSEAL, Some(&SEAL));
    every_call(UNSEAL, Some(CONNECT));
}

#[test]
#[ignore = "needs strace, and a minute"]
fn a_key_that_is_being_turned_over_opens_everything_at_every_moment() {
    every_call(ROTATE, Some(&SEAL));
}
