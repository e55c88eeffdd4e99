//! The primary model among the configured ones: where Anthropic is paid by a key, OpenClaw 2026.2
//! takes it for configured, and gives it its built-in alias. Each row was seen there.

use serde_json::{Value, json};

use crate::support::{World, ran};

fn profiles(modes: &[&str]) -> Value {
    let profile = |mode: &&str| {
        let profile = json!({ "provider": "anthropic", "mode": mode });
        (format!("anthropic:{mode}"), profile)
    };
    modes
        .iter()
        .map(profile)
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Aliases and allowed models of a configuration, with these variables set.
fn shown(config: &Value, env: &[(&str, &str)]) -> (Value, Value) {
    let world = World::new();
    world.write("openclaw.json", &config.to_string());
    let mut command = world.command(&["models", "status", "--json"]);
    let report = ran(command.envs(env.iter().copied()).output().unwrap()).out;
    let report: Value = serde_json::from_str(&report).unwrap();
    (report["aliases"].clone(), report["allowed"].clone())
}

fn primary(model: &str, modes: &[&str]) -> Value {
    json!({
        "auth": { "profiles": profiles(modes) },
        "agents": { "defaults": { "model": { "primary": model } } },
    })
}

#[test]
fn it_is_there_with_its_alias_where_anthropic_is_paid_by_a_key() {
    let opus = "anthropic/claude-opus-4-6";
    let there = (json!({ "opus": opus }), json!([opus]));
    let nothing = (json!({}), json!([]));
    let key = ("ANTHROPIC_API_KEY", "k");
    for (modes, env, expected) in [
        (&["api_key"][..], &[][..], &there),
        (&[], &[key], &there),
        (&[], &[], &nothing),
        (&["token"], &[key], &nothing),
        (&["api_key", "token"], &[], &nothing),
        (&[], &[key, ("ANTHROPIC_OAUTH_TOKEN", "t")], &nothing),
    ] {
        let found = shown(&primary(opus, modes), env);
        assert_eq!(found, *expected, "{modes:?} {env:?}");
    }
    let mut ordered = primary(opus, &["api_key", "token"]);
    ordered["auth"]["order"] = json!({ "anthropic": ["anthropic:api_key"] });
    assert_eq!(shown(&ordered, &[]), there);
}

#[test]
fn it_is_named_as_openclaw_writes_models_and_stands_behind_the_others() {
    let by_key = |model| shown(&primary(model, &["api_key"]), &[]);
    let sonnet = "anthropic/claude-sonnet-4-5";
    assert_eq!(
        by_key("Sonnet"),
        (json!({ "sonnet": sonnet }), json!([sonnet]))
    );
    let old = json!(["anthropic/claude-opus-4-5"]);
    assert_eq!(by_key("anthropic/opus-4.5"), (json!({}), old));
    assert_eq!(by_key("openai/gpt-5.2"), (json!({}), json!([])));
    let mut with_others = primary("anthropic/claude-opus-4-6", &["api_key"]);
    with_others["agents"]["defaults"]["models"] = json!({ "openai/gpt-5.2": {}, sonnet: {} });
    let aliases = json!({
        "gpt": "openai/gpt-5.2", "sonnet": sonnet, "opus": "anthropic/claude-opus-4-6",
    });
    let allowed = json!(["openai/gpt-5.2", sonnet, "anthropic/claude-opus-4-6"]);
    let (found, listed) = shown(&with_others, &[]);
    assert_eq!(found, aliases);
    let sorted = |list: &Value| {
        let mut list: Vec<String> = serde_json::from_value(list.clone()).unwrap();
        list.sort();
        list
    };
    assert_eq!(sorted(&listed), sorted(&allowed));
    assert_eq!(
        listed.as_array().unwrap().last(),
        allowed.as_array().unwrap().last()
    );
}
