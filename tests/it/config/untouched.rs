//! `openclaw.json` after a login or a paste: not touched at all, byte for byte and in its times, unless
//! OpenClaw would not use the new profile otherwise. OpenClaw gives up its own change of the file if
//! somebody has changed it.

use std::fs;
use std::os::unix::fs::MetadataExt;

use serde_json::{Value, json};

use crate::support::{World, setup_token};

const CONFIG: &str = "openclaw.json";
const STORE: &str = "agents/main/agent/auth-profiles.json";
const OTHER: &str = "anthropic:other";

fn paste(world: &World, id: &str) {
    let args = [
        "models",
        "auth",
        "paste-token",
        "--provider",
        "anthropic",
        "--profile-id",
        id,
    ];
    let ran = world.pipe(&args, &setup_token());
    assert_eq!(ran.code, 0, "{ran:?}");
}

/// What tells whether somebody has written the file.
fn stamp(world: &World) -> (u64, i64, i64, Vec<u8>) {
    let path = world.state().join(CONFIG);
    let data = fs::metadata(&path).unwrap();
    (
        data.ino(),
        data.mtime(),
        data.mtime_nsec(),
        fs::read(path).unwrap(),
    )
}

fn backups(world: &World) -> usize {
    let names = fs::read_dir(world.state()).unwrap().flatten();
    names
        .filter(|entry| entry.file_name().to_string_lossy().contains(".bak"))
        .count()
}

/// A world with this configuration, and a document with another profile and these orders.
fn world(config: &str, order: &Value) -> World {
    let world = World::new();
    world.write(CONFIG, config);
    let store = json!({ "version": 1, "order": order, "profiles": {
        OTHER: { "type": "token", "provider": "anthropic", "token": "t" },
    } });
    world.write(STORE, &store.to_string());
    world
}

fn is_used(world: &World, id: &str) {
    let args = [
        "models",
        "auth",
        "explain",
        "--provider",
        "anthropic",
        "--json",
    ];
    let ran = world.run(&args);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    let text = told.to_string();
    assert!(text.contains(id), "{text}");
    let ran = world.run(&["models", "auth", "use", id]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn a_configuration_that_need_not_change_is_not_touched() {
    let named =
        r#"{ auth: { profiles: { 'anthropic:new': { provider: "anthropic", mode: 'token' } } } }"#;
    for (config, order) in [
        // It says nothing of accounts.
        ("// mine\n{ gateway: {port: 1,},\n\n}", json!({})),
        // It speaks of another provider.
        (
            r#"{auth:{profiles:{"openai:x":{provider:"openai",mode:"api_key"}},order:{openai:["openai:x"]}}}"#,
            json!({}),
        ),
        // It names the profile already, in other quotes, or as one that may hold a token.
        (named, json!({})),
        (
            r#"{auth:{profiles:{"anthropic:new":{provider:"anthropic",mode:"oauth"}}}}"#,
            json!({}),
        ),
        (
            r#"{auth:{profiles:{"anthropic:new":{provider:"anthropic",mode:"token",email:"a@b.c"}}}}"#,
            json!({}),
        ),
        // The agent's own order goes before all that it says.
        (
            r#"{auth:{profiles:{"anthropic:other":{provider:"anthropic",mode:"token"}},order:{anthropic:["anthropic:other"]}}}"#,
            json!({ "anthropic": [OTHER] }),
        ),
        (
            r#"{"auth":{"order":{"anthropic":["anthropic:new"]},"profiles":{"anthropic:other":{"provider":"anthropic","mode":"token"}}}}"#,
            json!({}),
        ),
        // It is first in the order already.
        (
            r#"{auth:{order:{anthropic:['anthropic:new','anthropic:other']}}}"#,
            json!({}),
        ),
    ] {
        let world = world(config, &order);
        let before = stamp(&world);
        for _ in 0..2 {
            paste(&world, "anthropic:new");
            assert_eq!(stamp(&world), before, "{config}");
        }
        assert_eq!(backups(&world), 0, "{config}");
        is_used(&world, "anthropic:new");
    }
}

#[test]
fn a_configuration_that_would_hide_the_profile_names_it_once() {
    for (config, new) in [
        (
            r#"{"auth":{"profiles":{"anthropic:other":{"provider":"anthropic","mode":"token"}}}}"#,
            "/auth/profiles/anthropic:new",
        ),
        (
            r#"{"auth":{"order":{"anthropic":["anthropic:other"]}}}"#,
            "/auth/order/anthropic/1",
        ),
        (
            r#"{"auth":{"profiles":{"anthropic:new":{"provider":"anthropic","mode":"api_key"}}}}"#,
            "/auth/profiles/anthropic:new/mode",
        ),
    ] {
        let world = world(config, &json!({}));
        let before = stamp(&world);
        paste(&world, "anthropic:new");
        let after = stamp(&world);
        assert_ne!(after.3, before.3, "{config}");
        let text = world.read(CONFIG);
        let value: Value = serde_json::from_str(&text).unwrap();
        assert!(value.pointer(new).is_some(), "{text}");
        assert!(text.contains("anthropic:new"), "{text}");
        paste(&world, "anthropic:new");
        assert_eq!(stamp(&world), after, "written twice: {config}");
    }
}
