//! Times that a person reads are relative first, then local; JSON stays in UTC.

use serde_json::Value;

use crate::support::{Ran, World, ran};

#[test]
fn text_is_in_the_time_zone_of_the_variable_and_json_is_in_utc() {
    let world = World::new();
    // 2100-01-01 00:00 UTC.
    world.write(
        "agents/main/agent/auth-profiles.json",
        r#"{ "version": 1,
            "profiles": { "openai:a": { "type": "api_key", "provider": "openai", "key": "k" } },
            "usageStats": { "openai:a": { "cooldownUntil": 4102444800000 } } }"#,
    );
    let list = |zone: &str, options: &[&str]| {
        let args = [&["models", "auth", "list"], options].concat();
        let mut command = world.command(&args);
        ran(command.env("TZ", zone).output().unwrap()).out
    };
    for (zone, expected) in [
        ("UTC", " days, Fri 1 Jan 2100 00:00"),
        ("IST-5:30", " days, Fri 1 Jan 2100 05:30"),
        ("EST5", " days, Thu 31 Dec 2099 19:00"),
    ] {
        let text = list(zone, &[]);
        assert!(text.contains("cooldown ends in "), "{text}");
        assert!(text.contains(expected), "{zone}: {text}");
        let json = list(zone, &["--json"]);
        assert!(json.contains("\"2100-01-01T00:00:00.000Z\""), "{json}");
    }
}

/// A token that expired at 2020-01-01 20:00 UTC.
fn expired() -> World {
    let world = World::new();
    world.write(
        "agents/main/agent/auth-profiles.json",
        r#"{ "version": 1, "profiles": { "anthropic:a": { "type": "token",
            "provider": "anthropic", "token": "t", "expires": 1577908800000 } } }"#,
    );
    world
}

fn run_in(zone: &str, world: &World, args: &[&str]) -> Ran {
    ran(world.command(args).env("TZ", zone).output().unwrap())
}

#[test]
fn a_failure_tells_the_local_time_and_its_sentence_in_json_has_utc() {
    let world = expired();
    let token = ["models", "auth", "token", "--profile", "anthropic:a"];
    for (zone, expected) in [
        ("UTC", " days ago, Wed 1 Jan 2020 20:00"),
        ("IST-5:30", " days ago, Thu 2 Jan 2020 01:30"),
    ] {
        let ran = run_in(zone, &world, &token);
        assert!(ran.err.contains("anthropic:a expired "), "{}", ran.err);
        assert!(ran.err.contains(expected), "{zone}: {}", ran.err);
        let explain = ["models", "auth", "explain", "--profile", "anthropic:a"];
        let told = run_in(zone, &world, &explain)
            .out
            .replace("\n             ", " ");
        assert!(told.contains(expected), "{zone}: {told}");
        let json = run_in(zone, &world, &[&explain[..], &["--json"]].concat()).out;
        serde_json::from_str::<Value>(&json).unwrap();
        assert!(
            json.contains("expired at 2020-01-01T20:00:00.000Z"),
            "{json}"
        );
    }
}

#[test]
fn a_zone_that_is_none_is_utc() {
    let world = expired();
    for zone in ["", "Nowhere/Atall", ":::"] {
        let ran = run_in(
            zone,
            &world,
            &["models", "auth", "token", "--provider", "anthropic"],
        );
        assert_eq!(ran.code, 3, "{zone}: {}", ran.err);
    }
}
