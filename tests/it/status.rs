//! `models status --json` and its exit codes against what the reference release recorded.

use serde_json::Value;

use crate::support::World;
use crate::support::recorded::{moved, recording, world};

fn run(world: &World, env: &[(String, String)], args: &[&str]) -> crate::support::Ran {
    let mut command = world.command(args);
    command.envs(env.iter().map(|(key, value)| (key, value)));
    crate::support::ran(command.output().unwrap())
}

/// Places as the recordings write them, times that run on taken out, and what we add.
fn comparable(mut document: Value, world: &World) -> String {
    document.as_object_mut().unwrap().remove("openclaw");
    let text = serde_json::to_string_pretty(&document).unwrap();
    let text = text.replace(&world.state().display().to_string(), "<state>");
    let lines = text
        .lines()
        .map(|line| match line.split_once("\"remainingMs\":") {
            Some((indent, _)) => format!("{indent}\"remainingMs\": …"),
            None => line.to_owned(),
        });
    lines.collect::<Vec<_>>().join("\n")
}

/// Stores whose whole answer is the reference's. The others differ on purpose: short secrets are
/// masked (`env-keys`, `legacy-auth-json`), a `${VAR}` that is not set is no reason to refuse
/// (`refs`).
const EQUAL: [&str; 16] = [
    "api-key",
    "configured",
    "cooldown",
    "empty",
    "inherit",
    "legacy-oauth-json",
    "not-json",
    "oauth-expired",
    "oauth-expiring",
    "oauth-ok",
    "one-bad-profile",
    "token-expired",
    "token-expiring",
    "token-static",
    "two-accounts",
    "unknown-fields",
];

#[test]
fn the_document_is_the_references_key_for_key() {
    for store in EQUAL {
        let (world, env, shift) = world(store);
        let ran = run(&world, &env, &["models", "status", "--json"]);
        let ours: Value = serde_json::from_str(&ran.out).unwrap();
        let theirs = moved(&recording(store, "status-json")["json"], shift);
        assert_eq!(
            comparable(ours, &world),
            comparable(theirs, &world),
            "{store}: {}",
            ran.err
        );
    }
}

#[test]
fn the_document_of_a_named_agent_is_the_references() {
    let (world, env, shift) = world("inherit");
    let ran = run(
        &world,
        &env,
        &["models", "status", "--json", "--agent", "work"],
    );
    let ours: Value = serde_json::from_str(&ran.out).unwrap();
    let theirs = moved(&recording("inherit", "status-json-work")["json"], shift);
    assert_eq!(comparable(ours, &world), comparable(theirs, &world));
}

#[test]
fn the_exit_codes_are_the_references() {
    for store in EQUAL.iter().chain(&["env-keys", "legacy-auth-json"]) {
        let (world, env, _) = world(store);
        let ran = run(&world, &env, &["models", "status", "--check"]);
        let theirs = recording(store, "status-check")["exit"].as_i64().unwrap();
        assert_eq!(i64::from(ran.code), theirs, "{store}: {ran:?}");
    }
}

#[test]
fn short_secrets_are_masked_where_the_reference_printed_them() {
    let (world, env, _) = world("env-keys");
    for args in [&["models", "status"][..], &["models", "status", "--json"]] {
        let ran = run(&world, &env, args);
        for (name, secret) in &env {
            assert!(ran.out.contains(name.as_str()), "{ran:?}");
            assert!(!ran.out.contains(secret.as_str()), "{name} is shown whole");
        }
    }
}

#[test]
fn reading_writes_nothing() {
    for store in EQUAL {
        let (world, env, _) = world(store);
        let before = snapshot(&world);
        for args in [
            &["models", "status"][..],
            &["models", "auth", "list"],
            &["agents", "list"],
        ] {
            run(&world, &env, args);
        }
        assert_eq!(snapshot(&world), before, "{store}");
    }
}

fn snapshot(world: &World) -> Vec<(String, Vec<u8>)> {
    fn walk(directory: &std::path::Path, found: &mut Vec<(String, Vec<u8>)>) {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, found);
            } else {
                found.push((path.display().to_string(), std::fs::read(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(&world.state(), &mut found);
    found.sort();
    found
}
