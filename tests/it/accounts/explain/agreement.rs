//! What is explained and what is done are the same: over the generated stores, whatever `explain`
//! says would be used is what `token` hands out, and what it says would fail fails so.

use std::sync::Arc;

use crate::support::issuer::{Account, Issuer};
use openclaw::sys::clock::SystemClock;
use serde_json::Value;

use crate::support::recorded::moved;
use crate::support::{World, millis_from_now};

/// Every so manyth store is tried.
const STEP: usize = 5;

/// What was handed out, or the words of the failure.
fn token(world: &World, whose: &[&str]) -> Result<String, String> {
    let ran = world.run(&[&["models", "auth", "token", "--json"], whose].concat());
    if ran.code == 0 {
        let token: Value = serde_json::from_str(&ran.out).unwrap();
        return Ok(token["profile"].as_str().unwrap().to_owned());
    }
    let line = ran
        .err
        .lines()
        .find_map(|line| line.strip_prefix("Error: "));
    Err(line.unwrap().to_owned())
}

/// What would be, and whether a provider would have to be asked before that is known.
fn explained(world: &World, whose: &[&str]) -> (Result<String, String>, bool) {
    let ran = world.run(&[&super::EXPLAIN, whose].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let explained = &report["providers"][0];
    let Some(used) = explained["used"].as_u64() else {
        let message = explained["failure"]["message"].as_str();
        return (Err(message.unwrap().to_owned()), false);
    };
    let row = &explained["candidates"][used as usize];
    assert_eq!(row["standing"], "used");
    let asks = row["then"]["code"] == "renewed-first";
    (Ok(row["profile"].as_str().unwrap().to_owned()), asks)
}

fn agree(world: &World, whose: &[&str], case: &Value) -> bool {
    let (foreseen, asks) = explained(world, whose);
    let done = token(world, whose);
    if !asks {
        assert_eq!(foreseen, done, "{whose:?} {case}");
        return false;
    }
    // The server refuses every login of the fixture, and the journal knows that now.
    let (foreseen, asks) = explained(world, whose);
    assert!(!asks, "{whose:?} {done:?} {foreseen:?} {case}");
    assert_eq!(foreseen, done, "{whose:?} {case}");
    assert_eq!(foreseen, token(world, whose), "{whose:?} {case}");
    true
}

#[test]
fn a_token_is_what_was_explained() {
    let issuer = Issuer::start(Account::default(), Arc::new(SystemClock::new())).unwrap();
    let path = format!("{}/tests/fixtures/orders.json", env!("CARGO_MANIFEST_DIR"));
    let fixture: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let shift = millis_from_now(0) - fixture["clock_ms"].as_i64().unwrap();
    let cases = fixture["cases"].as_array().unwrap();
    let (mut tried, mut refused, mut given) = (0, 0, 0);
    for case in cases.iter().step_by(STEP) {
        let world = World::new();
        for id in ["anthropic", "openai-codex", "qwen-portal"] {
            let text = issuer.manifest().replace("openai-codex", id);
            world.write(&format!("providers/{id}.toml"), &text);
        }
        // A secret of one letter would be hidden wherever that letter stands.
        let store = moved(&case["store"], shift).to_string();
        let store = store.replace(r#""refresh":"r""#, r#""refresh":"rt-of-the-fixture""#);
        world.write(super::MAIN, &store);
        world.write("openclaw.json", &case["config"].to_string());
        let provider = case["provider"].as_str().unwrap();
        refused += usize::from(agree(&world, &["--provider", provider], case));
        given += usize::from(token(&world, &["--provider", provider]).is_ok());
        if let Some(preferred) = case["preferredProfile"].as_str() {
            let found = world.run(&["models", "auth", "list", "--json"]).out;
            if found.contains(&format!("\"id\": \"{preferred}\"")) {
                agree(&world, &["--profile", preferred], case);
            }
        }
        tried += 1;
    }
    assert_eq!(tried, 60);
    assert!(refused > 3 && given > 10, "{refused} {given}");
}
