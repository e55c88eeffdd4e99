//! `onboard` without questions, and `models auth add`.

use super::Transcript;
use crate::support::World;

const ONBOARD: [&str; 3] = ["onboard", "--non-interactive", "--accept-risk"];
const KEY: &str = "gsk_0123456789-0123456789-0123456789";

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut args = ONBOARD.to_vec();
    args.extend(more);
    args
}

#[test]
fn onboarding_succeeds_without_questions() {
    let world = World::new();
    let model = r#"{ agents: { defaults: { model: { primary: "groq/llama" } } } }"#;
    world.write("openclaw.json", model);
    let choice = ["--auth-choice", "groq"];
    Transcript::of(&world)
        .pipe(
            "\"$KEY\"",
            KEY,
            &with(&["--auth-choice", "groq", "--secret-stdin"]),
        )
        .note("the key is there already")
        .run(&with(&choice))
        .env("GROQ_API_KEY", KEY)
        .run(&with(&["--auth-choice", "groq", "--json"]))
        .note("a key as an argument")
        .run(&with(&["--zai-api-key", "zai-0123456789"]))
        .run(&with(&[]))
        .matches("onboard");
}

#[test]
fn onboarding_says_what_is_missing() {
    let world = World::new();
    world.write("openclaw.json", r#"{"agents":{"list":[{"id":"work"}]}}"#);
    Transcript::of(&world)
        .note("standard input is /dev/null")
        .run(&["onboard"])
        .run(&["models", "auth", "add"])
        .run(&["onboard", "--non-interactive"])
        .run(&["onboard", "--json"])
        .run(&with(&["--auth-choice", "openai-apikey"]))
        .run(&with(&["--auth-choice", "groq/oauth"]))
        .run(&with(&["--auth-choice", "nobody"]))
        .run(&with(&["--auth-choice", "copilot-proxy"]))
        .run(&with(&["--auth-choice", "openai-codex"]))
        .run(&with(&["--auth-choice", "token"]))
        .run(&with(&["--auth-choice", "setup-token"]))
        .run(&with(&["--auth-choice", "zai-api-key"]))
        .run(&with(&["--auth-choice", "zai-api-key", "--secret-stdin"]))
        .run(&with(&["--zai-api-key", "a", "--xai-api-key", "b"]))
        .run(&with(&[
            "--auth-choice",
            "cloudflare-ai-gateway-api-key",
            "--cloudflare-ai-gateway-api-key",
            "-",
        ]))
        .run(&[
            "--agent",
            "work",
            "onboard",
            "--non-interactive",
            "--accept-risk",
            "--auth-choice",
            "zai-api-key",
        ])
        .matches("onboard_refused");
}
