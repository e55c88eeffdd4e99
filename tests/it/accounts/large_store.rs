//! A store of so many secrets that views and selection look at most of them without holding them: it
//! answers as a small one does.

use openclaw::model::secret::Secret;
use serde_json::{Value, json};

use crate::support::World;

const MAIN: &str = "agents/main/agent/auth-profiles.json";
const PROFILES: usize = 60;

fn secret(n: usize) -> String {
    format!("sk-ant-oat01-{n:04}{}", "x".repeat(2_000))
}

/// Tokens of one provider, of which the order names the last, which is in quotes, and a login.
fn world() -> World {
    let world = World::new();
    let mut profiles = serde_json::Map::new();
    for n in 0..PROFILES {
        let token = match n {
            _ if n == PROFILES - 1 => format!("'{}'", secret(n)),
            n => secret(n),
        };
        let entry = json!({ "type": "token", "provider": "anthropic", "token": token });
        profiles.insert(format!("anthropic:{n:02}"), entry);
    }
    let login = json!({
        "type": "oauth", "provider": "openai-codex", "access": secret(1_000), "refresh": "rt-1",
        "expires": 4_000_000_000_000_i64, "custom": [1],
    });
    profiles.insert("openai-codex:only".to_owned(), login);
    let document = json!({
        "version": 1,
        "profiles": profiles,
        "order": { "anthropic": ["anthropic:59", "anthropic:58"] },
    });
    world.write(MAIN, &document.to_string());
    world
}

fn json_of(world: &World, args: &[&str]) -> Value {
    let ran = world.run(args);
    assert_eq!(ran.code, 0, "{ran:?}");
    serde_json::from_str(&ran.out).unwrap()
}

#[test]
fn a_token_is_handed_out_whole() {
    let world = world();
    let before = world.read(MAIN);
    let token = |args: &[&str]| {
        let ran = world.run(&[&["models", "auth", "token"], args].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.out.trim_end().to_owned()
    };
    assert_eq!(token(&["--provider", "anthropic"]), secret(59));
    assert_eq!(token(&["--provider", "openai-codex"]), secret(1_000));
    let first = ["models", "auth", "order", "set", "--provider", "anthropic"];
    let ran = world.run(&[&first[..], &["anthropic:58"]].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(token(&["--provider", "anthropic"]), secret(58));
    // The change of the order wrote everything that it did not mean.
    let profiles = |text: &str| {
        let document: Value = serde_json::from_str(text).unwrap();
        document["profiles"].clone()
    };
    assert_eq!(profiles(&world.read(MAIN)), profiles(&before));
}

#[test]
fn every_view_shows_what_it_shows_of_a_secret_that_it_holds() {
    let world = world();
    let list = json_of(&world, &["models", "auth", "list", "--json"]);
    let rows = list["profiles"].as_array().unwrap();
    assert_eq!(rows.len(), PROFILES + 1);
    for (n, row) in rows.iter().take(PROFILES).enumerate() {
        let fingerprint = Secret::from(secret(n).as_str()).fingerprint();
        assert_eq!(row["fingerprint"].as_str(), fingerprint.as_deref(), "{row}");
    }
    let status = json_of(&world, &["models", "status", "--json"]);
    let labels = &status["auth"]["providers"][0]["profiles"]["labels"];
    for n in 0..PROFILES {
        let masked = Secret::from(secret(n).as_str()).masked();
        assert_eq!(labels[n], json!(format!("anthropic:{n:02}=token:{masked}")));
    }
    let facts = status["openclaw"]["profiles"].as_array().unwrap();
    for (n, one) in facts.iter().take(PROFILES).enumerate() {
        let fingerprint = Secret::from(secret(n).as_str()).fingerprint();
        assert_eq!(one["fingerprint"].as_str(), fingerprint.as_deref(), "{one}");
    }
    assert!(facts.iter().all(|it| it["secretPresent"] == json!(true)));
    assert!(facts.iter().all(|it| it["state"] != json!("missing")));
    let explained = json_of(&world, &["models", "auth", "explain", "--json"]);
    assert!(!explained.to_string().contains(&"x".repeat(20)));
}
