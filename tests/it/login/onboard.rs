//! `onboard --non-interactive`: each choice of the reference release, where its key is looked for,
//! and the one JSON document at the end.

use std::process::Stdio;

use openclaw::app::onboard::choices::ROWS;
use openclaw::model::id::ProviderId;
use openclaw::model::provider::Flow;
use openclaw::providers::catalogue::Catalogue;
use openclaw::testing::files::MemoryFiles;
use serde_json::{Value, json};

use crate::support::{Ran, World, ran, setup_token};

const ONBOARD: [&str; 3] = ["onboard", "--non-interactive", "--accept-risk"];

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut args = ONBOARD.to_vec();
    args.extend(more);
    args
}

fn onboard(world: &World, more: &[&str]) -> Ran {
    world.run(&with(more))
}

fn profile(world: &World, id: &str) -> Value {
    world.store()["profiles"][id].clone()
}

/// Choice, flag, provider, variable, as in the reference release.
const KEYS: &[(&str, &str, &str, &str)] = &[
    ("apiKey", "anthropic", "anthropic", "ANTHROPIC"),
    ("openai-api-key", "openai", "openai", "OPENAI"),
    (
        "openrouter-api-key",
        "openrouter",
        "openrouter",
        "OPENROUTER",
    ),
    (
        "ai-gateway-api-key",
        "ai-gateway",
        "vercel-ai-gateway",
        "AI_GATEWAY",
    ),
    ("moonshot-api-key", "moonshot", "moonshot", "MOONSHOT"),
    ("moonshot-api-key-cn", "moonshot", "moonshot", "MOONSHOT"),
    ("kimi-code-api-key", "kimi-code", "kimi-coding", "KIMI"),
    ("gemini-api-key", "gemini", "google", "GEMINI"),
    ("zai-api-key", "zai", "zai", "ZAI"),
    ("xiaomi-api-key", "xiaomi", "xiaomi", "XIAOMI"),
    ("minimax-api", "minimax", "minimax", "MINIMAX"),
    ("minimax-api-lightning", "minimax", "minimax", "MINIMAX"),
    ("synthetic-api-key", "synthetic", "synthetic", "SYNTHETIC"),
    ("venice-api-key", "venice", "venice", "VENICE"),
    ("opencode-zen", "opencode-zen", "opencode", "OPENCODE"),
    ("xai-api-key", "xai", "xai", "XAI"),
    ("qianfan-api-key", "qianfan", "qianfan", "QIANFAN"),
];

/// A key of the provider's shape that says where it came from.
fn key(provider: &str, from: &str) -> String {
    let manifest = catalogue()
        .get(&ProviderId::parse(provider).unwrap())
        .unwrap();
    let prefix = manifest.key_shape().and_then(|key| key.prefix.clone());
    format!("{}{from}-0123456789", prefix.unwrap_or_default())
}

fn catalogue() -> Catalogue {
    Catalogue::new(std::sync::Arc::new(MemoryFiles::new()), "/none".into())
}

#[test]
fn a_key_comes_from_its_flag_else_the_environment_else_it_is_there_already() {
    for (choice, flag, provider, variable) in KEYS {
        let world = World::new();
        let id = format!("{provider}:default");
        let flag = format!("--{flag}-api-key");
        let variable = format!("{variable}_API_KEY");
        let chosen = ["--auth-choice", choice, "--json"];
        let missing = onboard(&world, &chosen);
        assert_eq!((missing.code, missing.out.as_str()), (1, ""), "{missing:?}");
        let says = format!(
            "Missing {flag} (or {variable} in env, or existing {provider} API-key profile)."
        );
        assert!(missing.err.contains(&says), "{missing:?}");

        let (argument, from_env) = (key(provider, "flag"), key(provider, "env"));
        let run = |more: &[&str], input: &str| {
            let mut args = with(&chosen);
            args.extend(more);
            let mut command = world.command(&args);
            command.env(&variable, &from_env).stdin(Stdio::piped());
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = command.spawn().unwrap();
            std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
            let ran = ran(child.wait_with_output().unwrap());
            let summary: Value =
                serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"));
            assert_eq!(summary["authChoice"], *choice);
            assert_eq!(summary["openclaw"]["profileId"], id.as_str());
            ran
        };
        let warned = run(&[&flag, &argument], "");
        assert!(
            warned.err.contains("other users of this machine"),
            "{warned:?}"
        );
        let expected = json!({ "type": "api_key", "provider": provider, "key": argument });
        assert_eq!(profile(&world, &id), expected, "{choice}");
        let piped = key(provider, "pipe");
        let ran = run(&[&flag, "-"], &format!("export X='{piped}';\n"));
        assert!(!ran.err.contains("every user"), "{ran:?}");
        assert_eq!(profile(&world, &id)["key"], piped.as_str(), "{choice}");
        run(&[], "");
        assert_eq!(profile(&world, &id)["key"], from_env.as_str(), "{choice}");

        let there = onboard(&world, &chosen);
        let summary: Value = serde_json::from_str(&there.out).unwrap();
        assert_eq!(summary["openclaw"]["stored"], false, "{there:?}");
        let inferred = onboard(&world, &[&flag, &argument]);
        assert_eq!(inferred.code, 0, "{inferred:?}");
        assert_eq!(profile(&world, &id)["key"], argument.as_str(), "{choice}");
    }
}

#[test]
fn every_choice_has_a_provider_with_that_method() {
    for row in ROWS {
        let provider = catalogue()
            .get(&ProviderId::parse(row.provider).unwrap())
            .unwrap();
        let methods: Vec<&str> = provider.flows.iter().map(Flow::method).collect();
        assert!(methods.contains(&row.method), "{}: {methods:?}", row.name);
        let tested = KEYS.iter().any(|(name, ..)| *name == row.name);
        let beside = !row.beside.is_empty();
        assert_eq!(row.flag.is_some(), tested || beside, "{}", row.name);
    }
}

#[test]
fn the_summary_has_the_members_of_the_reference_release_and_stands_alone() {
    let world = World::new();
    world.write(
        "openclaw.json",
        r#"{ agents: { defaults: { workspace: "/w" } } }"#,
    );
    let args = with(&[
        "--auth-choice",
        "groq",
        "--secret-stdin",
        "--json",
        "--skip-health",
        "--mode",
        "local",
    ]);
    let ran = world.pipe(&args, "gsk_0123456789");
    let expected = json!({
        "mode": "local", "workspace": "/w", "authChoice": "groq/api-key", "gateway": null,
        "installDaemon": false, "skipSkills": true, "skipHealth": true,
        "openclaw": {
            "agentId": "main", "provider": "groq", "method": "api-key",
            "profileId": "groq:default", "stored": true, "replaced": false,
        },
    });
    let summary: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(summary, expected);
    assert_eq!(
        onboard(&world, &["--auth-choice", "skip", "--json"]).code,
        0
    );
}

#[test]
fn a_token_is_stored_as_the_reference_release_names_it() {
    let world = World::new();
    let token = setup_token();
    let flags = [
        "--auth-choice",
        "token",
        "--token-provider",
        "anthropic",
        "--token-expires-in",
        "365d",
    ];
    let mut args = with(&flags);
    args.extend(["--token", "-"]);
    assert_eq!(world.pipe(&args, &token).code, 0);
    let stored = profile(&world, "anthropic:default");
    assert!(
        stored["token"] == token.as_str() && stored["expires"].is_i64(),
        "{stored}"
    );
    args.extend(["--token-profile-id", "anthropic:work"]);
    assert_eq!(world.pipe(&args, &token).code, 0);
    assert_eq!(profile(&world, "anthropic:work")["token"], token.as_str());
    for choice in ["setup-token", "oauth", "claude-cli"] {
        let world = World::new();
        let ran = onboard(&world, &["--auth-choice", choice, "--token", &token]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(profile(&world, "anthropic:default")["type"], "token");
    }
    let ran = world.pipe(
        &with(&["--auth-choice", "setup-token", "--secret-stdin"]),
        "sk-ant-api03-x",
    );
    assert!(
        ran.code == 1 && ran.err.contains("sk-ant-oat01-"),
        "{ran:?}"
    );
}

#[test]
fn a_login_of_another_kind_keeps_its_name() {
    let world = World::new();
    let login = json!({ "type": "oauth", "provider": "anthropic", "access": "a", "refresh": "r", "expires": 1 });
    let store = json!({ "version": 1, "profiles": { "anthropic:default": login } });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    let key = key("anthropic", "pipe");
    let args = with(&["--anthropic-api-key", "-"]);
    assert_eq!(world.pipe(&args, &key).code, 0);
    assert_eq!(profile(&world, "anthropic:default"), login);
    assert_eq!(profile(&world, "anthropic:default-2")["key"], key.as_str());
}

#[test]
fn a_gateway_is_stored_with_what_it_is_found_by() {
    let world = World::new();
    let mut args = with(&[
        "--cloudflare-ai-gateway-api-key",
        "-",
        "--cloudflare-ai-gateway-account-id",
        "acc",
    ]);
    let ran = world.pipe(&args, "cfk");
    assert_eq!(ran.code, 1);
    assert!(
        ran.err
            .contains("Missing --cloudflare-ai-gateway-gateway-id"),
        "{ran:?}"
    );
    args.extend(["--cloudflare-ai-gateway-gateway-id", "gw"]);
    assert_eq!(world.pipe(&args, "cfk").code, 0);
    let expected = json!({
        "type": "api_key", "provider": "cloudflare-ai-gateway", "key": "cfk",
        "metadata": { "accountId": "acc", "gatewayId": "gw" },
    });
    assert_eq!(profile(&world, "cloudflare-ai-gateway:default"), expected);
}

#[test]
fn what_is_not_clear_or_not_there_is_refused_and_stores_nothing() {
    let world = World::new();
    let risk = [
        "onboard",
        "--non-interactive",
        "--openai-api-key",
        "sk-MARKER",
    ];
    let two = with(&[
        "--openai-api-key",
        "sk-MARKER",
        "--xai-api-key",
        "xai-MARKER",
    ]);
    for (args, why) in [
        (risk.to_vec(), "--accept-risk"),
        (vec!["onboard"], "no terminal"),
        (vec!["models", "auth", "add"], "no terminal"),
        (vec!["onboard", "--json"], "--non-interactive"),
        (two, "are ambiguous"),
        (
            with(&["--auth-choice", "openai-apikey"]),
            "did you mean openai-api-key",
        ),
        (
            with(&["--auth-choice", "openai-codex"]),
            "OAuth requires interactive mode.",
        ),
        (
            with(&["--auth-choice", "codex-cli"]),
            "OAuth requires interactive mode.",
        ),
        (
            with(&["--auth-choice", "token"]),
            "Missing --token-provider for --auth-choice token.",
        ),
        (
            with(&["--auth-choice", "setup-token"]),
            "Missing --token for --auth-choice setup-token.",
        ),
        (
            with(&["--auth-choice", "copilot-proxy"]),
            "is not supported",
        ),
        (
            with(&["--openai-api-keyy", "sk-MARKER"]),
            "--openai-api-key",
        ),
    ] {
        let ran = world.run(&args);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{args:?}: {ran:?}");
        assert!(ran.err.contains(why), "{args:?}: {ran:?}");
        assert!(!ran.err.contains("MARKER"), "{args:?}: {ran:?}");
    }
    assert!(!world.has_store());
    let both = [
        "--auth-choice",
        "xai-api-key",
        "--openai-api-key",
        "sk-MARKER",
        "--xai-api-key",
        "-",
    ];
    let ran = world.pipe(&with(&both), &key("xai", "pipe"));
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.err.contains("--openai-api-key does not apply"),
        "{ran:?}"
    );
    assert_eq!(world.store()["profiles"].as_object().unwrap().len(), 1);
}
