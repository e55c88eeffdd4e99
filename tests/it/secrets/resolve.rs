//! `secrets resolve`: what a program gets that asks as OpenClaw asks, with nothing in its environment
//! but what its configuration passes on.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{assert_nowhere, set, with_passphrase};
use crate::support::{Ran, World, millis_from_now, ran};

/// What OpenClaw would write for these ids.
fn request(ids: &[&str]) -> String {
    json!({ "protocolVersion": 1, "provider": "openclaw-vault", "ids": ids }).to_string()
}

/// Asks as a later OpenClaw does: in the directory of the program, with `passEnv` alone.
fn ask(world: &World, text: &str) -> Ran {
    let program = Path::new(crate::support::program());
    let mut child = Command::new(program)
        .args(["secrets", "resolve"])
        .env_clear()
        .env("HOME", world.directory.path().join("home"))
        .env("OPENCLAW_STATE_DIR", world.state())
        .current_dir(program.parent().unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _ = child.stdin.take().unwrap().write_all(text.as_bytes());
    ran(child.wait_with_output().unwrap())
}

fn answer(world: &World, ids: &[&str]) -> Value {
    let ran = ask(world, &request(ids));
    assert_eq!(ran.code, 0, "{ran:?}");
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told["protocolVersion"], 1);
    let (values, errors) = (&told["values"], &told["errors"]);
    for id in ids {
        let is_value = values.get(id).is_some();
        assert_ne!(is_value, errors.get(id).is_some(), "{id}: {told}");
    }
    told
}

#[test]
fn keys_and_tokens_are_given_and_what_is_due_is_not() {
    let world = World::new();
    let (past, future) = (millis_from_now(-60), millis_from_now(600));
    let login = |expires| {
        json!({ "type": "oauth", "provider": "openai-codex", "access": "MARKER-access",
            "refresh": "MARKER-refresh", "expires": expires })
    };
    let to_us = json!({ "source": "exec", "provider": "openclaw-vault", "id": "main/z:ref" });
    let profiles = json!({
        "a:key": { "type": "api_key", "provider": "a", "key": " MARKER-key\n" },
        "b:token": { "type": "token", "provider": "b", "token": "MARKER-token" },
        "b:old": { "type": "token", "provider": "b", "token": "MARKER-old", "expires": past },
        "c:fresh": login(json!(future)),
        "c:due": login(json!(past)),
        "c:unknown": login(Value::Null),
        "y:odd": { "type": "api_key", "provider": "y", "key": "MARKER\nodd" },
        "z:ref": { "type": "api_key", "provider": "z", "key": "", "keyRef": to_us },
    });
    let store = json!({ "version": 1, "profiles": profiles });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    let ids = [
        "main/a:key",
        "main/a:key",
        "main/b:token",
        "main/b:old",
        "main/c:fresh",
        "main/c:due",
        "main/c:unknown",
        "main/y:odd",
        "main/z:ref",
        "main/none",
        "ghost/a:key",
        "Main/a:key",
        "a:key",
        "",
        "secret/NONE",
        "secret/../x",
    ];
    let told = answer(&world, &ids);
    assert_eq!(
        told["values"],
        json!({ "main/a:key": "MARKER-key", "main/b:token": "MARKER-token",
            "main/c:fresh": "MARKER-access" })
    );
    for (id, code) in [
        ("main/b:old", "EXPIRED"),
        ("main/c:due", "EXPIRED"),
        ("main/c:unknown", "EXPIRED"),
        ("main/y:odd", "UNAVAILABLE"),
        ("main/z:ref", "NOT_FOUND"),
        ("main/none", "NOT_FOUND"),
        ("ghost/a:key", "NOT_FOUND"),
        ("Main/a:key", "NOT_FOUND"),
        ("a:key", "NOT_FOUND"),
        ("", "NOT_FOUND"),
        ("secret/NONE", "NOT_FOUND"),
        ("secret/../x", "NOT_FOUND"),
    ] {
        assert_eq!(told["errors"][id]["code"], code, "{id}: {told}");
        let message = told["errors"][id]["message"].as_str().unwrap();
        assert!(!message.contains("MARKER"), "{message}");
    }
    assert!(!told.to_string().contains("MARKER-refresh"), "{told}");
}

#[test]
fn a_named_secret_is_given_and_lies_in_no_file() {
    let world = World::new();
    set(&world, "A", "MARKER-named");
    let told = answer(&world, &["secret/A"]);
    assert_eq!(told["values"]["secret/A"], "MARKER-named");
    assert_nowhere(&world, "MARKER-named");
}

#[test]
fn what_is_locked_is_said_to_be_so_and_the_rest_is_given() {
    let world = World::new();
    std::fs::write(world.directory.path().join("value"), "MARKER").unwrap();
    let set = "secrets set A --value-file value --passphrase --new-passphrase-fd 3";
    let set: Vec<&str> = set.split(' ').collect();
    assert_eq!(with_passphrase(&world, &set, "correct horse").code, 0);
    let _ = world.run(&["secrets", "lock"]);
    let key = json!({ "type": "api_key", "provider": "a", "key": "plain-key" });
    let store = json!({ "version": 1, "profiles": { "a:key": key } });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    let told = answer(&world, &["secret/A", "main/a:key"]);
    assert_eq!(told["errors"]["secret/A"]["code"], "LOCKED", "{told}");
    assert_eq!(told["values"]["main/a:key"], "plain-key");
    world.write("secrets.enc", "{");
    let told = answer(&world, &["secret/A"]);
    assert_eq!(told["errors"]["secret/A"]["code"], "UNAVAILABLE", "{told}");
}

#[test]
fn what_is_no_request_is_refused_and_not_repeated() {
    let world = World::new();
    for text in [
        "",
        "{",
        "MARKER",
        r#"{"protocolVersion":2,"provider":"MARKER","ids":[]}"#,
        r#"{"protocolVersion":1,"provider":"x"}"#,
        r#"{"protocolVersion":1,"provider":"x","ids":[1]}"#,
        &request(&[&"x".repeat(1 << 20)]),
    ] {
        let ran = ask(&world, text);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{text:.80} {ran:?}");
        assert!(!ran.err.contains("MARKER"), "{ran:?}");
    }
    assert_eq!(answer(&world, &[])["values"], json!({}));
}
