//! The stores that are looked at. Every length of time is a minute more than what it rounds to.

use crate::support::issuer::{Account, Issuer};
use serde_json::{Value, json};

use crate::support::{World, millis_from_now};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

fn store(profiles: &Value, usage: &Value) -> World {
    let world = World::new();
    let document = json!({ "version": 1, "profiles": profiles, "usageStats": usage });
    world.write(
        "agents/main/agent/auth-profiles.json",
        &document.to_string(),
    );
    world
}

/// A minute further from now.
fn more(left: i64) -> i64 {
    left + 60 * left.signum()
}

fn token(provider: &str, left: Option<i64>) -> Value {
    let mut token = json!({ "type": "token", "provider": provider, "token": "token-FIXTURE" });
    if let Some(left) = left {
        token["expires"] = json!(millis_from_now(more(left)));
    }
    token
}

fn oauth(provider: &str, left: i64, refresh: &str) -> Value {
    let expires = millis_from_now(more(left));
    json!({
        "type": "oauth", "provider": provider, "access": "access-FIXTURE",
        "refresh": refresh, "expires": expires,
    })
}

/// One of each kind, as in the reference release's own example.
pub(super) fn mixed() -> World {
    let mut codex = oauth("openai-codex", -5 * HOUR, "refresh-1");
    codex["email"] = json!("me@example.com");
    let profiles = json!({
        "anthropic:default": { "type": "api_key", "provider": "anthropic", "key": "sk-ant-FIXTURE" },
        "google-gemini-cli:u@g.com": oauth("google-gemini-cli", -HOUR, ""),
        "openai-codex:me@example.com": codex,
        "openrouter:manual": token("openrouter", None),
        "qwen-portal:default": oauth("qwen-portal", 40 * HOUR, "refresh-2"),
        "xai:manual": token("xai", Some(-2 * HOUR)),
        "zai:manual": token("zai", Some(3 * HOUR)),
        "zai:会社のアカウント": token("zai", Some(30 * DAY)),
    });
    let usage = json!({
        "anthropic:default": { "cooldownUntil": millis_from_now(5 * 60) },
        "openrouter:manual": {
            "disabledUntil": millis_from_now(5 * HOUR), "disabledReason": "billing",
        },
    });
    let world = store(&profiles, &usage);
    let config = json!({ "agents": { "defaults": {
        "model": { "primary": "opus", "fallbacks": ["openai-codex/gpt-5.2", "zai/glm-4.7"] },
        "imageModel": "openai/gpt-5.2",
        "models": {
            "anthropic/claude-opus-4-6": { "alias": "opus" },
            "openai/gpt-5.2": { "alias": "gpt" },
        },
    } } });
    world.write("openclaw.json", &config.to_string());
    world
}

/// So many accounts, of which every seventh has ended or is about to.
pub(super) fn many(count: usize) -> World {
    let profiles = (0..count).map(|n| {
        let left = match n % 7 {
            0 if n % 2 == 0 => Some(-HOUR),
            0 if n < 10 => Some(-2 * HOUR),
            0 => Some(2 * DAY),
            1 => Some(90 * DAY),
            _ => None,
        };
        (
            format!("anthropic:account-{n:04}"),
            token("anthropic", left),
        )
    });
    let profiles: serde_json::Map<String, Value> = profiles.collect();
    store(&Value::Object(profiles), &json!({}))
}

/// A refused login, one without a secret, an entry that is none, and nothing for the model.
pub(super) fn troubled() -> (World, Issuer) {
    let (world, issuer) = World::with_issuer(Account::default());
    let profiles = json!({
        "openai-codex:default": oauth("openai-codex", -2 * HOUR, "nobody-issued-it"),
        "openai-codex:a-rather-long-name-of-an-account@department.example.com":
            oauth("openai-codex", 2 * HOUR, ""),
        "zai:manual": { "type": "token", "provider": "zai", "token": "" },
        "broken": 7,
    });
    let document = json!({ "version": 1, "profiles": profiles });
    world.write(
        "agents/main/agent/auth-profiles.json",
        &document.to_string(),
    );
    let refused = world.run(&[
        "models",
        "auth",
        "refresh",
        "--profile",
        "openai-codex:default",
    ]);
    assert_eq!(refused.code, 3, "{refused:?}");
    (world, issuer)
}

/// All that can end within a week, and how.
pub(super) fn week() -> World {
    let profiles = json!({
        "anthropic:default": token("anthropic", Some(2 * HOUR)),
        "anthropic:spare": token("anthropic", Some(6 * DAY)),
        "anthropic:later": token("anthropic", Some(8 * DAY)),
        "openai-codex:default": oauth("openai-codex", 20 * 60, "refresh-1"),
        "codex:by-hand": oauth("codex", 3 * DAY, "refresh-2"),
        "google-gemini-cli:no-refresh": oauth("google-gemini-cli", 30 * HOUR, ""),
    });
    let world = store(&profiles, &json!({}));
    let declared = crate::providers::declared_in_config::guide("authorization_code");
    let declared = declared.replace("token_auto_refresh: true", "token_auto_refresh: false");
    world.write("config.yaml", &declared);
    world
}
