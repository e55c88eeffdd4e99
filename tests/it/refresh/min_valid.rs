//! `--min-valid` and what is told of it: `token_other_server` among the transcripts has the warning.

use serde_json::Value;

use crate::support::{World, millis_from_now};

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
