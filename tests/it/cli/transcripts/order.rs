//! `models auth order` and `models auth use`: what is tried first, and where.

use serde_json::{Value, json};

use super::Transcript;
use crate::support::{World, millis_from_now};

const MAIN: &str = "agents/main/agent/auth-profiles.json";
const ORDER: [&str; 3] = ["models", "auth", "order"];
const USE: [&str; 3] = ["models", "auth", "use"];
const OF: [&str; 2] = ["--provider", "anthropic"];

/// Three accounts of one provider and a key of another: one account has ended, one cools down.
pub(super) fn world() -> World {
    let world = World::new();
    let token = |token: &str, expires: Value| json!({ "type": "token", "provider": "anthropic", "token": token, "expires": expires });
    let store = json!({
        "version": 1,
        "profiles": {
            "anthropic:home": token("token-home", Value::Null),
            "anthropic:work": token("token-work", Value::Null),
            "anthropic:old": token("token-old", 1_609_459_200_000_i64.into()),
            "openai:default": { "type": "api_key", "provider": "openai", "key": "sk-x" },
        },
        "usageStats": { "anthropic:work": { "cooldownUntil": millis_from_now(3_600) } },
    });
    world.write(MAIN, &store.to_string());
    world.add_agent("work");
    world
}

fn order<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    [&ORDER[..], rest, &OF].concat()
}

fn in_use<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    [&USE[..], rest].concat()
}

#[test]
fn an_order_is_set_shown_and_cleared() {
    let world = world();
    Transcript::of(&world)
        .run(&order(&["get"]))
        .run(&order(&[
            "set",
            "anthropic:work",
            "anthropic:home",
            "anthropic:old",
        ]))
        .run(&order(&["get", "--json"]))
        .note("an agent without an order has main's")
        .run(&order(&["--agent", "work", "get"]))
        .run(&order(&["--agent", "work", "clear"]))
        .run(&order(&["--agent", "work", "set", "anthropic:home"]))
        .run(&order(&["--agent", "work", "clear"]))
        .run(&order(&["clear"]))
        .run(&order(&["clear"]))
        .matches("order");
}

#[test]
fn an_order_that_cannot_be_is_refused() {
    let world = world();
    Transcript::of(&world)
        .run(&order(&["set", "anthropic:nobody"]))
        .run(&order(&["set", "anthropic:home", "openai:default"]))
        .run(&order(&["set"]))
        .run(&[&ORDER[..], &["get"]].concat())
        .run(&order(&["--agent", "nobody", "set", "anthropic:home"]))
        .note("with a store that is no JSON")
        .also(|| world.write(MAIN, "{"))
        .run(&order(&["get"]))
        .run(&order(&["set", "anthropic:home"]))
        .matches("order_refused");
}

#[test]
fn use_puts_a_profile_first() {
    let world = world();
    Transcript::of(&world)
        .run(&in_use(&["--list"]))
        .run(&in_use(&["anthropic:work"]))
        .run(&in_use(&["openai:default"]))
        .run(&in_use(&["--agent", "work", "anthropic:home"]))
        .run(&in_use(&["--agent", "work", "--list"]))
        .run(&in_use(&["--list", "--json"]))
        .run(&in_use(&["--clear"]))
        .run(&in_use(&["--clear", "--provider", "openai"]))
        .run(&in_use(&["--clear"]))
        .run(&in_use(&["--clear"]))
        .run(&in_use(&["anthropic:nobody"]))
        .matches("use");
}

#[test]
fn use_binds_a_profile_to_a_directory() {
    let world = world();
    std::fs::create_dir(world.directory.path().join("p")).unwrap();
    Transcript::of(&world)
        .run(&in_use(&["anthropic:work", "--here"]))
        .run(&in_use(&["anthropic:home", "--here"]))
        .run(&in_use(&["openai:default", "--dir", "p"]))
        .run(&in_use(&["--list"]))
        .note("the order of the agent counts less here")
        .run(&in_use(&["anthropic:work"]))
        .run(&in_use(&["--clear", "--here"]))
        .run(&in_use(&["--clear", "--here"]))
        .run(&in_use(&["anthropic:home", "--dir", "nowhere"]))
        .run(&in_use(&["--here"]))
        .note("with a file of bindings that is broken")
        .also(|| world.write("directories.json", "{ \"version\": 1"))
        .run(&in_use(&["--list"]))
        .run(&in_use(&["anthropic:home", "--here"]))
        .run(&["models", "auth", "token", "--provider", "anthropic"])
        .note("with one of a later release")
        .also(|| world.write("directories.json", r#"{ "version": 2, "directories": {} }"#))
        .run(&in_use(&["--list"]))
        .matches("use_directory");
}
