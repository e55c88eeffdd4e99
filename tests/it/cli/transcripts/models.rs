//! `models list`, `set`, `aliases` and `fallbacks`, and `channels list`.

use super::Transcript;
use crate::support::{World, recorded};

#[test]
fn configured_models_are_listed() {
    let (world, _, _) = recorded::world("models");
    Transcript::of(&world)
        .run(&["models", "list"])
        .run(&["models", "list", "--agent", "work", "--plain"])
        .run(&["models", "list", "--provider", "zai", "--json"])
        .run(&["models", "list", "--provider", "groq"])
        .run(&["models", "aliases", "list"])
        .run(&["models", "fallbacks", "list"])
        .run(&["models", "fallbacks", "list", "--agent", "work"])
        .run(&["models", "image-fallbacks", "list"])
        .run(&["channels", "list"])
        .run(&["channels", "list", "--json", "--no-usage"])
        .matches("models");
}

#[test]
fn models_aliases_and_fallbacks_are_changed() {
    let (world, _, _) = recorded::world("models");
    Transcript::of(&world)
        .run(&["models", "set", "mini"])
        .run(&["models", "set-image", "z-ai/glm-5v"])
        .run(&["models", "fallbacks", "add", "opus"])
        .run(&["models", "fallbacks", "add", "Mini"])
        .run(&["models", "fallbacks", "remove", "openai/gpt-5-mini"])
        .run(&["models", "image-fallbacks", "add", "openai/gpt-5.2"])
        .run(&["models", "image-fallbacks", "clear"])
        .run(&["models", "aliases", "add", "glm", "zai/glm-5"])
        .run(&["models", "aliases", "remove", "Opus"])
        .run(&["models", "aliases", "list", "--plain"])
        .run(&["models", "set", "sonnet-4.5"])
        .file("openclaw.json")
        .matches("models_changed");
}

#[test]
fn wrong_models_and_aliases_are_refused() {
    let (world, _, _) = recorded::world("models");
    Transcript::of(&world)
        .run(&["models", "set", "/x"])
        .run(&["models", "set", "openai/gpt-6", "--agent", "work"])
        .run(&["models", "fallbacks", "remove", "groq/x"])
        .run(&["models", "image-fallbacks", "remove", "mini"])
        .run(&["models", "aliases", "add", "MINI", "openai/gpt-6"])
        .run(&["models", "aliases", "add", "a b", "openai/gpt-6"])
        .run(&["models", "aliases", "add", "", "openai/gpt-6"])
        .run(&["models", "aliases", "remove", "nosuch"])
        .run(&["models", "aliases", "list", "--json", "--plain"])
        .run(&["models", "list", "--agent", "nobody"])
        .run(&["models", "auth", "list", "--agent", "nobody"])
        .run(&["models", "fallbacks"])
        .matches("models_refused");
}

#[test]
fn defaults_in_an_included_file_are_not_edited() {
    let world = World::new();
    let include = r#"{ agents: { defaults: { $include: "defaults.json5" } } }"#;
    world.write("openclaw.json", include);
    world.write("defaults.json5", r#"{ model: { primary: "acme/one" } }"#);
    Transcript::of(&world)
        .run(&["models", "list"])
        .run(&["models", "set", "acme/two"])
        .matches("models_included");
}

#[test]
fn models_are_listed_where_logins_cannot_be_read() {
    let (world, _, _) = recorded::world("not-json");
    Transcript::of(&world)
        .run(&["models", "list"])
        .run(&["channels", "list", "--json"])
        .matches("models_not_json");
}
