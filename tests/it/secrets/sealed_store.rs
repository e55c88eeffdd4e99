//! A state directory whose profiles are sealed: what the commands say and do, with the key and
//! without it, and the way there and back.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use super::{SEAL, assert_nowhere, key_file, with_passphrase};
use crate::support::issuer::{Account, Issuer};
use crate::support::{Ran, World, ran};

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];

fn done(world: &World, args: &[&str]) -> Ran {
    let ran = world.run(args);
    assert_eq!(ran.code, 0, "{args:?} {ran:?}");
    ran
}

/// A sealed store with a login that ends in so many seconds; its tokens.
fn sealed(left: i64) -> (World, Issuer, [String; 2]) {
    let (world, issuer) = World::with_issuer(Account::default());
    let (access, refresh) = world.seed(&issuer, "main", left);
    let told = done(&world, &SEAL);
    assert!(told.out.starts_with("1 profile sealed\n"), "{told:?}");
    (world, issuer, [access, refresh])
}

fn assert_sealed(world: &World, tokens: &[String]) {
    for token in tokens {
        assert_nowhere(world, token);
    }
}

#[test]
fn a_sealed_store_holds_no_token_in_the_clear_and_hands_them_out() {
    let (world, issuer, tokens) = sealed(3_600);
    assert_sealed(&world, &tokens);
    assert_eq!(done(&world, &TOKEN).out.trim_end(), tokens[0]);
    assert_eq!(issuer.token_requests().len(), 0);
    // Nothing else of the profile changed.
    let profile = &world.store()["profiles"]["openai-codex:default"];
    assert_eq!(profile["custom"], "keepme");
    assert_eq!(
        (&profile["access"], &profile["refresh"]),
        (&"".into(), &"".into())
    );
}

#[test]
fn views_say_without_the_key_what_is_sealed() {
    let (world, _issuer, _) = sealed(3_600);
    std::fs::remove_file(key_file(&world)).unwrap();
    let status = done(&world, &["models", "status"]);
    assert!(
        status.out.contains("auth-profiles.json (sealed)\n"),
        "{status:?}"
    );
    let explain = done(&world, &["models", "auth", "explain"]);
    assert!(
        explain.out.contains("auth-profiles.json, sealed\n"),
        "{explain:?}"
    );
    let document = |args: &[&str]| -> Value {
        let ran = done(&world, args);
        serde_json::from_str(&ran.out).unwrap()
    };
    let status = document(&["models", "status", "--json"]);
    assert_eq!(status["openclaw"]["profiles"][0]["sealed"], true);
    let args = [
        "models",
        "auth",
        "explain",
        "--provider",
        "openai-codex",
        "--json",
    ];
    let explain = document(&args);
    assert_eq!(explain["providers"][0]["candidates"][0]["sealed"], true);
    // A profile that another program added lies in the clear until our next write.
    let mut store = world.store();
    store["profiles"]["acme:key"] = json!({ "type": "api_key", "provider": "acme", "key": "k" });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    let status = done(&world, &["models", "status"]);
    assert!(
        status.out.contains("(1 of 2 profiles sealed)\n"),
        "{status:?}"
    );
}

#[test]
fn an_expired_login_is_refreshed_and_its_successor_sealed() {
    let (world, issuer, tokens) = sealed(-10);
    let fresh = done(&world, &TOKEN).out.trim_end().to_owned();
    assert_ne!(fresh, tokens[0]);
    assert_eq!(issuer.token_requests().len(), 1);
    let (_, refresh) = (done(&world, &TOKEN), issuer.token_requests());
    assert_eq!(refresh.len(), 1);
    assert_sealed(&world, &[tokens[0].clone(), tokens[1].clone(), fresh]);
}

#[test]
fn thirty_two_processes_on_a_sealed_login_make_one_request() {
    let (world, issuer, tokens) = sealed(-10);
    issuer.set_delay(Duration::from_millis(200));
    let child = |_| {
        let mut command = world.command(&TOKEN);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let children: Vec<_> = (0..32).map(child).collect();
    let runs = children.into_iter();
    let runs: Vec<_> = runs
        .map(|child| ran(child.wait_with_output().unwrap()))
        .collect();
    let same = |ran: &Ran| ran.code == 0 && ran.out == runs[0].out && !ran.out.is_empty();
    assert!(runs.iter().all(same), "{runs:?}");
    assert_eq!(issuer.token_requests().len(), 1);
    assert_sealed(&world, &tokens);
}

#[test]
fn without_the_key_views_work_and_nothing_is_sent_or_replaced() {
    let (world, issuer, tokens) = sealed(-10);
    std::fs::remove_file(key_file(&world)).unwrap();
    let before = world.read("agents/main/agent/auth-profiles.json");
    for args in [
        &["models", "status"][..],
        &["models", "status", "--json"],
        &["models", "auth", "list"],
        &["models", "auth", "explain", "--provider", "openai-codex"],
        &["models", "auth", "providers"],
        &["models", "auth", "history"],
        &["secrets", "status"],
    ] {
        let ran = done(&world, args);
        assert!(!ran.err.contains("no key opens"), "{args:?} {ran:?}");
    }
    let listed = done(&world, &["models", "auth", "list"]);
    assert!(listed.out.contains("sealed"), "{listed:?}");
    for args in [
        &TOKEN[..],
        &[
            "models",
            "auth",
            "refresh",
            "--profile",
            "openai-codex:default",
        ],
    ] {
        let ran = world.run(args);
        assert_eq!(ran.code, 5, "{args:?} {ran:?}");
        assert!(ran.err.contains("no key opens the secrets"), "{ran:?}");
    }
    let ran = world.pipe(
        &["models", "auth", "paste-api-key", "--provider", "openai"],
        "sk-MARKER-0123456789abcdef0123456789",
    );
    assert_eq!(ran.code, 5, "{ran:?}");
    assert_eq!(issuer.token_requests().len(), 0);
    assert_eq!(world.read("agents/main/agent/auth-profiles.json"), before);
    assert_sealed(&world, &tokens);
}

#[test]
fn a_locked_login_lets_no_other_account_through() {
    let (world, _, _) = sealed(3_600);
    std::fs::remove_file(key_file(&world)).unwrap();
    let mut command = world.command(&["models", "auth", "token", "--provider", "openai"]);
    let other = ran(command
        .env("OPENAI_API_KEY", "sk-test-0123456789abcdef")
        .output()
        .unwrap());
    // Another provider is none of its business.
    assert_eq!(other.code, 0, "{other:?}");
    let mut store = world.store();
    store["profiles"]["openai-codex:plain"] = serde_json::json!({
        "type": "token", "provider": "openai-codex", "token": "tok-0123456789abcdef-plain"
    });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    let ran = world.run(&TOKEN);
    assert_eq!((ran.code, ran.out.as_str()), (5, ""), "{ran:?}");
}

#[test]
fn a_store_is_plain_again_as_it_was() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", 3_600);
    let before = world.store();
    done(&world, &SEAL);
    assert_ne!(world.store(), before);
    let told = done(&world, &["secrets", "migrate", "--to", "plain"]);
    assert!(
        told.out.starts_with("1 profile stored in the clear"),
        "{told:?}"
    );
    assert_eq!(world.store(), before);
    // Again, and nothing changes.
    done(&world, &["secrets", "migrate", "--to", "plain"]);
    assert_eq!(world.store(), before);
}

#[test]
fn one_key_alone_is_refused_and_a_dry_run_changes_nothing() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", 3_600);
    let before = world.store();
    let ran = world.run(&SEAL[..4]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.err
            .contains("secrets migrate --to encrypted_file --passphrase"),
        "{ran:?}"
    );
    let dry = done(&world, &[&SEAL[..], &["--dry-run"]].concat());
    assert!(
        dry.out
            .contains("1 profile would be sealed; nothing was changed"),
        "{dry:?}"
    );
    assert_eq!(world.store(), before);
    assert!(!world.state().join("secrets.enc").exists());
}

#[test]
fn a_passphrase_opens_what_the_key_file_opened() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (access, _) = world.seed(&issuer, "main", 3_600);
    let args = [&SEAL[..4], &["--passphrase", "--new-passphrase-fd", "3"]].concat();
    let ran = with_passphrase(&world, &args, "correct horse");
    assert_eq!(ran.code, 0, "{ran:?}");
    // Again, and no slot is added twice.
    assert_eq!(with_passphrase(&world, &args, "correct horse").code, 0);
    let status = done(&world, &["secrets", "status", "--json"]);
    let status: Value = serde_json::from_str(&status.out).unwrap();
    assert_eq!(
        status["slots"].as_array().map(Vec::len),
        Some(2),
        "{status}"
    );
    let rotate = ["secrets", "rotate", "--passphrase-fd", "3"];
    let ran = with_passphrase(&world, &rotate, "wrong horse");
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.err.contains("the passphrase is wrong"), "{ran:?}");
    assert_eq!(with_passphrase(&world, &rotate, "correct horse").code, 0);
    std::fs::remove_file(key_file(&world)).unwrap();
    // Nobody is there to ask.
    let ran = world.run(&TOKEN);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.err.contains("secrets unlock"), "{ran:?}");
    let args = [
        "secrets",
        "migrate",
        "--to",
        "plain",
        "--passphrase-fd",
        "3",
    ];
    let ran = with_passphrase(&world, &args, "correct horse");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(done(&world, &TOKEN).out.trim_end(), access);
}

#[test]
fn a_new_key_opens_everything_and_the_old_one_nothing() {
    let (world, _, tokens) = sealed(3_600);
    let key = std::fs::read(key_file(&world)).unwrap();
    let old = world.read("secrets.enc");
    let told = done(&world, &["secrets", "rotate", "--json"]);
    let told: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(told["left"], serde_json::json!([]), "{told}");
    assert_eq!(
        std::fs::read(key_file(&world)).unwrap(),
        key,
        "the file wraps it"
    );
    assert_eq!(done(&world, &TOKEN).out.trim_end(), tokens[0]);
    assert_sealed(&world, &tokens);
    // A backup of the vault alone, with the key file, opens nothing of what is stored now.
    world.write("secrets.enc", &old);
    let ran = world.run(&TOKEN);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(ran.err.contains("its seal does not open"), "{ran:?}");
}

#[test]
fn what_an_agent_in_the_trash_held_is_sealed_too() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (access, refresh) = world.seed(&issuer, "work", 3_600);
    world.add_agent("work");
    done(&world, &["agents", "delete", "work", "--force"]);
    done(&world, &SEAL);
    assert_sealed(&world, &[access, refresh]);
}

#[test]
fn what_a_declaration_wants_sealed_is_not_stored_in_the_clear() {
    let world = World::new();
    let guide = crate::providers::declared_in_config::guide("authorization_code");
    world.write("config.yaml", &guide);
    let login = [
        "models",
        "auth",
        "login",
        "--provider",
        "codex",
        "--no-browser",
    ];
    let ran = world.run(&login);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("token_store: encrypted_file"), "{ran:?}");
    assert!(
        ran.err
            .contains("secrets migrate --to encrypted_file --passphrase"),
        "{ran:?}"
    );
    // The first secret of the guide brings the vault that it asks for, and seals what is there.
    let paste = ["models", "auth", "paste-api-key", "--provider", "openai"];
    let ran = world.pipe(&paste, "sk-MARKER-0123456789abcdef0123456789");
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = world.pipe(&["secrets", "set", "CODEX_CLIENT_ID"], "client-1");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_nowhere(&world, "MARKER");
    assert!(ran.out.contains("token_store: encrypted_file"), "{ran:?}");
    let status = done(&world, &["secrets", "status", "--json"]);
    let status: Value = serde_json::from_str(&status.out).unwrap();
    assert_eq!(status["store"], "encrypted_file");
    world.write(
        "config.yaml",
        &guide.replace("token_store: encrypted_file", "token_store: env"),
    );
    let ran = world.run(&login);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("token_store: env"), "{ran:?}");
}

#[test]
fn a_part_that_rightly_lies_in_the_clear_is_not_counted() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", 3_600);
    let paste = ["models", "auth", "paste-api-key", "--provider", "openai"];
    let ran = world.pipe(&paste, "sk-test-0123456789abcdef0123456789");
    assert_eq!(ran.code, 0, "{ran:?}");
    let part = [&SEAL[..], &["--seal", "refresh"]].concat();
    assert!(done(&world, &part).out.starts_with("1 profile sealed\n"));
    assert!(done(&world, &part).out.starts_with("0 profiles sealed\n"));
    let status = done(&world, &["secrets", "status"]);
    assert!(
        status.out.contains("Profiles: refresh tokens sealed"),
        "{status:?}"
    );
    assert!(done(&world, &SEAL).out.starts_with("2 profiles sealed\n"));
    assert!(done(&world, &part).out.starts_with("2 profiles sealed\n"));
}
