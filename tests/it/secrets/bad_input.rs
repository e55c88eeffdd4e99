//! What is damaged, unknown or locked while something else goes on: the exit code, the sentence, and
//! that every byte stays.

use fs2::FileExt as _;

use super::{SEAL, key_file, set, with_passphrase};
use crate::login::at_a_terminal::{at_terminal, ends_with};
use crate::support::issuer::{Account, Issuer};
use crate::support::{Ran, World};

const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";

/// A sealed store with a login that ends in so many seconds, and an API key.
fn sealed(left: i64) -> (World, Issuer) {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", left);
    let paste = ["models", "auth", "paste-api-key", "--provider", "groq"];
    let ran = world.pipe(&paste, "gsk_MARKER0123456789abcdef0123456789");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(world.run(&SEAL).code, 0);
    (world, issuer)
}

fn token(world: &World, profile: &str) -> Ran {
    world.run(&["models", "auth", "token", "--profile", profile])
}

#[test]
fn a_seal_that_was_damaged_or_moved_stops_its_own_profile_alone() {
    let (world, issuer) = sealed(-10);
    let whole = world.store();
    let mut damaged = whole.clone();
    let data = &mut damaged["profiles"]["openai-codex:default"]["sealed"]["data"];
    let text = data.as_str().unwrap();
    *data = text.chars().rev().collect::<String>().into();
    let mut swapped = whole.clone();
    let other = whole["profiles"]["groq:manual"]["sealed"].clone();
    swapped["profiles"]["openai-codex:default"]["sealed"] = other;
    for store in [damaged, swapped] {
        let text = store.to_string();
        world.write(DOCUMENT, &text);
        let ran = token(&world, "openai-codex:default");
        assert_eq!((ran.code, ran.out.as_str()), (5, ""), "{ran:?}");
        assert!(ran.err.contains("its seal does not open"), "{ran:?}");
        let ran = token(&world, "groq:manual");
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(world.read(DOCUMENT), text);
    }
    assert_eq!(issuer.token_requests().len(), 0);
}

#[test]
fn a_tick_without_the_key_sends_nothing_and_says_so() {
    let (world, issuer) = sealed(-10);
    std::fs::remove_file(key_file(&world)).unwrap();
    let before = world.read(DOCUMENT);
    let ran = world.run(&["tick", "--no-spread"]);
    assert_eq!(ran.code, 5, "{ran:?}");
    let said = format!("{}{}", ran.out, ran.err);
    assert!(said.contains("openai-codex:default"), "{ran:?}");
    assert!(said.contains("no key opens the secrets"), "{ran:?}");
    assert_eq!(issuer.token_requests().len(), 0);
    assert_eq!(world.read(DOCUMENT), before);
}

#[test]
fn an_unknown_store_is_refused_before_anything_is_made() {
    let world = World::new();
    for store in ["nonsense", "keyring", ""] {
        let ran = world.run(&["secrets", "migrate", "--to", store]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains("encrypted_file"), "{ran:?}");
    }
    let ran = world.run(&["secrets", "migrate", "--to", "env"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("`env` stores nothing"), "{ran:?}");
    assert!(!world.state().join("secrets.enc").exists());
}

#[test]
fn ctrl_c_where_a_passphrase_is_asked_for_changes_nothing() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    let seal = [&SEAL[..], &["--passphrase", "--new-passphrase-fd", "3"]];
    assert_eq!(
        with_passphrase(&world, &seal.concat(), "correct horse").code,
        0
    );
    let _ = world.run(&["secrets", "lock"]);
    let before = (world.read(DOCUMENT), world.read("secrets.enc"));
    let login = ["models", "auth", "token", "--provider", "openai-codex"];
    let mut session = at_terminal(&world, &login);
    session.exp_string("Passphrase of the secrets").unwrap();
    session.send_control('c').unwrap();
    session.exp_eof().unwrap();
    ends_with(&session, 130);
    assert_eq!((world.read(DOCUMENT), world.read("secrets.enc")), before);
    assert_eq!(issuer.token_requests().len(), 0);
}

#[test]
#[ignore = "waits as long as a lock may be held"]
fn while_another_process_changes_the_key_a_command_waits_and_then_says_so() {
    let world = World::new();
    set(&world, "A", "one");
    let lock = world.state().join("locks/openclaw-rs/secrets.lock");
    let lock = std::fs::File::options().write(true).open(lock).unwrap();
    lock.lock_exclusive().unwrap();
    let before = world.read("secrets.enc");
    for args in [&["secrets", "rotate"][..], &["secrets", "remove", "A"]] {
        let ran = world.run(args);
        assert_eq!(ran.code, 6, "{ran:?}");
        assert!(ran.err.contains("lock"), "{ran:?}");
    }
    assert_eq!(world.read("secrets.enc"), before);
}
