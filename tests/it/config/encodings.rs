//! Texts as editors save them: with a byte order mark, or in another encoding.

use crate::support::{World, setup_token};

const STATUS: [&str; 3] = ["models", "status", "--json"];

#[test]
fn a_byte_order_mark_is_read_and_kept_on_edit() {
    let world = World::new();
    let config =
        "\u{feff}// mine\n{ agents: { list: [{ id: \"main\" }] }, $include: \"./more.json\" }\n";
    world.write("openclaw.json", config);
    world.write(
        "more.json",
        "\u{feff}{ \"logging\": { \"level\": \"info\" } }",
    );
    world.write(".env", "\u{feff}MINIMAX_API_KEY=mm-0123456789");
    world.write("config.yaml", "\u{feff}providers: {}\n");
    world.write(
        "directories.json",
        "\u{feff}{ \"version\": 1, \"directories\": {} }",
    );
    let token = ["models", "auth", "token", "--provider", "minimax"];
    let ran = world.run(&token);
    assert_eq!(ran.out, "mm-0123456789\n", "{ran:?}");
    let ran = world.run(&["models", "set", "minimax/m2"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let edited = world.read("openclaw.json");
    assert!(edited.starts_with("\u{feff}// mine\n"), "{edited}");
    assert!(edited.contains("minimax/m2"), "{edited}");
    assert_eq!(edited.matches('\u{feff}').count(), 1);
    assert_eq!(world.run(&STATUS).code, 0);
}

#[test]
fn a_manifest_with_a_byte_order_mark_is_read() {
    let world = World::new();
    let path = "src/providers/builtin/groq.toml";
    let text = std::fs::read_to_string(path).unwrap();
    world.write("check.toml", &format!("\u{feff}{text}"));
    let path = world.state().join("check.toml").display().to_string();
    let ran = world.run(&["models", "auth", "providers", "check", &path]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn utf16_is_named_and_left_alone() {
    for mark in ["\u{feff}", ""] {
        let world = World::new();
        world.write("openclaw.json", "");
        let path = world.state().join("openclaw.json");
        let text = format!("{mark}{{ \"agents\": {{}} }}");
        let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        std::fs::write(&path, &bytes).unwrap();
        for args in [&STATUS[..], &["models", "set", "minimax/m2"]] {
            let ran = world.run(args);
            assert_eq!(ran.code, 1, "{ran:?}");
            let words = "this is UTF-16 text; save it as UTF-8";
            assert!(ran.err.contains(words), "{ran:?}");
        }
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }
}

#[test]
fn an_order_that_is_null_is_none() {
    let world = World::new();
    world.write(
        "openclaw.json",
        r#"{ auth: { order: { anthropic: null } } }"#,
    );
    let paste = ["models", "auth", "paste-token", "--provider", "anthropic"];
    let ran = world.pipe(&paste, &setup_token());
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = world.run(&["models", "auth", "token", "--provider", "anthropic"]);
    assert_eq!(ran.out.trim(), setup_token(), "{ran:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_place_that_is_no_utf8_is_refused_and_no_other_one_is_used() {
    use std::os::unix::ffi::OsStrExt as _;
    let world = World::new();
    for name in [
        "OPENCLAW_STATE_DIR",
        "OPENCLAW_CONFIG_PATH",
        "OPENCLAW_AGENT_DIR",
        "OPENCLAW_HOME",
        "OPENCLAW_PROFILE",
    ] {
        let mut command = world.command(&["models", "auth", "list"]);
        command.env_remove("OPENCLAW_STATE_DIR");
        command.env(name, std::ffi::OsStr::from_bytes(b"/tmp/\xff\xfe"));
        let ran = crate::support::ran(command.output().unwrap());
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(
            ran.err.contains(&format!("{name} is not valid UTF-8")),
            "{ran:?}"
        );
    }
}

#[test]
fn an_instance_without_a_valid_name_is_refused_and_no_other_one_is_used() {
    let world = World::new();
    for name in ["my work", "../x", "-x"] {
        let mut command = world.command(&["models", "auth", "list"]);
        command.env_remove("OPENCLAW_STATE_DIR");
        command.env("OPENCLAW_PROFILE", name);
        let ran = crate::support::ran(command.output().unwrap());
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(
            ran.err.contains("OPENCLAW_PROFILE is not a name"),
            "{ran:?}"
        );
    }
}

#[test]
fn times_are_read_as_they_are_written() {
    let world = World::new();
    let token = setup_token();
    let entry = |expires: serde_json::Value| {
        serde_json::json!({
            "type": "token", "provider": "anthropic", "token": token, "expires": expires,
        })
    };
    let seconds = crate::support::millis_from_now(3_600) / 1_000;
    let store = serde_json::json!({
        "version": 1,
        "profiles": {
            "anthropic:ended": entry("2024-05-01T00:00:00Z".into()),
            "anthropic:odd": entry("next year".into()),
            "anthropic:other": entry("2099-01-01".into()),
        },
        "usageStats": { "anthropic:odd": { "cooldownUntil": seconds } },
    });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    let token = |profile: &str| {
        let args = ["models", "auth", "token", "--profile", profile];
        world.run(&args)
    };
    assert_eq!(token("anthropic:ended").code, 3);
    assert_eq!(token("anthropic:other").code, 0);
    let ran = world.run(&["models", "auth", "cooldown", "list"]);
    assert!(ran.out.contains("anthropic:odd"), "{ran:?}");
    let ran = world.run(&STATUS);
    let words = "the stored expiry of anthropic:odd is no time";
    assert!(
        ran.out.contains(words) || ran.err.contains(words),
        "{ran:?}"
    );
}

#[test]
fn a_login_whose_secrets_another_release_keeps_is_elsewhere() {
    let world = World::new();
    let store = serde_json::json!({
        "version": 1,
        "profiles": { "openai-codex:default": {
            "type": "oauth", "provider": "openai-codex",
            "oauthRef": { "source": "openclaw-credentials", "provider": "openai-codex", "id": "1" },
        } },
    });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    let ran = world.run(&STATUS);
    assert!(ran.out.contains("\"elsewhere\""), "{ran:?}");
}
