//! A machine on which nothing is stored and no model is configured: every command advises the same,
//! and what that advice leads to works.

use serde_json::{Value, json};

use crate::support::{Ran, World};

const KEY: &str = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789";

fn model(world: &World) -> Value {
    let report = world.run(&["models", "status", "--json"]).out;
    serde_json::from_str::<Value>(&report).unwrap()["defaultModel"].clone()
}

fn said(Ran { out, err, .. }: Ran) -> String {
    out + &err
}

#[test]
fn every_command_gives_one_advice() {
    let world = World::new();
    for args in [
        &["models", "status"][..],
        &["models", "status", "--json"],
        &["models", "auth", "token"],
        &["models", "auth", "exec", "--", "true"],
        &["models", "auth", "explain"],
        &["models", "auth", "explain", "--json"],
        &["onboard", "--non-interactive", "--accept-risk"],
        &["onboard"],
    ] {
        let said = said(world.run(args));
        assert!(said.contains("openclaw onboard"), "{args:?}: {said}");
        assert!(!said.contains("openclaw models auth"), "{args:?}: {said}");
    }
    // Whoever names a provider is told how to log in to that one.
    let named = world.run(&["models", "auth", "token", "--provider", "anthropic"]);
    assert!(
        named.err.contains("paste-token --provider anthropic"),
        "{named:?}"
    );
}

#[test]
fn a_configured_model_is_advised_of_by_its_provider() {
    let world = World::new();
    world.write(
        "openclaw.json",
        r#"{ agents: { defaults: { model: { primary: "openai-codex/gpt-5.3-codex" } } } }"#,
    );
    let login = "openclaw models auth login --provider openai-codex";
    for args in [
        &["models", "status"][..],
        &["models", "auth", "token"],
        &["models", "auth", "explain"],
    ] {
        let said = said(world.run(args));
        assert!(said.contains(login), "{args:?}: {said}");
    }
}

const ONBOARD: [&str; 5] = [
    "onboard",
    "--non-interactive",
    "--accept-risk",
    "--openai-api-key",
    "-",
];

#[test]
fn onboarding_openai_leaves_a_model_that_works() {
    let world = World::new();
    let ran = world.pipe(&ONBOARD, KEY);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.err
            .contains("Default model set to openai/gpt-5.1-codex"),
        "{ran:?}"
    );
    assert!(
        !ran.out.lines().any(|line| line.starts_with('!')),
        "{ran:?}"
    );
    assert_eq!(model(&world), "openai/gpt-5.1-codex");
    assert_eq!(world.run(&["models", "auth", "token"]).out.trim(), KEY);
    assert_eq!(world.run(&["models", "status", "--check"]).code, 0);
}

#[test]
fn onboarding_keeps_a_model_that_somebody_chose_or_that_has_a_login() {
    let world = World::new();
    let token = json!({ "type": "token", "provider": "anthropic", "token": "t" });
    let store = json!({ "version": 1, "profiles": { "anthropic:a": token } });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    assert_eq!(world.pipe(&ONBOARD, KEY).code, 0);
    assert_eq!(model(&world), "anthropic/claude-opus-4-6");
    let world = World::new();
    assert_eq!(world.run(&["models", "set", "xai/grok-4"]).code, 0);
    assert_eq!(world.pipe(&ONBOARD, KEY).code, 0);
    assert_eq!(model(&world), "xai/grok-4");
}

#[test]
fn a_login_beside_a_default_model_that_nobody_set_is_told_to_set_one() {
    let world = World::new();
    let paste = ["models", "auth", "paste-api-key", "--provider", "openai"];
    assert_eq!(world.pipe(&paste, KEY).code, 0);
    let text = world.run(&["models", "status"]).out;
    let advice = "models set openai/gpt-5.1-codex";
    assert!(text.contains("no default model is set"), "{text}");
    assert!(text.contains(&format!("openclaw {advice}")), "{text}");
    // The command of the advice, word by word.
    assert_eq!(world.run(&advice.split(' ').collect::<Vec<_>>()).code, 0);
    let text = world.run(&["models", "status"]).out;
    assert!(!text.lines().any(|line| line.starts_with('!')), "{text}");
}
