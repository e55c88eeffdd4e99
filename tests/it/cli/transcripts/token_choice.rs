//! Whose token: by a model, by a session, by the directory.

use serde_json::json;

use super::Transcript;
use super::order::world;

const TOKEN: [&str; 3] = ["models", "auth", "token"];
const SESSIONS: &str = "agents/main/sessions/sessions.json";

fn token<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    [&TOKEN[..], rest].concat()
}

#[test]
fn a_model_names_the_profile_of_a_token() {
    let world = world();
    Transcript::of(&world)
        .run(&token(&["--model", "anthropic/claude-opus-4-6"]))
        .run(&token(&["--model", "opus@anthropic:work"]))
        .run(&token(&["--model", "opus@anthropic:nobody"]))
        .run(&token(&["--model", "opus@openai:default"]))
        .run(&token(&["--model", "opus@anthropic:old"]))
        .run(&token(&["--model", "@anthropic:work"]))
        .run(&token(&["--model", "nobody/model"]))
        .run(&token(&["--model", "opus", "--provider", "anthropic"]))
        .matches("token_model");
}

#[test]
fn a_session_names_the_profile_of_a_token() {
    let world = world();
    let pinned = |profile: &str| {
        json!({ "authProfileOverride": profile, "authProfileOverrideSource": "user",
            "providerOverride": "anthropic" })
    };
    let sessions = json!({
        "agent:main:chat": pinned("anthropic:work"),
        "agent:main:gone": pinned("anthropic:gone"),
        "agent:main:other": pinned("openai:default"),
        "agent:main:old": pinned("anthropic:old"),
    });
    world.write(SESSIONS, &sessions.to_string());
    Transcript::of(&world)
        .run(&token(&["--session", "agent:main:chat"]))
        .run(&token(&["--session", "gone"]))
        .run(&token(&["--session", "other"]))
        .run(&token(&["--session", "old"]))
        .run(&token(&["--session", "nobody"]))
        .run(&token(&["--session", "agent:work:chat"]))
        .also(|| world.write(SESSIONS, "{"))
        .note("with a file of sessions that is broken")
        .run(&token(&["--session", "chat"]))
        .matches("token_session");
}

#[test]
fn a_directory_names_the_profile_of_a_token() {
    let world = world();
    let of = token(&["--provider", "anthropic"]);
    Transcript::of(&world)
        .run(&["models", "auth", "use", "anthropic:work", "--here"])
        .run(&of)
        .run(&["models", "auth", "use", "anthropic:old", "--here"])
        .run(&of)
        .run(&["provider", "anthropic", "token-status"])
        .run(&["models", "auth", "logout", "anthropic:old", "--yes"])
        .run(&of)
        .matches("token_directory");
}
