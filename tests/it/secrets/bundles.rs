//! Bundles: what goes to another machine, what comes out of them there, and what is said of those
//! that are none.

mod age;
mod bad_input;
mod interrupted;
mod moving;
mod returning;

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{SEAL, assert_nowhere, get, set, with_passphrase};
use crate::support::issuer::{Account, Issuer};
use crate::support::{Ran, World};

const PASSPHRASE: &str = "correct horse";
const KEY: &str = "sk-MARKER-0123456789abcdef0123456789abcdef";
const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];
const FILE: &str = "house.bundle";

/// Runs a command about a bundle with its passphrase.
fn bundle(world: &World, words: &[&str]) -> Ran {
    let args = [&["secrets"], words, &["--bundle-passphrase-fd", "3"]].concat();
    with_passphrase(world, &args, PASSPHRASE)
}

fn done(ran: Ran) -> Ran {
    assert_eq!(ran.code, 0, "{ran:?}");
    ran
}

fn export(world: &World) -> Ran {
    done(bundle(world, &["export", "--to", FILE]))
}

fn file(world: &World) -> PathBuf {
    world.directory.path().join(FILE)
}

/// A machine with a login, a key and a secret; the tokens of the login.
fn machine() -> (World, Issuer, [String; 2]) {
    let (world, issuer) = World::with_issuer(Account::default());
    let (access, refresh) = world.seed(&issuer, "main", 3_600);
    let paste = ["models", "auth", "paste-api-key", "--provider", "openai"];
    done(world.pipe(&paste, KEY));
    set(&world, "CLIENT_SECRET", "MARKER value");
    (world, issuer, [access, refresh])
}

/// Another machine that knows the same server, with the bundle of the first one.
fn other_machine(from: &World) -> World {
    let other = World::new();
    copy(from, &other);
    let providers = from.state().join("providers");
    for manifest in std::fs::read_dir(providers).unwrap().flatten() {
        let text = std::fs::read_to_string(manifest.path()).unwrap();
        let name = manifest.file_name().into_string().unwrap();
        other.write(&format!("providers/{name}"), &text);
    }
    other
}

fn copy(from: &World, to: &World) {
    let bytes = std::fs::read(file(from)).unwrap();
    write_private(&file(to), &bytes);
}

fn write_private(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(path, mode).unwrap();
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn a_copy_has_everything_but_the_refresh_token() {
    let (world, issuer, [access, refresh]) = machine();
    let told = export(&world);
    assert!(
        told.out.starts_with("Exported 2 profiles and 1 secret to "),
        "{told:?}"
    );
    assert!(
        told.err
            .contains("openai-codex:default of agent main goes without its refresh token"),
        "{told:?}"
    );
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(file(&world)).unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    let text = std::fs::read_to_string(file(&world)).unwrap();
    for secret in [&access, &refresh, "MARKER"] {
        assert!(!text.contains(secret));
    }
    let other = other_machine(&world);
    let told = done(bundle(&other, &["import", FILE]));
    assert!(
        told.out.starts_with("Imported 2 profiles and 1 secret\n"),
        "{told:?}"
    );
    assert!(
        told.err
            .contains("came without a refresh token: log in again when"),
        "{told:?}"
    );
    assert_eq!(other.run(&TOKEN).out.trim_end(), access);
    let key = done(other.run(&["models", "auth", "token", "--provider", "openai"]));
    assert_eq!(key.out.trim_end(), KEY);
    assert_eq!(get(&other, "CLIENT_SECRET").out, "MARKER value");
    assert_nowhere(&other, &refresh);
    let profile = &other.store()["profiles"]["openai-codex:default"];
    assert_eq!(
        (&profile["custom"], &profile["accountId"]),
        (&"keepme".into(), &"acct_1".into())
    );
    // The first one is as it was.
    assert_eq!(
        world.store()["profiles"]["openai-codex:default"]["refresh"],
        refresh.as_str()
    );
    assert_eq!(issuer.token_requests().len(), 0);
}

#[test]
fn a_copy_says_the_truth_about_itself_and_ends_with_its_access_token() {
    let (world, issuer, _) = machine();
    let text = world.store();
    export(&world);
    let other = other_machine(&world);
    done(bundle(&other, &["import", FILE]));
    let status = json(&done(other.run(&["models", "status", "--json"])));
    let shown = status.to_string();
    assert!(shown.contains("expiring"), "{shown}");
    let refused = other.run(&[
        "models",
        "auth",
        "refresh",
        "--profile",
        "openai-codex:default",
        "--force",
    ]);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(
        refused.err.contains("it has no refresh token"),
        "{refused:?}"
    );
    let mut store = other.store();
    store["profiles"]["openai-codex:default"]["expires"] =
        crate::support::millis_from_now(-60).into();
    other.write("agents/main/agent/auth-profiles.json", &store.to_string());
    let refused = other.run(&TOKEN);
    assert_eq!((refused.code, refused.out.as_str()), (3, ""), "{refused:?}");
    assert!(refused.err.contains("models auth login"), "{refused:?}");
    assert_eq!(issuer.token_requests().len(), 0);
    assert_eq!(world.store(), text);
}

#[test]
fn a_bundle_is_imported_once_and_by_halves_again() {
    let (world, _, [access, _]) = machine();
    export(&world);
    let other = other_machine(&world);
    // Something is in the way of the record, which is the last step.
    let ledger = other.state().join("bundles");
    std::os::unix::fs::symlink("nowhere/at/all", &ledger).unwrap();
    let stopped = bundle(&other, &["import", FILE]);
    assert_eq!(stopped.code, 5, "{stopped:?}");
    assert_eq!(other.run(&TOKEN).out.trim_end(), access);
    std::fs::remove_file(ledger).unwrap();
    let dry = done(bundle(&other, &["import", FILE, "--dry-run"]));
    assert!(
        dry.out
            .starts_with("Would import 0 profiles and 0 secrets\n"),
        "{dry:?}"
    );
    let again = done(bundle(&other, &["import", FILE]));
    assert!(
        again
            .out
            .contains("openai-codex:default of agent main: already here"),
        "{again:?}"
    );
    let before = other.store();
    let twice = bundle(&other, &["import", FILE]);
    assert_eq!(twice.code, 1, "{twice:?}");
    assert!(twice.err.contains("was imported here"), "{twice:?}");
    assert_eq!(other.store(), before);
}

#[test]
fn what_is_here_is_kept_unless_it_is_to_be_replaced() {
    let (world, issuer, [access, _]) = machine();
    export(&world);
    let other = other_machine(&world);
    let (mine, _) = other.seed(&issuer, "main", 7_200);
    let paste = ["models", "auth", "paste-api-key", "--provider", "openai"];
    done(other.pipe(&paste, "sk-mine-0123456789abcdef0123456789abcdef"));
    set(&other, "CLIENT_SECRET", "mine");
    let before = other.store();
    let kept = done(bundle(&other, &["import", FILE, "--json"]));
    let told = json(&kept);
    let actions: Vec<_> = told["profiles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| &row["action"])
        .collect();
    assert_eq!(actions, ["kept", "kept"], "{told}");
    assert_eq!(told["secrets"][0]["action"], "kept", "{told}");
    assert_eq!(other.store(), before);
    assert_eq!(get(&other, "CLIENT_SECRET").out, "mine");
    done(bundle(&other, &["import", FILE, "--force"]));
    assert_eq!(other.run(&TOKEN).out.trim_end(), access);
    assert_eq!(get(&other, "CLIENT_SECRET").out, "MARKER value");
    // What was replaced can be put back.
    done(other.run(&["models", "auth", "undo", "openai-codex:default"]));
    assert_eq!(other.run(&TOKEN).out.trim_end(), mine);
}

#[test]
fn a_sealed_store_gives_and_takes_a_bundle_and_nothing_lies_in_the_clear() {
    let (world, issuer, [access, refresh]) = machine();
    done(world.run(&SEAL));
    export(&world);
    let other = other_machine(&world);
    other.seed(&issuer, "work", 3_600);
    done(other.run(&SEAL));
    done(bundle(&other, &["import", FILE]));
    assert_eq!(done(other.run(&TOKEN)).out.trim_end(), access);
    for world in [&world, &other] {
        for secret in [&access, &refresh, KEY, "MARKER"] {
            assert_nowhere(world, secret);
        }
    }
    // Without the key nothing is written.
    std::fs::remove_file(super::key_file(&other)).unwrap();
    let before = other.store();
    let locked = bundle(&other, &["import", FILE, "--force"]);
    assert_eq!(locked.code, 5, "{locked:?}");
    assert_eq!(other.store(), before);
    std::fs::remove_file(super::key_file(&world)).unwrap();
    let locked = bundle(&world, &["export", "--to", "second"]);
    assert_eq!(locked.code, 5, "{locked:?}");
    assert!(!world.directory.path().join("second").exists());
}

#[test]
fn an_export_can_be_of_one_agent_or_one_profile() {
    let (world, issuer, _) = machine();
    world.seed(&issuer, "work", 3_600);
    world.add_agent("work");
    let told = done(world.run(&[
        "secrets",
        "export",
        "--to",
        FILE,
        "--agent",
        "work",
        "--dry-run",
        "--json",
    ]));
    let told = json(&told);
    assert_eq!(told["profiles"].as_array().map(Vec::len), Some(1), "{told}");
    assert_eq!(
        (&told["profiles"][0]["agentId"], &told["secrets"]),
        (&"work".into(), &Value::Array(vec![]))
    );
    assert!(!file(&world).exists());
    let told = done(bundle(
        &world,
        &["export", "--to", FILE, "--profile", "openai:manual"],
    ));
    assert!(
        told.out.starts_with("Exported 1 profile and 0 secrets to "),
        "{told:?}"
    );
    let missing = bundle(
        &world,
        &["export", "--to", "other", "--profile", "openai:none"],
    );
    assert_eq!(missing.code, 1, "{missing:?}");
    assert!(
        missing.err.contains("no such profile: openai:none"),
        "{missing:?}"
    );
}

#[test]
fn an_order_that_comes_along_takes_no_login_of_this_machine_out_of_use() {
    let (world, issuer, _) = machine();
    let mut store = world.store();
    store["order"] = serde_json::json!({ "openai-codex": ["openai-codex:default"] });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    export(&world);
    let other = other_machine(&world);
    let (access, refresh) = issuer.issue();
    other.seed_with("main", 3_600, &access, &refresh);
    let mut store = other.store();
    let mine = store["profiles"]["openai-codex:default"].take();
    store["profiles"] = serde_json::json!({ "openai-codex:mine": mine });
    other.write("agents/main/agent/auth-profiles.json", &store.to_string());
    done(bundle(&other, &["import", FILE]));
    let order = &other.store()["order"]["openai-codex"];
    let both = serde_json::json!(["openai-codex:mine", "openai-codex:default"]);
    assert_eq!(*order, both);
    assert_eq!(other.run(&TOKEN).out.trim_end(), access);
    // No profile goes to another agent than it came from, so none can be named.
    for verb in ["import", "take-back"] {
        let refused = bundle(&other, &[verb, FILE, "--agent", "work"]);
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.err.contains("leave out --agent"), "{refused:?}");
    }
}
