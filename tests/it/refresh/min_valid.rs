//! `--min-valid` beyond what the provider issues: told, and with `--strict` an error.

use serde_json::Value;

use crate::support::issuer::{Account, Issuer};
use crate::support::{World, millis_from_now};

fn world() -> (World, Issuer) {
    let (world, issuer) = World::with_issuer(Account::default());
    let store = serde_json::json!({ "version": 1, "profiles": {
        "anthropic:ends": { "type": "token", "provider": "anthropic", "token": "short",
            "expires": millis_from_now(3_600_000) },
        "openai:key": { "type": "api_key", "provider": "openai", "key": "endless" },
    } });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    (world, issuer)
}

fn token(world: &World, profile: &str, more: &[&str]) -> crate::support::Ran {
    let args = [
        "models",
        "auth",
        "token",
        "--profile",
        profile,
        "--min-valid",
    ];
    world.run(&[&args[..], more].concat())
}

#[test]
fn a_token_that_falls_short_is_printed_with_a_warning() {
    let (world, _issuer) = world();
    let ran = token(&world, "anthropic:ends", &["30m"]);
    assert_eq!(
        (ran.code, ran.out.as_str(), ran.err.as_str()),
        (0, "short\n", "")
    );
    let ran = token(&world, "anthropic:ends", &["20d"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "short\n"), "{ran:?}");
    assert!(ran.err.contains("--min-valid asks for 20d"), "{ran:?}");
    for (profile, least, met) in [
        ("anthropic:ends", "30m", Value::Bool(true)),
        ("anthropic:ends", "20d", Value::Bool(false)),
        ("openai:key", "20d", Value::Null),
    ] {
        let ran = token(&world, profile, &[least, "--json"]);
        let document: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(document["minValidMet"], met, "{profile} {least}");
    }
}

#[test]
fn a_token_that_falls_short_is_an_error_where_that_is_asked_for() {
    let (world, _issuer) = world();
    let ran = token(&world, "anthropic:ends", &["20d", "--strict"]);
    assert_eq!((ran.code, ran.out.as_str()), (4, ""), "{ran:?}");
    assert!(ran.err.contains("--min-valid asks for 20d"), "{ran:?}");
    let ran = token(&world, "anthropic:ends", &["30m", "--strict"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "short\n"), "{ran:?}");
}
