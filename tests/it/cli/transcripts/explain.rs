//! `models auth explain`: what is used, and why everything else is not.

use crate::support::issuer::Account;
use serde_json::json;

use super::Transcript;
use crate::accounts::explain::MAIN;
use crate::support::{World, millis_from_now, recorded};

const EXPLAIN: [&str; 3] = ["models", "auth", "explain"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&EXPLAIN[..], more].concat()
}

/// Accounts of one provider in most of the states there are.
fn world() -> World {
    let world = World::new();
    let of = |kind: &str, secret: &str, left: i64| {
        json!({ "type": kind, "provider": "anthropic", secret: "MARKER", "refresh": "MARKER",
            "expires": millis_from_now(left), "email": "me@example.com" })
    };
    let profiles = json!({
        "anthropic:me@example.com": of("oauth", "access", 7 * 3_600),
        "anthropic:work": of("oauth", "access", -7_200),
        "anthropic:manual": of("token", "token", -86_400 * 3),
        "anthropic:api": { "type": "api_key", "provider": "anthropic", "key": "MARKER" },
    });
    let usage = json!({
        "anthropic:me@example.com": { "cooldownUntil": millis_from_now(300) },
        "anthropic:work": { "disabledUntil": millis_from_now(18_000), "disabledReason": "billing" },
    });
    let store = json!({ "version": 1, "profiles": profiles, "usageStats": usage });
    world.write(MAIN, &store.to_string());
    world
}

#[test]
fn explain_shows_every_candidate() {
    let world = world();
    world.write(".env", "GROQ_API_KEY=MARKER\nANTHROPIC_API_KEY=MARKER\n");
    world.write(
        "openclaw.json",
        r#"{ models: { providers: { acme: { apiKey: "MARKER" } } } }"#,
    );
    Transcript::of(&world)
        .env("ANTHROPIC_API_KEY", "MARKER")
        .run(&EXPLAIN)
        .matches("explain");
}

#[test]
fn explain_as_json() {
    Transcript::of(&world())
        .run(&with(&["--provider", "anthropic", "--json"]))
        .matches("explain_json");
}

#[test]
fn explain_says_what_the_order_hides() {
    let world = world();
    world.write(
        "openclaw.json",
        r#"{ auth: { order: { anthropic: ["anthropic:gone", "anthropic:manual"] } } }"#,
    );
    Transcript::of(&world)
        .run(&["models", "auth", "token", "--provider", "anthropic"])
        .run(&with(&["--provider", "anthropic"]))
        .note("and what it advises")
        .run(&["models", "auth", "use", "anthropic:me@example.com"])
        .run(&with(&["--provider", "anthropic"]))
        .matches("explain_order");
}

#[test]
fn explain_of_one_profile() {
    let world = world();
    Transcript::of(&world)
        .run(&with(&["--profile", "anthropic:work"]))
        .run(&with(&["--model", "anthropic/x@anthropic:manual"]))
        .run(&with(&["--model", "anthropic/x@anthropic:gone"]))
        .run(&with(&["--profile", "anthropic:gone"]))
        .matches("explain_profile");
}

#[test]
fn explain_tells_of_a_refused_login() {
    let (world, _issuer) = World::with_issuer(Account::default());
    world.seed_with("main", -10, "old-access", "rt-that-nobody-issued");
    let codex = ["--provider", "openai-codex"];
    Transcript::of(&world)
        .run(&with(&codex))
        .run(&[&["models", "auth", "token"], &codex[..]].concat())
        .run(&with(&codex))
        .matches("explain_refused");
}

#[test]
fn explain_for_a_second_agent() {
    let (world, _, _) = recorded::world("inherit");
    Transcript::of(&world)
        .run(&with(&["--agent", "work"]))
        .matches("explain_second_agent");
}

#[test]
fn explain_of_what_is_not_there_fails() {
    let world = World::new();
    Transcript::of(&world)
        .run(&EXPLAIN)
        .run(&with(&["--provider", "openai"]))
        .run(&with(&["--provider", "opanai"]))
        .run(&with(&["--agent", "nobody"]))
        .matches("explain_nothing");
}
