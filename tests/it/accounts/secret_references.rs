//! What stands in the place of a secret: references to variables, and what people copy along.

use serde_json::json;

use super::environment_keys::with;
use crate::support::{World, setup_token};

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "minimax"];

/// A stored key of minimax that is this text.
fn stored(text: &str) -> World {
    let world = World::new();
    let entry = json!({ "type": "api_key", "provider": "minimax", "key": text });
    let store = json!({ "version": 1, "profiles": { "minimax:default": entry } });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    world
}

#[test]
fn a_reference_to_a_variable_is_resolved_and_never_handed_out() {
    for text in [
        "${ACME_KEY}",
        "$ACME_KEY",
        "secretref-env:ACME_KEY",
        "__env__:ACME_KEY",
        " ${ACME_KEY}\n",
    ] {
        let world = stored(text);
        let ran = with(&world, &TOKEN, &[]);
        assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{text:?}: {ran:?}");
        let words = "refers to the variable ACME_KEY, which is not set";
        assert!(ran.err.contains(words), "{ran:?}");
        let profile = ["models", "auth", "token", "--profile", "minimax:default"];
        let ran = with(&world, &profile, &[]);
        assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{text:?}: {ran:?}");
        assert!(ran.err.contains(words), "{ran:?}");
        let set = [("ACME_KEY", "'mm-0123456789' ")];
        let ran = with(&world, &TOKEN, &set);
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (0, "mm-0123456789\n"),
            "{ran:?}"
        );
        let ran = with(&world, &[&TOKEN[..], &["--header"]].concat(), &set);
        assert_eq!(ran.out, "Authorization: Bearer mm-0123456789\n", "{ran:?}");
        world.write(".env", "ACME_KEY=mm-of-the-file");
        assert_eq!(with(&world, &TOKEN, &[]).out, "mm-of-the-file\n");
        // Nothing of it is written: the reference stays.
        let paste = ["models", "auth", "paste-token", "--provider", "anthropic"];
        assert_eq!(world.pipe(&paste, &setup_token()).code, 0);
        assert_eq!(world.store()["profiles"]["minimax:default"]["key"], text);
    }
}

#[test]
fn a_reference_in_the_configuration_and_in_a_variable_is_resolved() {
    for key in ["${ACME_KEY}", "$ACME_KEY", "secretref-env:ACME_KEY"] {
        let world = World::new();
        let config = json!({ "models": { "providers": { "minimax": { "apiKey": key } } } });
        world.write("openclaw.json", &config.to_string());
        let ran = with(&world, &TOKEN, &[]);
        assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{key}: {ran:?}");
        let ran = with(&world, &TOKEN, &[("ACME_KEY", "mm-0123456789")]);
        assert_eq!(ran.out, "mm-0123456789\n", "{key}: {ran:?}");
        let world = World::new();
        world.write(".env", &format!("MINIMAX_API_KEY='{key}'"));
        let ran = with(&world, &TOKEN, &[]);
        assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{key}: {ran:?}");
        let ran = with(&world, &TOKEN, &[("ACME_KEY", "mm-0123456789")]);
        assert_eq!(ran.out, "mm-0123456789\n", "{key}: {ran:?}");
    }
}

#[test]
fn a_key_in_a_variable_is_cleaned_as_a_pasted_one() {
    let world = World::new();
    for (value, key) in [
        ("\"mm-1=\"", "mm-1="),
        (" 'mm-1=' ", "mm-1="),
        ("mm-1=\r\n", "mm-1="),
        ("mm-\n1=", "mm-1="),
        ("\u{feff}mm-1=\u{200b}", "mm-1="),
        ("export MINIMAX_API_KEY=mm-1=;", "mm-1="),
        ("mm=1", "mm=1"),
    ] {
        let ran = with(&world, &TOKEN, &[("MINIMAX_API_KEY", value)]);
        assert_eq!(ran.out.trim_end(), key, "{value:?}: {ran:?}");
    }
    for none in [
        "\u{200b}",
        "''",
        " \u{2060}\t",
        "\"\u{feff}\"",
        "mm\u{1b}[31m",
    ] {
        let ran = with(&world, &TOKEN, &[("MINIMAX_API_KEY", none)]);
        assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{none:?}: {ran:?}");
    }
}

#[test]
fn a_variable_with_a_control_character_is_named() {
    let world = World::new();
    let ran = with(&world, &TOKEN, &[("MINIMAX_API_KEY", "mm\u{1b}[31m-1")]);
    let words =
        "the variable MINIMAX_API_KEY holds a character that no header may hold (U+001B at 3)";
    assert!(ran.err.contains(words), "{ran:?}");
    assert!(!ran.err.contains("mm\u{1b}"), "{ran:?}");
}

#[test]
fn a_secret_that_openclaw_keeps_elsewhere_is_said_to_be_there_and_not_logged_in_over() {
    let world = World::new();
    let login = json!({ "type": "oauth", "provider": "openai-codex",
        "oauthRef": { "source": "openclaw-credentials", "id": "0f" } });
    let profiles = json!({ "openai-codex:default": login });
    let store = json!({ "version": 1, "profiles": profiles });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    for named in [
        ["--provider", "openai-codex"],
        ["--profile", "openai-codex:default"],
    ] {
        let ran = world.run(&[&["models", "auth", "token"][..], &named].concat());
        assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{ran:?}");
        let words = "openai-codex:default keeps its secret elsewhere, where only OpenClaw reads it";
        assert!(ran.err.contains(words), "{ran:?}");
        let hint = "use it with OpenClaw, or store one of your own: \
                    openclaw models auth login --provider openai-codex";
        assert!(ran.err.trim_end().ends_with(hint), "{ran:?}");
    }
}

#[test]
fn a_key_that_is_stored_beside_a_reference_counts_before_it() {
    let world = World::new();
    let mut key = json!({ "type": "api_key", "provider": "minimax",
        "keyRef": { "source": "exec", "id": "k" } });
    let store = json!({ "version": 1, "profiles": { "minimax:default": key } });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    let ran = world.run(&TOKEN);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
    let words = "minimax:default refers to the secret exec:default:k: \
                 secrets.providers.default is not configured";
    assert!(ran.err.contains(words), "{ran:?}");
    key["key"] = json!("mm-0123456789abcdef");
    let store = json!({ "version": 1, "profiles": { "minimax:default": key } });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    let ran = world.run(&TOKEN);
    assert_eq!(ran.out, "mm-0123456789abcdef\n", "{ran:?}");
}

#[test]
fn a_stored_secret_with_a_line_break_reaches_no_header() {
    for text in ["mm-1\nX-Evil: 1", "mm-1\rX", "mm-1\u{0}X"] {
        let world = stored(text);
        let ran = with(&world, &[&TOKEN[..], &["--header"]].concat(), &[]);
        assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{text:?}: {ran:?}");
        let words = "holds a character that no header may hold (U+00";
        assert!(ran.err.contains(words), "{ran:?}");
        let exec = [
            "models",
            "auth",
            "exec",
            "--provider",
            "minimax",
            "--",
            "env",
        ];
        let ran = with(&world, &exec, &[]);
        assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{text:?}: {ran:?}");
    }
    let ran = with(
        &stored(" mm-1\n"),
        &[&TOKEN[..], &["--header"]].concat(),
        &[],
    );
    assert_eq!(ran.out, "Authorization: Bearer mm-1\n", "{ran:?}");
    let ran = with(&stored("\u{200b}"), &TOKEN, &[]);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{ran:?}");
}
