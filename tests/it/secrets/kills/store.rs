//! `secrets migrate` in each direction and `secrets rotate`, killed before each of their system calls:
//! the login is whole at every moment, a second run completes the first, and then nothing lies in the
//! clear that is sealed.

use std::process::{Command, Stdio};

use super::{each, names_of, under};
use crate::secrets::{assert_nowhere, get, set};
use crate::support::World;
use crate::support::issuer::Account;

const SEAL: &[&str] = &[
    "secrets",
    "migrate",
    "--to",
    "encrypted_file",
    "--no-recovery",
];
const UNSEAL: &[&str] = &["secrets", "migrate", "--to", "plain"];
const ROTATE: &[&str] = &["secrets", "rotate"];
const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];

/// A world with a login, what it held before, and a secret; and the tokens.
fn world(is_sealed: bool) -> (World, [String; 2]) {
    let (world, issuer) = World::with_issuer(Account::default());
    let (access, refresh) = world.seed(&issuer, "main", 3_600);
    let key = "sk-MARKER-0123456789abcdef0123456789abcdef";
    let paste = ["models", "auth", "paste-api-key", "--provider", "openai"];
    for key in [key, &key.replace("sk-", "sk-again-")] {
        let ran = world.pipe(&paste, key);
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    if is_sealed {
        set(&world, "A", "MARKER one");
        let ran = world.run(SEAL);
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
}

/// Kills it there; whether it got that far.
fn kill(args: &[&str], is_sealed: bool, call: &(String, usize)) -> bool {
    let (world, [access, refresh]) = world(is_sealed);
    let inject = format!("inject={}:signal=SIGKILL:when={}", call.0, call.1);
    let ended = traced(&world, args, &["-o", "/dev/null", "-e", &inject]);
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
    if is_sealed {
        assert_eq!(get(&world, "A").out, "MARKER one", "{call:?}");
    }
    !ended
}

fn every_call(args: &'static [&'static str], is_sealed: bool) {
    let (first, _) = world(is_sealed);
    let log = first.directory.path().join("log");
    let options = ["-o", log.to_str().unwrap(), "-s", "0"];
    assert!(traced(&first, args, &options));
    let calls = names_of(&std::fs::read_to_string(log).unwrap());
    each(&calls, &|call| kill(args, is_sealed, call));
}

#[test]
#[ignore = "needs strace, and a minute"]
fn a_store_that_is_being_sealed_is_whole_at_every_moment() {
    every_call(SEAL, false);
}

#[test]
#[ignore = "needs strace, and a minute"]
fn a_store_that_is_being_unsealed_is_whole_at_every_moment() {
    every_call(UNSEAL, true);
}

#[test]
#[ignore = "needs strace, and a minute"]
fn a_key_that_is_being_turned_over_opens_everything_at_every_moment() {
    every_call(ROTATE, true);
}
