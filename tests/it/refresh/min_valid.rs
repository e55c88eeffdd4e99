//! `--min-valid` and what is told of it: `token_other_server` among the transcripts has the warning.

use std::process::Child;

use serde_json::Value;

use crate::support::issuer::Account;
use crate::support::{Ran, World, millis_from_now, ran};

/// Whoever must act is told so; waiting would not help.
#[test]
fn a_token_that_ends_too_early_and_cannot_be_refreshed_needs_a_login() {
    let (world, _issuer) = World::with_issuer(Account::default());
    world.seed_with("main", 3_600, "access", "rt-that-nobody-issued");
    let args = ["models", "auth", "token", "--provider", "openai-codex"];
    let strict = [&args[..], &["--min-valid", "20d", "--strict"]].concat();
    // The second call knows from the journal.
    for _ in 0..2 {
        let ran = world.run(&strict);
        assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{ran:?}");
        let login = "Try: openclaw models auth login --provider openai-codex";
        assert!(ran.err.contains(login), "{ran:?}");
        assert!(ran.err.contains("--min-valid asks for 20d"), "{ran:?}");
    }
    let lax = world.run(&[&args[..], &["--min-valid", "20d"]].concat());
    assert_eq!(lax.code, 0, "{lax:?}");
}

#[test]
fn json_says_whether_the_token_is_valid_for_so_long() {
    let world = World::new();
    let store = serde_json::json!({ "version": 1, "profiles": {
        "anthropic:ends": { "type": "token", "provider": "anthropic", "token": "short",
            "expires": millis_from_now(3_600) },
        "openai:key": { "type": "api_key", "provider": "openai", "key": "endless" },
    } });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    for (profile, met) in [
        ("anthropic:ends", Value::Bool(true)),
        ("openai:key", Value::Null),
    ] {
        let args = ["models", "auth", "token", "--profile", profile, "--json"];
        let ran = world.run(&[&args[..], &["--min-valid", "30m", "--strict"]].concat());
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
        let document: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(document["minValidMet"], met, "{profile}");
    }
}

/// Each of them would spend a refresh token for a token that is no better.
#[test]
fn who_asks_for_more_than_the_provider_gives_gets_what_was_just_refreshed() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    let args = ["models", "auth", "token", "--provider", "openai-codex"];
    let args = [&args[..], &["--min-valid", "20d"]].concat();
    let children: Vec<_> = (0..8).map(|_| world.start(&args)).collect();
    let ended = children.into_iter().map(Child::wait_with_output);
    let mut all: Vec<Ran> = ended.map(|output| ran(output.unwrap())).collect();
    // One that comes when all the others are done.
    all.push(world.run(&args));
    let access = world.only_profile()["access"].as_str().unwrap().to_owned();
    for ran in all {
        assert_eq!((ran.code, ran.out.trim()), (0, &*access), "{ran:?}");
        assert!(ran.err.contains("--min-valid asks for 20d"), "{ran:?}");
    }
    assert_eq!(issuer.token_requests().len(), 1);
    let strict = world.run(&[&args[..], &["--strict"]].concat());
    assert_eq!((strict.code, &*strict.out), (4, ""), "{strict:?}");
}

/// What it has left is more than half of what a new one has.
#[test]
fn who_always_asks_for_more_than_the_provider_gives_has_it_refreshed_twice_in_a_life() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    let args = ["models", "auth", "token", "--provider", "openai-codex"];
    let args = [&args[..], &["--min-valid", "20d", "--json"]].concat();
    let mut refreshes = 0;
    for (passed, left, is_refreshed) in
        [(0, -10, true), (1_000, 2_600, false), (2_000, 1_600, true)]
    {
        world.age_grants(passed);
        let store = "agents/main/agent/auth-profiles.json";
        let mut document = world.store();
        document["profiles"]["openai-codex:default"]["expires"] = millis_from_now(left).into();
        world.write(store, &document.to_string());
        let ran = world.run(&args);
        assert_eq!(ran.code, 0, "{ran:?}");
        let told: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(told["refreshed"], is_refreshed, "{told}");
        refreshes += usize::from(is_refreshed);
        assert_eq!(issuer.token_requests().len(), refreshes, "{passed}");
    }
}
