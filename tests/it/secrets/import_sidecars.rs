//! `secrets import --from-openclaw`: logins that OpenClaw 2026.5.12 kept in encrypted files.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{SEAL, assert_nowhere, set};
use crate::support::{Ran, World, millis_from_now, ran};

/// Encrypted for `openai-codex:default` with the key "a seed".
const SIDECAR: &str = include_str!("../../fixtures/sidecar/0123456789abcdef0123456789abcdef.json");
const ID: &str = "0123456789abcdef0123456789abcdef";
/// One that is not encrypted.
const PLAIN: &str = "f123456789abcdef0123456789abcdef";
const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";

fn profile(id: &str) -> Value {
    json!({
        "type": "oauth", "provider": "openai-codex", "expires": millis_from_now(3_600),
        "accountId": "acct_1", "custom": "keepme",
        "oauthRef": { "source": "openclaw-credentials", "provider": "openai-codex", "id": id },
    })
}

fn world() -> World {
    let world = World::new();
    let store = json!({ "version": 1, "profiles": {
        "openai-codex:default": profile(ID), "openai-codex:two": profile(PLAIN),
    } });
    world.write(DOCUMENT, &store.to_string());
    world.write(&format!("credentials/auth-profiles/{ID}.json"), SIDECAR);
    let plain = json!({
        "version": 1, "profileId": "openai-codex:two", "provider": "openai-codex",
        "access": "at-MARKER-two", "refresh": "rt-MARKER-two",
    });
    world.write(
        &format!("credentials/auth-profiles/{PLAIN}.json"),
        &plain.to_string(),
    );
    world
}

fn import(world: &World, seed: &str, more: &[&str]) -> Ran {
    let args = [&["secrets", "import", "--from-openclaw"], more].concat();
    let mut command = world.command(&args);
    ran(command
        .env("OPENCLAW_AUTH_PROFILE_SECRET_KEY", seed)
        .output()
        .unwrap())
}

fn token(world: &World, profile: &str) -> Ran {
    world.run(&["models", "auth", "token", "--profile", profile])
}

fn sidecar(world: &World) -> PathBuf {
    world
        .state()
        .join(format!("credentials/auth-profiles/{ID}.json"))
}

#[test]
fn the_tokens_go_into_the_profile_and_the_file_stays() {
    let world = world();
    assert_ne!(token(&world, "openai-codex:default").code, 0);
    let before = world.read(DOCUMENT);
    let dry = import(&world, "a seed", &["--dry-run"]);
    assert!(dry.out.starts_with("Would import 2 logins"), "{dry:?}");
    assert_eq!(world.read(DOCUMENT), before);
    let ran = import(&world, " a seed\n", &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.starts_with("Imported 2 logins"), "{ran:?}");
    assert!(!ran.out.contains("MARKER"), "{ran:?}");
    let told = token(&world, "openai-codex:default");
    assert_eq!(told.out, "at-MARKER-of-the-sidecar\n", "{told:?}");
    let stored = &world.store()["profiles"]["openai-codex:default"];
    assert_eq!(stored["refresh"], "rt-MARKER-of-the-sidecar");
    assert_eq!(
        (&stored["custom"], &stored["oauthRef"]),
        (&json!("keepme"), &Value::Null)
    );
    assert_eq!(std::fs::read_to_string(sidecar(&world)).unwrap(), SIDECAR);
    // Nothing is left to be rescued.
    let again = import(&world, "a seed", &[]);
    assert!(again.out.starts_with("No profile refers to"), "{again:?}");
}

#[test]
fn the_key_may_lie_in_the_file_of_that_release() {
    let world = world();
    let directory = world.directory.path().join("home/.config/openclaw");
    std::fs::create_dir_all(&directory).unwrap();
    let path = directory.join("auth-profile-secret-key");
    std::fs::write(&path, "a seed\n").unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    let ran = world.run(&["secrets", "import", "--from-openclaw"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(token(&world, "openai-codex:default").code, 0);
}

#[test]
fn what_does_not_open_is_told_and_the_others_are_rescued() {
    for (seed, why) in [("other", "does not open"), ("", "the key is not here")] {
        let world = world();
        let ran = import(&world, seed, &["--json"]);
        assert_eq!(ran.code, 5, "{ran:?}");
        assert!(ran.err.contains("1 login could not be rescued"), "{ran:?}");
        assert!(!ran.err.contains("No credentials were changed"), "{ran:?}");
        let told: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(told["profiles"][0]["action"], "refused");
        assert!(
            told["profiles"][0]["reason"]
                .as_str()
                .unwrap()
                .contains(why),
            "{told}"
        );
        assert_eq!(told["profiles"][1]["action"], "added");
        assert_eq!(token(&world, "openai-codex:two").out, "at-MARKER-two\n");
        let stored = &world.store()["profiles"]["openai-codex:default"];
        assert_eq!(stored["oauthRef"]["id"], ID);
    }
    let world = world();
    std::fs::remove_file(sidecar(&world)).unwrap();
    let ran = import(&world, "a seed", &[]);
    assert!(ran.code == 5 && ran.out.contains("is not there"), "{ran:?}");
}

#[test]
fn a_token_of_its_own_is_kept_unless_it_is_forced() {
    let world = world();
    let mut store = world.store();
    let profile = &mut store["profiles"]["openai-codex:default"];
    profile["access"] = "at-newer".into();
    profile["refresh"] = "rt-newer".into();
    world.write(DOCUMENT, &store.to_string());
    let ran = import(&world, "a seed", &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.out.contains("kept, because it has a token of its own"),
        "{ran:?}"
    );
    assert_eq!(token(&world, "openai-codex:default").out, "at-newer\n");
    assert_eq!(import(&world, "a seed", &["--force"]).code, 0);
    let told = token(&world, "openai-codex:default");
    assert_eq!(told.out, "at-MARKER-of-the-sidecar\n");
}

#[test]
fn in_a_sealed_store_they_are_sealed() {
    let world = world();
    set(&world, "A", "value");
    assert_eq!(world.run(&SEAL).code, 0);
    let ran = import(&world, "a seed", &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let told = token(&world, "openai-codex:default");
    assert_eq!(told.out, "at-MARKER-of-the-sidecar\n", "{told:?}");
    assert_nowhere(&world, "MARKER-of-the-sidecar");
}
