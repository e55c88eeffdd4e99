//! Tokens from a pipe: checked before they are stored, whole, and never shown.

use crate::support::{World, setup_token};

const PASTE: [&str; 5] = ["models", "auth", "paste-token", "--provider", "anthropic"];

#[test]
fn a_wrapped_token_arrives_whole() {
    let world = World::new();
    let token = setup_token();
    let wrapped = format!("  {}\r\n{} \n", &token[..40], &token[40..]);
    let ran = world.pipe(&PASTE, &wrapped);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(
        world.store()["profiles"]["anthropic:manual"]["token"],
        token
    );
    let printed = world.run(&["models", "auth", "token", "--provider", "anthropic"]);
    assert_eq!(printed.out.trim_end(), token);
}

#[test]
fn a_token_of_ten_thousand_bytes_arrives_whole() {
    let world = World::new();
    let token = format!("sk-ant-oat01-{}", "b".repeat(10_000));
    assert_eq!(world.pipe(&PASTE, &token).code, 0);
    assert_eq!(
        world.store()["profiles"]["anthropic:manual"]["token"],
        token
    );
}

#[test]
fn what_is_no_token_is_refused_and_the_old_one_stays() {
    let world = World::new();
    assert_eq!(world.pipe(&PASTE, &setup_token()).code, 0);
    let before = world.read("agents/main/agent/auth-profiles.json");
    for wrong in [
        "",
        " \n",
        "sk-ant-api03-x",
        "sk-ant-oat01-short",
        "Symbol(clack:cancel)",
    ] {
        let ran = world.pipe(&PASTE, wrong);
        assert_eq!(ran.code, 1, "{wrong:?}: {ran:?}");
        assert!(ran.err.contains("Try: "), "{wrong:?}: {ran:?}");
    }
    assert_eq!(world.read("agents/main/agent/auth-profiles.json"), before);
}

const KEY: [&str; 5] = ["models", "auth", "paste-api-key", "--provider", "openai"];

#[test]
fn a_key_is_stored_as_a_key_and_handed_out() {
    let world = World::new();
    let line = "export OPENAI_API_KEY=\"sk-proj-MARKER-\n0123456789\";\n";
    let ran = world.pipe(&KEY, line);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.out
            .starts_with("Agent: main\nAuth profile: openai:manual (openai/api_key)\nKey: sha256:")
    );
    assert!(!format!("{ran:?}").contains("MARKER"), "{ran:?}");
    let expected = serde_json::json!({
        "type": "api_key", "provider": "openai", "key": "sk-proj-MARKER-0123456789",
    });
    assert_eq!(world.store()["profiles"]["openai:manual"], expected);
    let printed = world.run(&["models", "auth", "token", "--provider", "openai"]);
    assert_eq!(printed.out.trim_end(), "sk-proj-MARKER-0123456789");
}

#[test]
fn a_new_key_keeps_what_stands_beside_it_and_loses_the_reference() {
    let world = World::new();
    let profile = serde_json::json!({
        "type": "api_key", "provider": "openai", "key": "old", "keyRef": { "source": "env" },
        "metadata": { "team": "a" }, "custom": [1, 2.50],
    });
    let store = serde_json::json!({ "version": 1, "profiles": { "openai:work": profile } });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    let mut args = KEY.to_vec();
    args.extend(["--profile-id", "openai:work"]);
    let ran = world.pipe(&args, "sk-new");
    assert_eq!(ran.code, 0, "{ran:?}");
    let expected = serde_json::json!({
        "type": "api_key", "provider": "openai", "key": "sk-new",
        "metadata": { "team": "a" }, "custom": [1, 2.50],
    });
    assert_eq!(world.store()["profiles"]["openai:work"], expected);
}

#[test]
fn what_is_no_key_is_refused() {
    let world = World::new();
    world.write(
        "providers/acme.toml",
        "schema = 1\nid = \"acme\"\nname = \"Acme\"\n[[flow]]\nkind = \"key\"\nprefix = \"ak-\"\n",
    );
    let setup = setup_token();
    for (provider, wrong, why) in [
        ("openai", "", "empty"),
        ("openai", "\"\";", "no key provided"),
        ("openai", "sk-…", "character"),
        ("openai", "'sk-1", "character"),
        ("openai", "sk-MARKER\\n", "character"),
        ("openai", "sk\u{2013}MARKER", "character"),
        ("openai", "sk-MARKER****", "is masked"),
        ("openai", "sk-MARKER...x1", "is masked"),
        ("openai", "sk-MARKER # comment", "followed by a comment"),
        ("openai", "sk-MARKER,", "comma"),
        ("groq", "<gsk_MARKER>", "in brackets"),
        ("anthropic", "sk-ant-ort01-MARKER", "is a refresh token"),
        ("anthropic", "sk-ant-sid01-MARKER", "is a session cookie"),
        ("acme", "sk-MARKER", "starts with ak-"),
        ("anthropic", setup.as_str(), "is a token of anthropic"),
        ("openai-codex", "sk-MARKER", "has no API keys"),
        (" ", "sk-MARKER", "provider"),
    ] {
        let args = ["models", "auth", "paste-api-key", "--provider", provider];
        let ran = world.pipe(&args, wrong);
        assert_eq!(ran.code, 1, "{provider} {wrong:?}: {ran:?}");
        assert!(ran.err.contains(why), "{provider} {wrong:?}: {ran:?}");
        assert!(!format!("{ran:?}").contains("MARKER"), "{ran:?}");
        assert!(
            !why.starts_with("is a ") || !ran.err.contains("paste-api-key"),
            "{ran:?}"
        );
    }
    let store = world.state().join("agents/main/agent/auth-profiles.json");
    assert!(!store.exists());
    let args = ["models", "auth", "paste-api-key", "--provider", "acme"];
    assert_eq!(world.pipe(&args, "ACME_KEY=ak-MARKER").code, 0);
    assert_eq!(world.store()["profiles"]["acme:manual"]["key"], "ak-MARKER");
}

#[test]
fn a_login_where_there_are_only_keys_takes_one() {
    let world = World::new();
    let ran = world.pipe(
        &["models", "auth", "login", "--provider", "groq"],
        "gsk_MARKER",
    );
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(
        world.store()["profiles"]["groq:manual"]["key"],
        "gsk_MARKER"
    );
    let method = [
        "models",
        "auth",
        "login",
        "--provider",
        "anthropic",
        "--method",
        "api-key",
    ];
    let ran = world.pipe(&method, "sk-ant-api03-MARKER");
    assert_eq!(ran.code, 0, "{ran:?}");
    let stored = &world.store()["profiles"]["anthropic:manual"];
    assert_eq!(stored["type"], "api_key");
}

#[test]
fn an_expiry_is_checked_before_the_token_is_asked_for() {
    let world = World::new();
    let mut args = PASTE.to_vec();
    args.extend(["--expires-in", "5x"]);
    let ran = world.pipe(&args, "");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("'5x'"), "{ran:?}");
}

#[test]
fn a_broken_store_is_set_aside_and_never_overwritten() {
    let world = World::new();
    world.write("agents/main/agent/auth-profiles.json", "{ not json");
    let ran = world.run(&["models", "auth", "token", "--provider", "anthropic"]);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert_eq!(world.pipe(&PASTE, &setup_token()).code, 0);
    let directory = world.state().join("agents/main/agent");
    let aside = std::fs::read_dir(directory)
        .unwrap()
        .flatten()
        .find(|entry| entry.file_name().to_string_lossy().contains("unreadable"));
    assert_eq!(
        std::fs::read_to_string(aside.unwrap().path()).unwrap(),
        "{ not json"
    );
}

#[test]
fn nothing_that_is_printed_holds_a_secret() {
    let world = World::new();
    let token = setup_token();
    let mut outputs = vec![world.pipe(&PASTE, &token), world.pipe(&PASTE, &token[..60])];
    for args in [
        &["models", "status"][..],
        &["models", "status", "--json"],
        &["models", "auth", "list"],
        &["models", "auth", "list", "--json"],
        &["models", "auth", "refresh"],
        &["models", "auth", "token", "--provider", "openai-codex"],
        &["agents", "list"],
        &["models", "auth", "logout", "anthropic:manual", "--dry-run"],
        &["models", "auth", "logout", "anthropic:manual"],
        &["models", "auth", "logout", "anthropic:manual", "--yes"],
    ] {
        let mut verbose = vec!["-vvv"];
        verbose.extend(args);
        outputs.push(world.run(&verbose));
    }
    for ran in outputs {
        let text = format!("{}{}", ran.out, ran.err);
        assert!(!text.contains("MARKER"), "{ran:?}");
    }
}

#[test]
fn logout_forgets_every_mention() {
    let world = World::new();
    assert_eq!(world.pipe(&PASTE, &setup_token()).code, 0);
    let mut store = world.store();
    store["order"] = serde_json::json!({ "anthropic": ["anthropic:manual"] });
    store["lastGood"] = serde_json::json!({ "anthropic": "anthropic:manual" });
    store["usageStats"] = serde_json::json!({ "anthropic:manual": { "lastUsed": 1 } });
    store["fromTheFuture"] = serde_json::json!({ "kept": [1, 2.50] });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    let unsure = world.run(&["models", "auth", "logout", "anthropic:manual"]);
    assert_eq!(unsure.code, 1, "{unsure:?}");
    assert_eq!(world.store(), store);
    let ran = world.run(&["models", "auth", "logout", "anthropic:manual", "--yes"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let left = world.store();
    assert_eq!(
        left,
        serde_json::json!({
            "version": 1, "profiles": {}, "fromTheFuture": { "kept": [1, 2.50] },
        })
    );
}

pub(super) fn refused(world: &World, args: &[&str], pasted: &str, why: &str, advice: &str) {
    let ran = world.pipe(&[&["models", "auth"][..], args].concat(), pasted);
    assert_eq!(ran.code, 1, "{args:?}: {ran:?}");
    assert!(ran.err.contains(why), "{args:?}: {ran:?}");
    assert!(ran.err.contains(advice), "{args:?}: {ran:?}");
    assert!(!format!("{ran:?}").contains("MARKER"), "{ran:?}");
    assert!(!world.state().join("agents").exists(), "{args:?}");
}

#[test]
fn a_token_that_a_terminal_cut_is_refused() {
    let world = World::new();
    let token = setup_token();
    for width in [79, 80, 100, token.len() - 1] {
        for verb in [
            &["paste-token", "--provider", "anthropic"][..],
            &["setup-token", "--yes"],
        ] {
            refused(
                &world,
                verb,
                &token[..width],
                "probably cut",
                "copy the whole token",
            );
        }
    }
}

#[test]
fn what_was_pasted_twice_or_joined_is_refused() {
    let world = World::new();
    let (token, key) = (setup_token(), "sk-MARKER-0123456789");
    let other = token.replace("aa", "bb");
    let anthropic = ["paste-token", "--provider", "anthropic"];
    let openai = ["paste-api-key", "--provider", "openai"];
    for (args, pasted, why) in [
        (anthropic, format!("{token}{token}"), "pasted twice"),
        (anthropic, format!("{token}\n{token}\n"), "pasted twice"),
        (anthropic, format!("{token}\n{other}\n"), "two of them"),
        (anthropic, format!("{token}{other}"), "two of them"),
        (openai, format!("{key}{key}"), "pasted twice"),
        (openai, format!("{key}\n{key}"), "pasted twice"),
        (openai, format!("{key}\nsk-MARKER-other\n"), "two of them"),
    ] {
        refused(&world, &args, &pasted, why, "paste one, once");
    }
}

#[test]
fn a_secret_of_another_provider_or_kind_is_refused_with_its_own_command() {
    let world = World::new();
    let token = setup_token();
    for (args, pasted, advice) in [
        (
            "paste-token openai-codex",
            "sk-MARKER",
            "paste-api-key --provider openai",
        ),
        (
            "paste-token openai-codex",
            "sk-proj-MARKER",
            "paste-api-key --provider openai",
        ),
        (
            "paste-api-key openai-codex",
            "sk-MARKER",
            "paste-api-key --provider openai",
        ),
        (
            "paste-api-key codex",
            "sk-MARKER",
            "paste-api-key --provider openai",
        ),
        (
            "paste-token anthropic",
            "sk-ant-api03-MARKER",
            "paste-api-key --provider anthropic",
        ),
        (
            "paste-api-key openai",
            "sk-ant-api03-MARKER",
            "paste-api-key --provider anthropic",
        ),
        (
            "paste-api-key openai",
            "gsk_MARKER",
            "paste-api-key --provider groq",
        ),
        (
            "paste-api-key openai",
            "sk-or-v1-MARKER",
            "paste-api-key --provider openrouter",
        ),
        (
            "paste-api-key groq",
            "xai-MARKER",
            "paste-api-key --provider xai",
        ),
        (
            "paste-api-key openai",
            &token,
            "paste-token --provider anthropic",
        ),
        (
            "paste-token github-copilot",
            &token,
            "paste-token --provider anthropic",
        ),
    ] {
        let (verb, provider) = args.split_once(' ').unwrap();
        refused(&world, &[verb, "--provider", provider], pasted, "", advice);
    }
}
