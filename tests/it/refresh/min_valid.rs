//! `--min-valid` and what is told of it: `token_other_server` among the transcripts has the warning.

use serde_json::Value;

use crate::support::issuer::Account;
use crate::support::{World, millis_from_now};

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
