//! `models auth report` and `models auth cooldown`.

use serde_json::json;

use super::Transcript;
use crate::support::{World, millis_from_now};

const MAIN: &str = "agents/main/agent/auth-profiles.json";
const STATE: &str = "agents/main/agent/auth-state.json";
const REPORT: [&str; 3] = ["models", "auth", "report"];
const COOLDOWN: [&str; 3] = ["models", "auth", "cooldown"];

fn with<'a>(words: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [words, more].concat()
}

fn world() -> World {
    let world = World::new();
    let token = |name: &str| json!({ "type": "token", "provider": "anthropic", "token": name });
    let store = json!({
        "version": 1,
        "profiles": {
            "anthropic:work": token("one"),
            "anthropic:home": token("two"),
            "openrouter:default": { "type": "api_key", "provider": "openrouter", "key": "k" },
        },
    });
    world.write(MAIN, &store.to_string());
    world
}

#[test]
fn reported_accounts_cool_down_one_after_the_other() {
    let world = world();
    Transcript::of(&world)
        .run(&with(&COOLDOWN, &["list"]))
        .run(&with(
            &REPORT,
            &["anthropic:work", "--failed", "rate_limit"],
        ))
        .run(&with(
            &REPORT,
            &[
                "anthropic:work",
                "--failed",
                "timeout",
                "--retry-after",
                "2h",
            ],
        ))
        .run(&with(
            &REPORT,
            &["anthropic:home", "--failed", "billing", "--json"],
        ))
        .run(&with(&COOLDOWN, &["list"]))
        .run(&with(&COOLDOWN, &["list", "--json"]))
        .run(&["models", "auth", "token", "--provider", "anthropic"])
        .run(&with(&COOLDOWN, &["clear", "anthropic:home"]))
        .run(&with(&COOLDOWN, &["clear", "anthropic:home"]))
        .run(&with(&REPORT, &["anthropic:home", "--ok"]))
        .run(&with(&REPORT, &["anthropic:home", "--ok", "--json"]))
        .run(&with(&COOLDOWN, &["clear", "--provider", "anthropic"]))
        .run(&with(&COOLDOWN, &["clear", "--all"]))
        .matches("cooldown");
}

#[test]
fn a_document_of_a_late_release_cools_down_by_its_rules() {
    let world = world();
    let state = json!({ "version": 1, "usageStats": { "anthropic:home": {
        "errorCount": 3, "failureCounts": { "rate_limit": 2, "overloaded": 1 },
        "lastFailureAt": millis_from_now(-600), "cooldownUntil": millis_from_now(3_630),
        "cooldownReason": "overloaded",
    } } });
    world.write(STATE, &state.to_string());
    Transcript::of(&world)
        .note("auth-state.json lies beside it")
        .run(&with(
            &REPORT,
            &[
                "anthropic:work",
                "--failed",
                "rate_limit",
                "--model",
                "claude-opus-4-6",
            ],
        ))
        .run(&with(&COOLDOWN, &["list"]))
        .run(&with(
            &REPORT,
            &["anthropic:work", "--failed", "auth_permanent"],
        ))
        .run(&with(
            &REPORT,
            &["openrouter:default", "--failed", "rate_limit"],
        ))
        .matches("cooldown_late");
}

#[test]
fn a_report_that_cannot_be_written_down_is_refused() {
    let world = world();
    let transcript = Transcript::of(&world)
        .run(&with(&REPORT, &["anthropic:nobody", "--ok"]))
        .run(&with(&REPORT, &["anthropic:work"]))
        .run(&with(&REPORT, &["anthropic:work", "--failed", "429"]))
        .run(&with(
            &REPORT,
            &["anthropic:work", "--ok", "--retry-after", "5"],
        ))
        .run(&with(&COOLDOWN, &["clear", "anthropic:nobody"]))
        .run(&with(&COOLDOWN, &["clear"]))
        .run(&COOLDOWN);
    world.write(MAIN, "{ not JSON");
    transcript
        .note("auth-profiles.json is not JSON")
        .run(&with(&REPORT, &["anthropic:work", "--failed", "auth"]))
        .run(&with(&COOLDOWN, &["list"]))
        .file(MAIN)
        .matches("cooldown_refused");
}
