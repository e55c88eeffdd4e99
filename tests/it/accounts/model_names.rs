//! What a person types as a model: what it is not is said, and what it can hardly be is not kept.

use crate::support::World;

#[test]
fn a_model_of_another_maker_is_not_taken_for_one_of_anthropic() {
    let world = World::new();
    for (text, meant) in [
        ("gpt-9", "openai/gpt-9"),
        ("gemini-9-pro", "google/gemini-9-pro"),
        ("grok-9", "xai/grok-9"),
    ] {
        let ran = world.run(&["models", "set", text]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains(&format!("models set {meant}")), "{ran:?}");
    }
    assert!(!world.state().join("openclaw.json").exists());
    assert_eq!(world.run(&["models", "set", "claude-opus-9"]).code, 0);
}

#[test]
fn advice_about_a_model_repeats_the_command_that_was_called() {
    let world = World::new();
    for command in [
        "models set",
        "models set-image",
        "models fallbacks add",
        "models fallbacks remove",
        "models image-fallbacks add",
        "models image-fallbacks remove",
        "models aliases add foo",
    ] {
        for (text, meant) in [("gpt-9", "openai/gpt-9"), ("grok/x", "xai/x")] {
            if command.ends_with("remove") && text.contains('/') {
                continue;
            }
            let args: Vec<&str> = command.split(' ').chain([text]).collect();
            let ran = world.run(&args);
            assert_eq!(ran.code, 1, "{ran:?}");
            let hint = format!("Try: openclaw {command} {meant}\n");
            assert!(ran.err.contains(&hint), "{ran:?}");
        }
    }
    assert!(!world.state().join("openclaw.json").exists());
}

#[test]
fn a_provider_is_no_model_and_one_that_nothing_knows_is_named() {
    let world = World::new();
    for name in ["openai", "claude", "z.ai"] {
        let ran = world.run(&["models", "set", name]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains("is a provider, and no model"), "{ran:?}");
    }
    for command in [
        "models set",
        "models fallbacks add",
        "models aliases add foo",
    ] {
        let args: Vec<&str> = command.split(' ').chain(["nope/x"]).collect();
        let ran = world.run(&args);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(
            ran.err.contains("Warning: unknown provider nope"),
            "{ran:?}"
        );
    }
    let ran = world.run(&["models", "set", "opneai/gpt-9"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let near = "Warning: unknown provider opneai; did you mean openai/gpt-9?";
    assert!(ran.err.contains(near), "{ran:?}");
    world.write(
        "openclaw.json",
        r#"{ "models": { "providers": { "nope": { "apiKey": "k" } } } }"#,
    );
    let ran = world.run(&["models", "set", "nope/x"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
}

#[test]
fn a_slip_of_the_pen_is_not_allowed_for_ever() {
    let world = World::new();
    let set = |model: &str| assert_eq!(world.run(&["models", "set", model]).code, 0, "{model}");
    let allowed = || {
        let text = world.read("openclaw.json");
        let config: serde_json::Value = serde_json::from_str(&text).unwrap();
        let models = config["agents"]["defaults"]["models"].as_object().unwrap();
        models.keys().cloned().collect::<Vec<_>>()
    };
    for slip in ["anthropic/gpt-9", "anthropic/openai", "nope/x", "opsu"] {
        set(slip);
    }
    set("anthropic/claude-opus-4-6");
    set("openai/gpt-5.2");
    assert_eq!(allowed(), ["anthropic/claude-opus-4-6", "openai/gpt-5.2"]);
    // What else is said of one, or uses it, keeps it.
    set("nope/x");
    assert_eq!(world.run(&["models", "fallbacks", "add", "nope/x"]).code, 0);
    set("nope/y");
    assert_eq!(
        world.run(&["models", "aliases", "add", "y", "nope/y"]).code,
        0
    );
    set("openai/gpt-5.2");
    let expected = [
        "anthropic/claude-opus-4-6",
        "openai/gpt-5.2",
        "nope/x",
        "nope/y",
    ];
    assert_eq!(allowed(), expected);
}
