//! SecretRefs: a secret that lies in a variable, a file, a program or the vault is fetched where it is
//! handed out, and nowhere else; one that cannot be had is the failure of who refers to it.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::{SEAL, assert_nowhere, set, with_passphrase};
use crate::support::{Ran, World, millis_from_now, ran};

const KEY: &str = "MARKER-key-0123456789";

/// A profile of minimax whose key is this reference, before one that has its own; and what the
/// configuration says of `secrets.providers`.
fn world(reference: &Value, providers: &Value) -> World {
    let world = World::new();
    let profiles = json!({
        "minimax:ref": { "type": "api_key", "provider": "minimax", "keyRef": reference },
        "minimax:own": { "type": "api_key", "provider": "minimax", "key": "mm-another-account" },
    });
    let order = json!({ "minimax": ["minimax:ref", "minimax:own"] });
    let store = json!({ "version": 1, "profiles": profiles, "order": order });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    configure(&world, providers);
    world
}

fn configure(world: &World, providers: &Value) {
    let config = json!({ "secrets": { "providers": providers } });
    world.write("openclaw.json", &config.to_string());
}

fn reference(place: &str, provider: &str, id: &str) -> Value {
    json!({ "source": place, "provider": provider, "id": id })
}

fn token(world: &World) -> Ran {
    world.run(&["models", "auth", "token", "--provider", "minimax"])
}

/// Fails unless the token is refused with this code and these words, and no other account is used.
fn refused(world: &World, code: i32, words: &str) {
    let ran = token(world);
    assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{words}: {ran:?}");
    assert!(ran.err.contains("minimax:ref refers to"), "{ran:?}");
    assert!(ran.err.contains(words), "{words}: {ran:?}");
    assert!(!ran.err.contains("MARKER"), "{ran:?}");
}

/// A program beside the state directory, and the provider `p` that runs it.
fn program(world: &World, script: &str) -> Value {
    let path = world.install("bin/secrets", &format!("#!/bin/sh\n{script}\n"));
    json!({ "p": { "source": "exec", "command": path, "args": ["a b"], "passEnv": ["PASSED"],
        "env": { "GIVEN": "given" } } })
}

fn file(world: &World, text: &str) -> PathBuf {
    let path = world.directory.path().join("secrets.json");
    let _ = std::fs::remove_file(&path);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    path
}

#[test]
fn a_variable_is_read_if_the_provider_allows_it() {
    let world = world(&reference("env", "default", "MY_KEY"), &json!({}));
    refused(&world, 1, "the variable is not set");
    let with = |value: &str| {
        let mut command = world.command(&["models", "auth", "token", "--provider", "minimax"]);
        ran(command.env("MY_KEY", value).output().unwrap())
    };
    let ran = with(KEY);
    assert_eq!((ran.code, ran.out.trim_end()), (0, KEY), "{ran:?}");
    let own = json!({ "default": { "source": "env", "allowlist": ["OTHER"] } });
    configure(&world, &own);
    let ran = with(KEY);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
    assert!(ran.err.contains("allowlist"), "{ran:?}");
}

#[test]
fn a_file_is_read_if_nobody_else_can_read_it() {
    let world = world(&reference("file", "f", "/a~1b/0"), &json!({}));
    refused(&world, 1, "secrets.providers.f is not configured");
    let path = file(&world, &json!({ "a/b": [KEY], "n": 1 }).to_string());
    configure(&world, &json!({ "f": { "source": "file", "path": path } }));
    assert_eq!(token(&world).out.trim_end(), KEY);
    for (text, code, words) in [
        ("{}", 5, "has nothing at that id"),
        (r#"{"a/b": [1]}"#, 5, "has no text at that id"),
        ("[]", 5, "is not an object of JSON"),
        ("MARKER", 5, "is not an object of JSON"),
        (r#"{"a/b": [" "]}"#, 1, "it is empty"),
        (r#"{"a/b": ["MARKER\nodd"]}"#, 1, "no header may hold"),
    ] {
        file(&world, text);
        refused(&world, code, words);
    }
    file(&world, &" ".repeat((1 << 20) + 1));
    refused(&world, 5, "it is longer than 1048576 bytes");
    let path = file(&world, "{}");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o640)).unwrap();
    refused(&world, 5, "is open to other users (mode 0640)");
    let path = file(&world, "{}");
    let second = path.with_file_name("second");
    std::fs::hard_link(&path, &second).unwrap();
    refused(&world, 5, "is one of several names of a file");
    std::fs::remove_file(&second).unwrap();
    std::fs::remove_file(&path).unwrap();
    refused(&world, 5, "is not there");
    let whole = json!({ "f": { "source": "file", "path": path, "mode": "singleValue" } });
    configure(&world, &whole);
    file(&world, KEY);
    refused(&world, 1, "whose id is \"value\"");
}

#[test]
fn a_file_with_one_secret_is_that_secret() {
    let world = world(&reference("file", "f", "value"), &json!({}));
    let path = file(&world, &format!("{KEY}\r\n"));
    configure(
        &world,
        &json!({ "f": { "source": "file", "path": path, "mode": "singleValue" } }),
    );
    assert_eq!(token(&world).out.trim_end(), KEY);
    configure(
        &world,
        &json!({ "f": { "source": "file", "path": "secrets.json" } }),
    );
    refused(&world, 1, "the path secrets.json is not absolute");
}

#[test]
fn a_program_is_asked_once_with_what_is_passed_and_nothing_else() {
    let world = world(&reference("exec", "p", "a/b:c"), &json!({}));
    let script = r#"request=$(cat)
[ "$request" = '{"protocolVersion":1,"provider":"p","ids":["a/b:c"]}' ] || exit 9
[ "$#-$1-$(pwd)-$GIVEN-$PASSED-$HOME-$OPENCLAW_STATE_DIR" = "1-a b-/-given-passed--" ] || exit 8
echo asked >> "${0%/*}/../calls"
printf '{"protocolVersion":1,"values":{"a/b:c":"MARKER-key-0123456789"}}'"#;
    configure(&world, &program(&world, script));
    let mut command = world.command(&["models", "auth", "token", "--provider", "minimax"]);
    let ran = ran(command.env("PASSED", "passed").output().unwrap());
    assert_eq!((ran.code, ran.out.trim_end()), (0, KEY), "{ran:?}");
    let calls = || std::fs::read_to_string(world.directory.path().join("calls")).unwrap();
    assert_eq!(calls(), "asked\n");
    // What only looks starts nothing, and shows where the secret lies.
    for args in [
        &["models", "status"][..],
        &["models", "status", "--json"],
        &["models", "auth", "list"],
        &["models", "auth", "explain", "--provider", "minimax"],
        &["tick"],
    ] {
        let ran = world.run(args);
        assert_eq!(ran.code, 0, "{args:?} {ran:?}");
        assert!(!ran.out.contains("MARKER"), "{ran:?}");
    }
    assert!(
        world
            .run(&["models", "status", "--json"])
            .out
            .contains("ref(exec:a/b:c)")
    );
    assert_eq!(calls(), "asked\n");
    // Nothing of it is written, also where the document is.
    let paste = ["models", "auth", "paste-api-key", "--provider", "groq"];
    assert_eq!(world.pipe(&paste, "gsk_0123456789abcdef0123456789").code, 0);
    let stored = world.store();
    assert_eq!(stored["profiles"]["minimax:ref"]["keyRef"]["id"], "a/b:c");
    assert!(!stored.to_string().contains("MARKER"), "{stored}");
}

#[test]
fn a_program_that_fails_is_named_and_its_words_are_not_repeated() {
    let world = world(&reference("exec", "p", "x"), &json!({}));
    let answer = |more: &str| format!("echo '{{\"protocolVersion\":1,\"values\":{{}}{more}}}'");
    let error = |code: &str| answer(&format!(",\"errors\":{{\"x\":{code}}}"));
    for (script, code, words) in [
        (
            "echo MARKER >&2; exit 3".to_owned(),
            5,
            "failed with exit status: 3",
        ),
        ("kill -9 $$".to_owned(), 5, "signal: 9"),
        ("true".to_owned(), 5, "answered nothing"),
        (
            "echo MARKER".to_owned(),
            5,
            "answered no response of exec protocol 1",
        ),
        (
            "echo '{\"values\":{\"x\":\"MARKER\"}}'".to_owned(),
            5,
            "no response of exec protocol 1",
        ),
        (answer(""), 5, "left that id out of its answer"),
        (
            error("{\"code\":\"NOT_FOUND\"}"),
            5,
            "has no such secret (NOT_FOUND)",
        ),
        (
            error("{\"message\":\"MARKER\",\"code\":\"marker MARKER\"}"),
            5,
            "has no such secret\n",
        ),
        (error("{\"code\":\"LOCKED\"}"), 3, "says that it is locked"),
        (
            "head -c 2000000 /dev/zero".to_owned(),
            5,
            "answered more than 1048576 bytes",
        ),
    ] {
        configure(&world, &program(&world, &script));
        let ran = token(&world);
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (code, ""),
            "{script}: {ran:?}"
        );
        assert!(ran.err.contains(words.trim_end()), "{script}: {ran:?}");
        assert!(!ran.err.contains("MARKER"), "{ran:?}");
    }
    let mut slow = program(&world, "trap '' TERM; sleep 100000 & wait; wait");
    slow["p"]["timeoutMs"] = json!(200);
    configure(&world, &slow);
    refused(&world, 5, "gave no answer within 0.2 s");
}

#[test]
fn a_program_that_others_could_have_put_there_is_not_run() {
    let world = world(&reference("exec", "p", "x"), &json!({}));
    let called = "touch \"${0%/*}/../called\"";
    let mut provider = program(&world, called);
    let path = world.directory.path().join("bin/secrets");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o757)).unwrap();
    configure(&world, &provider);
    refused(&world, 5, "writable by other users");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    let link = path.with_file_name("link");
    std::os::unix::fs::symlink("secrets", &link).unwrap();
    provider["p"]["command"] = json!(link);
    configure(&world, &provider);
    refused(&world, 1, "is a symbolic link");
    provider["p"]["command"] = json!(path);
    provider["p"]["trustedDirs"] = json!(["/usr/bin"]);
    configure(&world, &provider);
    refused(&world, 1, "lies in none of trustedDirs");
    provider["p"]["command"] = json!("bin/secrets");
    configure(&world, &provider);
    refused(&world, 1, "is not absolute");
    configure(&world, &json!({ "p": { "source": "exec" } }));
    refused(&world, 1, "secrets.providers.p cannot be understood");
    configure(&world, &json!({ "p": { "source": "env" } }));
    refused(&world, 1, "secrets.providers.p is one of another source");
    assert!(!world.directory.path().join("called").exists());
}

#[test]
fn a_stored_secret_is_read_and_a_locked_one_is_no_missing_one() {
    let world = world(&reference("store", "default", "MY_KEY"), &json!({}));
    refused(&world, 1, "no secret of that name is stored");
    set(&world, "MY_KEY", KEY);
    assert_eq!(token(&world).out.trim_end(), KEY);
    let add = [
        "secrets",
        "slot",
        "add",
        "--passphrase",
        "--new-passphrase-fd",
        "3",
    ];
    assert_eq!(with_passphrase(&world, &add, "correct horse").code, 0);
    std::fs::remove_dir_all(world.directory.path().join("home/.config")).unwrap();
    let _ = world.run(&["secrets", "lock"]);
    refused(&world, 3, "locked");
    assert_eq!(world.run(&["models", "status"]).code, 0);
}

#[test]
fn a_reference_that_is_none_stops_at_its_profile() {
    for (reference, words) in [
        (reference("vault", "p", "x"), "needs a source"),
        (reference("exec", "P", "x"), "names a provider that is none"),
        (reference("exec", "p", "../x"), "has an id that no secret"),
        (json!({}), "needs a source"),
    ] {
        refused(&world(&reference, &json!({})), 1, words);
    }
}

#[test]
fn a_token_that_has_expired_is_not_fetched() {
    let world = World::new();
    let entry = json!({ "type": "token", "provider": "anthropic", "expires": millis_from_now(-60),
        "tokenRef": reference("env", "default", "MY_TOKEN") });
    let store = json!({ "version": 1, "profiles": { "anthropic:ref": entry } });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    let mut command = world.command(&["models", "auth", "token", "--profile", "anthropic:ref"]);
    let ran = ran(command.env("MY_TOKEN", KEY).output().unwrap());
    assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{ran:?}");
}

#[test]
fn the_key_of_the_configuration_may_be_a_reference() {
    let world = World::new();
    let providers = program(&world, "printf %s MARKER-key-0123456789");
    let configure = |json_only: bool| {
        let mut providers = providers.clone();
        providers["p"]["jsonOnly"] = json!(json_only);
        let key = json!({ "minimax": { "apiKey": reference("exec", "p", "x") } });
        let config =
            json!({ "models": { "providers": key }, "secrets": { "providers": providers } });
        world.write("openclaw.json", &config.to_string());
    };
    configure(false);
    let ran = token(&world);
    assert_eq!((ran.code, ran.out.trim_end()), (0, KEY), "{ran:?}");
    let looked = world.run(&["models", "status"]);
    assert!(
        looked.code == 0 && !looked.out.contains("MARKER"),
        "{looked:?}"
    );
    configure(true);
    let ran = token(&world);
    assert_eq!((ran.code, ran.out.as_str()), (5, ""), "{ran:?}");
    let words = "models.providers.minimax.apiKey refers to the secret exec:p:x";
    assert!(ran.err.contains(words), "{ran:?}");
}

#[test]
fn this_program_answers_its_own_references_and_ends() {
    let world = world(&reference("exec", "v", "secret/MY_KEY"), &json!({}));
    let program = crate::support::program();
    let vault = json!({ "v": { "source": "exec", "command": program, "jsonOnly": true,
        "args": ["secrets", "resolve"], "passEnv": ["HOME", "OPENCLAW_STATE_DIR"] } });
    configure(&world, &vault);
    refused(&world, 5, "has no such secret (NOT_FOUND)");
    set(&world, "MY_KEY", KEY);
    assert_eq!(token(&world).out.trim_end(), KEY);
    let mut store = world.store();
    store["profiles"]["minimax:ref"]["keyRef"] = reference("exec", "v", "main/minimax:ref");
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    refused(&world, 5, "has no such secret (NOT_FOUND)");
}

#[test]
fn what_is_sealed_in_a_profile_counts_before_its_reference_to_this_program() {
    let own = reference("exec", "v", "main/minimax:ref");
    let world = world(&own, &json!({}));
    let mut store = world.store();
    store["profiles"]["minimax:ref"]["key"] = json!(KEY);
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    let migrated = world.run(&SEAL);
    assert_eq!(migrated.code, 0, "{migrated:?}");
    let sealed = world.store();
    let profile = &sealed["profiles"]["minimax:ref"];
    assert!(
        profile["sealed"].is_object() && profile["key"] == "",
        "{sealed}"
    );
    // Its provider is not even configured.
    assert_eq!(token(&world).out.trim_end(), KEY);
    let ask = json!({ "protocolVersion": 1, "provider": "v", "ids": ["main/minimax:ref"] });
    let ran = world.pipe(&["secrets", "resolve"], &ask.to_string());
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told["values"]["main/minimax:ref"], KEY, "{told}");
    assert_eq!(world.store()["profiles"]["minimax:ref"]["keyRef"], own);
    assert_nowhere(&world, KEY);
}
