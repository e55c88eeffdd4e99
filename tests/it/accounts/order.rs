//! `models auth order`: the per-agent order, in the shape of the reference release.

use serde_json::{Value, json};

use crate::support::recorded::{self, moved, recording_of, stores};
use crate::support::{Ran, World, setup_token};

const MAIN: &str = "agents/main/agent/auth-profiles.json";
const WORK: &str = "agents/work/agent/auth-profiles.json";
const STATE: &str = "agents/main/agent/auth-state.json";
const RELEASES: [&str; 2] = ["feb", "may"];

fn order(world: &World, args: &[&str]) -> Ran {
    let mut all = vec!["models", "auth", "order"];
    all.extend(args);
    world.run(&all)
}

/// A world of a recording. The later release keeps the order in a file of its own, which the
/// recorded stores do not have yet.
fn world(release: &str, store: &str) -> (World, i64) {
    let (world, _, shift) = recorded::world(store);
    if release == "may" {
        world.write(STATE, r#"{ "version": 1 }"#);
    }
    (world, shift)
}

fn comparable(tree: &Value, world: &World) -> String {
    let text = serde_json::to_string_pretty(tree).unwrap();
    text.replace(&world.state().display().to_string(), "<state>")
}

fn told(ran: &Ran) -> Value {
    assert_eq!(ran.code, 0, "{ran:?}");
    serde_json::from_str(&ran.out).unwrap()
}

/// Main's two accounts of anthropic, one key of another provider, and an agent that has nothing.
fn two_agents() -> World {
    let world = World::new();
    let token = |token: &str| json!({ "type": "token", "provider": "anthropic", "token": token });
    let store = json!({
        "version": 1,
        "profiles": {
            "anthropic:a": token("token-a"),
            "anthropic:b": token("token-b"),
            "openai:x": { "type": "api_key", "provider": "openai", "key": "key-x" },
        },
    });
    world.write(MAIN, &store.to_string());
    world.add_agent("work");
    world
}

fn work(world: &World) -> Value {
    serde_json::from_str(&world.read(WORK)).unwrap()
}

fn token(world: &World, args: &[&str]) -> Ran {
    let mut all = vec!["models", "auth", "token", "--provider", "anthropic"];
    all.extend(args);
    world.run(&all)
}

#[test]
fn order_get_answers_as_the_releases_do() {
    for release in RELEASES {
        for store in stores() {
            for (file, provider) in [
                ("order-get-anthropic", "anthropic"),
                ("order-get-codex", "openai-codex"),
            ] {
                let Some(theirs) = recording_of(release, &store, file) else {
                    assert_ne!(provider, "anthropic", "{release} {store}");
                    continue;
                };
                let (world, _) = world(release, &store);
                let ran = order(&world, &["get", "--provider", provider, "--json"]);
                if store == "not-json" {
                    // What cannot be read is not taken for empty.
                    assert_eq!(ran.code, 5, "{ran:?}");
                    continue;
                }
                let ours = comparable(&told(&ran), &world);
                assert_eq!(
                    ours,
                    comparable(&theirs["json"], &world),
                    "{release} {store}"
                );
            }
        }
    }
}

#[test]
fn order_set_writes_what_the_releases_write() {
    for release in RELEASES {
        let (world, shift) = world(release, "two-accounts");
        let theirs = recording_of(release, "two-accounts", "order-set-anthropic").unwrap();
        let args = [
            "set",
            "--provider",
            "anthropic",
            "anthropic:default",
            "anthropic:work",
        ];
        let ran = order(&world, &args);
        assert_eq!(ran.code, 0, "{ran:?}");
        let files = theirs["files_changed"].as_object().unwrap();
        for (path, file) in files {
            let file: Value = serde_json::from_str(file["text"].as_str().unwrap()).unwrap();
            let ours: Value = serde_json::from_str(&world.read(path)).unwrap();
            assert_eq!(ours, moved(&file, shift), "{release} {path}");
        }
        let now = told(&order(
            &world,
            &["get", "--provider", "anthropic", "--json"],
        ));
        assert_eq!(now["order"], json!(["anthropic:default", "anthropic:work"]));
    }
}

#[test]
fn order_clear_without_an_order_succeeds_and_writes_nothing() {
    for release in RELEASES {
        let theirs = recording_of(release, "configured", "order-clear").unwrap();
        let (world, _) = world(release, "configured");
        let before = [MAIN, "openclaw.json"].map(|path| world.read(path));
        let ran = order(&world, &["clear", "--provider", "anthropic"]);
        assert_eq!(Value::from(ran.code), theirs["exit"], "{ran:?}");
        assert_eq!([MAIN, "openclaw.json"].map(|path| world.read(path)), before);
    }
    let empty = World::new();
    assert_eq!(order(&empty, &["clear", "--provider", "anthropic"]).code, 0);
    assert!(
        !empty.state().exists(),
        "clearing nothing made a state directory"
    );
}

#[test]
fn an_order_of_inherited_profiles_is_all_that_the_agent_gets() {
    let world = two_agents();
    let main = world.read(MAIN);
    let args = ["--agent", "work", "--provider", "anthropic"];
    let set = [
        &["set", "anthropic:b", "anthropic:a", "anthropic:b"][..],
        &args,
    ]
    .concat();
    let ran = order(&world, &set);
    assert_eq!(ran.code, 0, "{ran:?}");
    let expected = json!({
        "version": 1, "profiles": {}, "order": { "anthropic": ["anthropic:b", "anthropic:a"] },
    });
    assert_eq!(work(&world), expected);
    assert_eq!(world.read(MAIN), main);
    // It outlives the next write of that document.
    let paste = [
        "models",
        "auth",
        "paste-token",
        "--agent",
        "work",
        "--provider",
        "groq",
    ];
    assert_eq!(world.pipe(&paste, "another-token").code, 0);
    assert_eq!(work(&world)["order"], expected["order"]);
    assert_eq!(token(&world, &["--agent", "work"]).out, "token-b\n");
    assert_eq!(token(&world, &["--agent", "main"]).out, "token-a\n");
    let ran = order(&world, &[&["clear"][..], &args].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(work(&world)["order"], Value::Null);
    assert_eq!(token(&world, &["--agent", "work"]).out, "token-a\n");
}

#[test]
fn mains_order_shows_through_and_is_not_cleared_for_it() {
    let world = two_agents();
    let set = ["set", "--provider", "anthropic", "anthropic:b"];
    assert_eq!(order(&world, &set).code, 0);
    let main = world.read(MAIN);
    let args = ["--agent", "work", "--provider", "anthropic"];
    let get = [&["get", "--json"][..], &args].concat();
    assert_eq!(told(&order(&world, &get))["order"], json!(["anthropic:b"]));
    assert_eq!(order(&world, &[&["clear"][..], &args].concat()).code, 0);
    assert_eq!(world.read(MAIN), main);
    assert!(!world.state().join(WORK).exists());
    assert_eq!(told(&order(&world, &get))["order"], json!(["anthropic:b"]));
}

#[test]
fn whatever_a_provider_is_called_it_has_one_order() {
    let world = World::new();
    let key = json!({ "type": "api_key", "provider": "z-ai", "key": "key-z" });
    let store = json!({
        "version": 1,
        "profiles": { "zai:a": key, "zai:b": key },
        "order": { "Z.AI": ["zai:b"], "more": ["x"] },
    });
    world.write(MAIN, &store.to_string());
    let get = ["get", "--provider", "zai", "--json"];
    let shown = told(&order(&world, &get));
    assert_eq!(
        (&shown["provider"], &shown["order"]),
        (&json!("zai"), &json!(["zai:b"]))
    );
    let ran = order(&world, &["set", "--provider", "z-ai", "zai:a"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(
        world.store()["order"],
        json!({ "zai": ["zai:a"], "more": ["x"] })
    );
    assert_eq!(order(&world, &["clear", "--provider", "Z.AI"]).code, 0);
    assert_eq!(world.store()["order"], json!({ "more": ["x"] }));
}

#[test]
fn what_cannot_be_in_an_order_changes_nothing() {
    let world = two_agents();
    let before = world.read(MAIN);
    for args in [
        &[
            "set",
            "--provider",
            "anthropic",
            "anthropic:a",
            "anthropic:nobody",
        ][..],
        &["set", "--provider", "anthropic", "anthropic:a", "openai:x"],
        &["set", "--provider", "anthropic"],
        &["set", "--provider", "anthropic", " "],
        &["set", "anthropic:a"],
        &[
            "set",
            "--provider",
            "anthropic",
            "anthropic:a",
            "--agent",
            "nobody",
        ],
        &["get", "--provider", "anthropic", "--agent", "nobody"],
        &["clear", "--provider", "anthropic", "--agent", "nobody"],
    ] {
        let ran = order(&world, args);
        assert_eq!(ran.code, 1, "{args:?} {ran:?}");
        assert_eq!(world.read(MAIN), before);
    }
    assert!(!world.state().join("agents/nobody").exists());
}

/// Pastes a token of anthropic under a name.
fn paste(world: &World, agent: &str, profile: &str, token: &str) -> Ran {
    let args = ["models", "auth", "paste-token", "--provider", "anthropic"];
    let args = [&args[..], &["--profile-id", profile, "--agent", agent]].concat();
    let ran = world.pipe(&args, token);
    assert_eq!(ran.code, 0, "{ran:?}");
    ran
}

#[test]
fn a_new_login_is_first_in_the_order_of_its_agent() {
    for (path, key) in [(MAIN, "anthropic"), (STATE, "Anthropic")] {
        let world = two_agents();
        let order = json!({ key: ["anthropic:b", "anthropic:gone"] });
        let mut tree: Value = match path {
            MAIN => serde_json::from_str(&world.read(MAIN)).unwrap(),
            _ => json!({ "version": 1 }),
        };
        tree["order"] = order;
        world.write(path, &tree.to_string());
        let new = setup_token();
        let ran = paste(&world, "main", "anthropic:new", &new);
        let said = "anthropic:new is now first in the order for anthropic";
        assert!(ran.err.contains(said) || ran.out.contains(said), "{ran:?}");
        let tree: Value = serde_json::from_str(&world.read(path)).unwrap();
        let all = ["anthropic:new", "anthropic:b", "anthropic:gone"];
        assert_eq!(tree["order"], json!({ "anthropic": all }));
        assert_eq!(token(&world, &[]).out.trim(), new);
        // Again: nothing to change, and nothing to say.
        let ran = paste(&world, "main", "anthropic:new", &(new.clone() + "b"));
        assert!(
            !ran.err.contains(said) && !ran.out.contains(said),
            "{ran:?}"
        );
    }
}

#[test]
fn a_new_login_of_an_agent_overrides_the_order_that_it_inherits() {
    let world = two_agents();
    let set = ["set", "--provider", "anthropic", "anthropic:b"];
    assert_eq!(order(&world, &set).code, 0);
    let main = world.read(MAIN);
    let new = setup_token();
    paste(&world, "work", "anthropic:new", &new);
    let listed = json!({ "anthropic": ["anthropic:new", "anthropic:b"] });
    assert_eq!(work(&world)["order"], listed);
    assert_eq!(token(&world, &["--agent", "work"]).out.trim(), new);
    assert_eq!(world.read(MAIN), main);
}
