//! How much of main's credentials another agent sees.

use crate::support::issuer::Account;
use serde_json::{Value, json};

use crate::support::{Ran, World, millis_from_now};

const FILE: &str = "agents/work/agent/auth-inherit.json";

/// Main has two accounts, and an order of its own; work has a third.
fn world() -> World {
    let world = World::new();
    world.add_agent("work");
    let key = |key| json!({ "type": "api_key", "provider": "groq", "key": key });
    let main = json!({
        "version": 1,
        "profiles": { "groq:a": key("key-a"), "groq:b": key("key-b") },
        "order": { "groq": ["groq:b", "groq:a"] },
    });
    world.write("agents/main/agent/auth-profiles.json", &main.to_string());
    let own = json!({ "version": 1, "profiles": { "groq:own": key("key-own") } });
    world.write("agents/work/agent/auth-profiles.json", &own.to_string());
    world
}

fn inherit(world: &World, args: &[&str]) -> Ran {
    let mut all = vec!["agents", "inherit", "work"];
    all.extend(args);
    world.run(&all)
}

fn seen(world: &World) -> Vec<String> {
    let ran = world.run(&["models", "auth", "list", "--json", "--agent", "work"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    let profiles = document["profiles"].as_array().unwrap();
    let names = profiles.iter().map(|profile| profile["id"].as_str());
    names.map(|name| name.unwrap().to_owned()).collect()
}

fn token(world: &World) -> Ran {
    world.run(&[
        "models",
        "auth",
        "token",
        "--provider",
        "groq",
        "--agent",
        "work",
    ])
}

fn status(world: &World) -> Value {
    let ran = world.run(&["models", "status", "--json", "--agent", "work"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn an_agent_sees_what_it_is_let_see() {
    let world = world();
    assert_eq!(seen(&world), ["groq:a", "groq:b", "groq:own"]);
    assert_eq!(token(&world).out, "key-b\n");

    assert_eq!(inherit(&world, &["--mode", "isolated"]).code, 0);
    assert_eq!(seen(&world), ["groq:own"]);
    assert_eq!(token(&world).out, "key-own\n");
    let hidden = [
        "models",
        "auth",
        "token",
        "--profile",
        "groq:a",
        "--agent",
        "work",
    ];
    assert_eq!(world.run(&hidden).code, 1);

    assert_eq!(inherit(&world, &["--link", "groq:a"]).code, 0);
    assert_eq!(seen(&world), ["groq:a", "groq:own"]);
    // What is left of main's order.
    assert_eq!(token(&world).out, "key-a\n");

    assert_eq!(inherit(&world, &["--mode", "inherit"]).code, 0);
    assert_eq!(seen(&world), ["groq:a", "groq:b", "groq:own"]);
    assert!(!world.state().join(FILE).exists());
}

#[test]
fn status_says_whose_file_each_profile_lies_in() {
    let world = world();
    assert_eq!(inherit(&world, &["--link", "groq:a"]).code, 0);
    let status = &status(&world)["openclaw"];
    let linked = json!({ "mode": "linked", "profiles": ["groq:a"] });
    assert_eq!(status["inheritance"], linked);
    let file = |agent: &str| {
        let path = format!("agents/{agent}/agent/auth-profiles.json");
        json!(world.state().join(path))
    };
    let profiles = status["profiles"].as_array().unwrap();
    let owners = profiles.iter().map(|p| (&p["profileId"], &p["ownerFile"]));
    let (main, own) = (file("main"), file("work"));
    let expected = [(&json!("groq:a"), &main), (&json!("groq:own"), &own)];
    assert_eq!(owners.collect::<Vec<_>>(), expected);
    let text = world.run(&["models", "status", "--agent", "work"]).out;
    assert!(text.contains("groq:a from main"), "{text}");
}

#[test]
fn a_linked_login_is_refreshed_where_it_lies() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.add_agent("work");
    world.seed(&issuer, "main", -10);
    assert_eq!(inherit(&world, &["--link", "openai-codex:default"]).code, 0);
    let args = ["models", "auth", "token", "--agent", "work"];
    let ran = world.run(&args);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.out.trim_end(), world.only_profile()["access"]);
    assert_eq!(issuer.token_requests().len(), 1);
    assert!(
        !world
            .state()
            .join("agents/work/agent/auth-profiles.json")
            .exists()
    );
}

#[test]
fn an_agent_that_was_cut_off_sees_nothing_more_because_of_a_slip() {
    let world = world();
    for slip in ["", "{", r#"{"version":1,"mode":"isolatd"}"#] {
        world.write(FILE, slip);
        let ran = token(&world);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
        assert!(
            ran.err
                .contains("openclaw agents inherit work --mode isolated")
        );
        assert_eq!(world.read(FILE), slip);
        let ran = world.run(&["doctor"]);
        assert!(
            ran.out.contains("does not define what this agent inherits"),
            "{ran:?}"
        );
    }
    let ran = world.run(&["agents", "inherit", "work", "--mode", "isolated"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(token(&world).out, "key-own\n");
}

#[test]
fn a_link_that_leads_nowhere_is_told() {
    let world = world();
    let ran = inherit(&world, &["--link", "groq:c"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("main has no profile groq:c"), "{ran:?}");
    assert_eq!(inherit(&world, &["--link", "groq:a"]).code, 0);
    let logout = [
        "models", "auth", "logout", "groq:a", "--agent", "main", "--yes",
    ];
    assert_eq!(world.run(&logout).code, 0);
    let faults = status(&world)["openclaw"]["faults"].to_string();
    assert!(faults.contains("groq:a is linked"), "{faults}");
    assert_eq!(token(&world).out, "key-own\n");
}

#[test]
fn what_main_learnt_of_a_profile_goes_with_its_link() {
    let world = world();
    let mut main: Value = world.store();
    let until = millis_from_now(600);
    main["usageStats"] = json!({ "groq:a": { "cooldownUntil": until } });
    main.as_object_mut().unwrap().remove("order");
    world.write("agents/main/agent/auth-profiles.json", &main.to_string());
    assert_eq!(
        inherit(&world, &["--link", "groq:a", "--link", "groq:b"]).code,
        0
    );
    assert_eq!(token(&world).out, "key-b\n");
}
