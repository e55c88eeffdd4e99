//! `models auth paste-token` and `setup-token`.

use super::Transcript;
use crate::support::{World, recorded, setup_token};

const PASTE: [&str; 5] = ["models", "auth", "paste-token", "--provider", "anthropic"];
const SETUP: [&str; 3] = ["models", "auth", "setup-token"];
const TOKEN: &str = "\"$TOKEN\"";

#[test]
fn a_pasted_token_is_stored() {
    let world = World::new();
    let mut ending = PASTE.to_vec();
    ending.extend(["--profile-id", "anthropic:work", "--expires-in", "365d"]);
    Transcript::of(&world)
        .pipe(TOKEN, &setup_token(), &PASTE)
        .note("the same once more")
        .pipe(TOKEN, &setup_token(), &PASTE)
        .pipe(TOKEN, &setup_token(), &ending)
        .pipe(TOKEN, &setup_token(), &SETUP)
        .matches("paste_token");
}

#[test]
fn a_pasted_api_key_is_stored() {
    let world = World::new();
    let key = |provider| ["models", "auth", "paste-api-key", "--provider", provider];
    let mut named = key("anthropic").to_vec();
    named.extend(["--profile-id", "anthropic:work"]);
    let line = "export ANTHROPIC_API_KEY='sk-ant-api03-0123456789-0123456789';";
    Transcript::of(&world)
        .pipe("\"$LINE\"", line, &key("anthropic"))
        .pipe("\"$LINE\"", line, &key("anthropic"))
        .pipe("\"$LINE\"", line, &named)
        .pipe(TOKEN, &setup_token(), &key("anthropic"))
        .pipe("\"…$KEY\"", "…sk-1", &key("openai"))
        .pipe("''", "", &key("openai"))
        .pipe("\"$KEY\"", "sk-1", &key("openai-codex"))
        .pipe("\"$KEY\"", "sk-1", &key("nobody"))
        .note("standard input is /dev/null")
        .run(&key("openai"))
        .run(&["models", "auth", "list"])
        .matches("paste_api_key");
}

#[test]
fn a_paste_that_is_no_token_is_refused() {
    let world = World::new();
    let key = "sk-ant-api03-".to_owned() + &"a".repeat(90);
    Transcript::of(&world)
        .pipe("\"$API_KEY\"", &key, &PASTE)
        .pipe("\"${TOKEN:0:60}\"", &setup_token()[..60], &PASTE)
        .pipe("'' ", "", &PASTE)
        .pipe("'  '", " \n ", &PASTE)
        .pipe("\"…$TOKEN\"", &format!("…{}", setup_token()), &PASTE)
        .pipe("\"$API_KEY\"", &key, &SETUP)
        .note("standard input is /dev/null")
        .run(&PASTE)
        .run(&SETUP)
        .matches("paste_token_refused");
}

#[test]
fn a_provider_without_setup_tokens_refuses_one() {
    let world = World::new();
    let paste = |provider| ["models", "auth", "paste-token", "--provider", provider];
    let setup = |provider| ["models", "auth", "setup-token", "--provider", provider];
    Transcript::of(&world)
        .pipe(TOKEN, &setup_token(), &setup("openai-codex"))
        .pipe(TOKEN, &setup_token(), &setup("openai"))
        .pipe(TOKEN, &setup_token(), &setup("nobody"))
        .pipe(TOKEN, &setup_token(), &paste("openai-codex"))
        .pipe(TOKEN, &setup_token(), &paste("nobody"))
        .pipe(TOKEN, &setup_token(), &paste(" "))
        .matches("paste_token_provider");
}

#[test]
fn a_pasted_token_that_cannot_be_stored_says_so() {
    let world = World::new();
    world.write("agents/main", "a file in the way of a directory");
    Transcript::of(&world)
        .pipe(TOKEN, &setup_token(), &PASTE)
        .matches("paste_token_storage");
}

#[test]
fn a_paste_sets_a_store_aside_that_is_no_json() {
    let (world, _, _) = recorded::world("not-json");
    Transcript::of(&world)
        .pipe(TOKEN, &setup_token(), &PASTE)
        .run(&["models", "auth", "list"])
        .matches("paste_token_not_json");
}

#[test]
fn a_pasted_profile_is_named_in_a_configured_order() {
    let (world, _, _) = recorded::world("configured");
    let included = r#"{ auth: { $include: "auth.json5" } }"#;
    let transcript = Transcript::of(&world)
        .pipe(TOKEN, &setup_token(), &PASTE)
        .file("openclaw.json");
    world.write("openclaw.json", included);
    world.write(
        "auth.json5",
        r#"{ order: { anthropic: ["anthropic:work"] } }"#,
    );
    transcript
        .note("openclaw.json now takes auth from another file, and its order names other profiles")
        .pipe(TOKEN, &setup_token(), &PASTE)
        .matches("paste_token_configured");
}
