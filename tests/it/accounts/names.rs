//! What people call a provider or a profile: everyday names, e-mail addresses, beginnings.

use serde_json::json;

use crate::support::World;

const STORE: &str = "agents/main/agent/auth-profiles.json";

fn world() -> World {
    let world = World::new();
    let token = |token: &str| json!({ "type": "token", "provider": "anthropic", "token": token });
    let key =
        |provider: &str, key: &str| json!({ "type": "api_key", "provider": provider, "key": key });
    let mut me = token("token-me");
    me["email"] = "me@example.com".into();
    let store = json!({ "version": 1, "profiles": {
        "anthropic:work@corp.example": token("token-work"),
        "anthropic:second": me,
        "anthropic:second-best": token("token-best"),
        "openai:home": key("openai", "key-home"),
        "google:home": key("google", "key-google"),
        "-dashed": key("openai", "key-dashed"),
    } });
    world.write(STORE, &store.to_string());
    world
}

/// Each token that is printed, or what is said on standard error.
fn token(world: &World, args: &[&str]) -> String {
    let ran = world.run(&[&["models", "auth", "token"][..], args].concat());
    match ran.code {
        0 => ran.out.trim_end().to_owned(),
        _ => ran.err,
    }
}

#[test]
fn everyday_names_of_providers_are_understood() {
    let world = world();
    for (name, printed) in [
        ("claude", "token-work"),
        ("Claude", "token-work"),
        ("gpt", "key-home"),
        ("gemini", "key-google"),
    ] {
        assert_eq!(token(&world, &["--provider", name]), printed, "{name}");
    }
    for (name, id) in [
        ("chatgpt", "openai-codex"),
        ("codex", "openai-codex"),
        ("copilot", "github-copilot"),
        ("grok", "xai"),
    ] {
        let said = token(&world, &["--provider", name]);
        assert!(said.contains(&format!("for {id}")), "{name}: {said}");
    }
}

#[test]
fn an_everyday_name_is_understood_wherever_a_provider_is_named() {
    let world = world();
    for line in [
        "models auth explain --provider claude",
        "models auth list --provider claude",
        "models auth providers --provider claude",
        "models auth order get --provider claude",
        "models auth order set --provider claude second",
        "models auth order clear --provider claude",
        "models auth cooldown clear --provider claude",
        "models auth use second",
        "models auth use --clear --provider claude",
        "models auth token --model claude/claude-opus-4-6",
        "models auth exec --provider claude -- true",
        "models list --provider claude",
        "provider claude token-status",
    ] {
        let args: Vec<&str> = line.split(' ').collect();
        let ran = world.run(&args);
        assert_eq!(ran.code, 0, "{line}: {ran:?}");
    }
    let ran = world.pipe(
        &["models", "auth", "paste-api-key", "--provider", "grok"],
        "xai-MARKER",
    );
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(world.store()["profiles"]["xai:manual"]["provider"], "xai");
}

#[test]
fn a_provider_of_ones_own_keeps_its_name() {
    let world = world();
    let manifest = "schema = 1\nid = \"codex\"\nname = \"Mine\"\n[[flow]]\nkind = \"key\"\n";
    world.write("providers/codex.toml", manifest);
    let paste = ["models", "auth", "paste-api-key", "--provider", "codex"];
    assert_eq!(world.pipe(&paste, "mine").code, 0);
    assert_eq!(token(&world, &["--provider", "codex"]), "mine");
    std::fs::remove_file(world.state().join("providers/codex.toml")).unwrap();
    // Its credential is still there.
    assert_eq!(token(&world, &["--provider", "codex"]), "mine");
}

#[test]
fn a_name_that_several_providers_share_is_asked_about() {
    let said = token(&world(), &["--provider", "kimi"]);
    assert!(said.contains("kimi-coding or moonshot"), "{said}");
}

#[test]
fn a_misspelt_everyday_name_brings_its_provider() {
    let world = world();
    for (name, id) in [
        ("gork", "xai"),
        ("claud", "anthropic"),
        ("antropic", "anthropic"),
    ] {
        let said = token(&world, &["--provider", name]);
        assert!(
            said.contains(&format!("did you mean {id}")),
            "{name}: {said}"
        );
    }
    let ran = world.run(&["models", "auth", "list", "--provider", "nope"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("unknown provider nope"), "{ran:?}");
}

#[test]
fn a_profile_is_named_by_what_tells_it_from_the_others() {
    let world = world();
    for (name, printed) in [
        ("anthropic:second", "token-me"),
        ("second", "token-me"),
        ("SECOND", "token-me"),
        ("me@example.com", "token-me"),
        ("me", "token-me"),
        ("work", "token-work"),
        ("work@corp.example", "token-work"),
        ("anthropic:w", "token-work"),
        ("claude:work@corp.example", "token-work"),
        ("second-", "token-best"),
        ("openai", "key-home"),
    ] {
        assert_eq!(token(&world, &["--profile", name]), printed, "{name}");
    }
    assert_eq!(
        token(&world, &["--model", "opus@me@example.com"]),
        "token-me"
    );
    let said = token(&world, &["--profile", "home"]);
    assert!(said.contains("openai:home"), "{said}");
    assert!(said.contains("google:home"), "{said}");
    let said = token(&world, &["--profile", "scond"]);
    assert!(said.contains("did you mean anthropic:second?"), "{said}");
}

#[test]
fn a_profile_is_so_named_by_every_command() {
    let world = world();
    for line in [
        "models auth use work",
        "models auth report me@example.com --ok",
        "models auth cooldown clear me@example.com",
        "models auth order set --provider anthropic work second",
        "models auth logout me@example.com --yes",
        "models auth history me@example.com",
        "models auth undo me@example.com",
        "models auth explain --profile me@example.com",
    ] {
        let args: Vec<&str> = line.split(' ').collect();
        let ran = world.run(&args);
        assert_eq!(ran.code, 0, "{line}: {ran:?}");
    }
    assert_eq!(token(&world, &["--profile", "me@example.com"]), "token-me");
}

#[test]
fn a_new_credential_goes_where_the_stored_one_of_that_name_is() {
    let world = world();
    let paste = [
        "models",
        "auth",
        "paste-api-key",
        "--provider",
        "openai",
        "--profile-id",
    ];
    for (name, stored) in [
        ("home", "openai:home"),
        ("work", "work"),
        ("gpt:home", "openai:home"),
    ] {
        let ran = world.pipe(&[&paste[..], &[name]].concat(), "sk-new-key");
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(
            ran.out.contains(&format!("Auth profile: {stored} ")),
            "{name}: {ran:?}"
        );
    }
    assert_eq!(token(&world, &["--profile", "openai:home"]), "sk-new-key");
}

#[test]
fn who_has_a_credential_of_the_provider_that_was_meant_is_not_told_to_log_in() {
    let said = token(&world(), &["--provider", "antropic"]);
    assert!(said.contains("say --provider anthropic"), "{said}");
    assert!(!said.contains("auth login"), "{said}");
    let said = token(&world(), &["--provider", "chuts"]);
    assert!(said.contains("auth login --provider chutes"), "{said}");
}

#[test]
fn a_name_with_a_dash_in_front_follows_two_dashes() {
    let world = world();
    for (line, code) in [
        ("models auth use -- -dashed", 0),
        ("models auth report --ok -- -dashed", 0),
        ("models auth cooldown clear -- -dashed", 0),
        ("models auth logout --yes -- -dashed", 0),
        ("models auth history -- -dashed", 0),
        ("models auth undo -- -dashed", 0),
        ("models auth logout -dashed", 1),
    ] {
        let args: Vec<&str> = line.split(' ').collect();
        let ran = world.run(&args);
        assert_eq!(ran.code, code, "{line}: {ran:?}");
    }
    let ran = world.run(&["models", "auth", "logout", "--yes", "--", "-dashed"]);
    assert!(ran.out.contains("models auth undo -- -dashed"), "{ran:?}");
    assert!(
        ran.out.contains("models auth history --clear -- -dashed"),
        "{ran:?}"
    );
}

#[test]
fn a_key_of_a_misspelt_provider_is_not_stored() {
    let world = World::new();
    for verb in ["paste-api-key", "paste-token"] {
        let paste = ["models", "auth", verb, "--provider", "antropic"];
        let ran = world.pipe(&paste, "key-MARKER");
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains("did you mean anthropic?"), "{ran:?}");
        let advice = format!("{verb} --provider anthropic");
        assert!(ran.err.contains(&advice), "{ran:?}");
    }
    assert!(!world.state().join("agents").exists());
    let paste = ["models", "auth", "paste-api-key", "--provider", "antropic"];
    let meant = world.pipe(&[&paste[..], &["--provider-new"]].concat(), "key-MARKER");
    assert_eq!(meant.code, 0, "{meant:?}");
    assert_eq!(token(&world, &["--provider", "antropic"]), "key-MARKER");
    // It is known from now on.
    assert_eq!(world.pipe(&paste, "key-again").code, 0);

    let configured = World::new();
    let config = r#"{ models: { providers: { antropic: { baseUrl: "https://x.test" } } } }"#;
    configured.write("openclaw.json", config);
    assert_eq!(configured.pipe(&paste, "key-MARKER").code, 0);
}

#[test]
fn an_instance_is_named_in_front_of_the_command() {
    let world = World::new();
    let home = world.directory.path().join("home");
    let run = |args: &[&str]| {
        let mut command = world.command(args);
        command.env_remove("OPENCLAW_STATE_DIR");
        crate::support::ran(command.output().unwrap())
    };
    for (options, directory) in [
        (&["--profile", "work"][..], ".openclaw-work"),
        (&["--profile=work"], ".openclaw-work"),
        (&["--dev"], ".openclaw-dev"),
    ] {
        let ran = run(&[
            options,
            &["models", "auth", "order", "get", "--provider", "zai"],
        ]
        .concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        let state = home.join(directory).display().to_string();
        assert!(ran.out.contains(&state), "{ran:?}");
        // Advice leads to the same place, and the other option of that name still has its own.
        let missing = run(&[options, &["models", "auth", "token", "--profile", "x:y"]].concat());
        let advice = match options {
            ["--dev"] => "openclaw --profile dev models auth list",
            _ => "openclaw --profile work models auth list",
        };
        assert!(missing.err.contains(advice), "{missing:?}");
    }
    assert_ne!(run(&["--profile", "../x", "models"]).code, 0);
}

#[test]
fn a_provider_that_nothing_knows_is_refused_where_one_is_asked_about() {
    let world = World::new();
    for line in [
        "models auth order get --provider NAME",
        "models auth order clear --provider NAME",
        "models auth use --clear --provider NAME",
        "models list --provider NAME",
        "models auth list --provider NAME",
    ] {
        let run = |name: &str| {
            let line = line.replace("NAME", name);
            world.run(&line.split(' ').collect::<Vec<_>>())
        };
        let ran = run("antropic");
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
        let near = "unknown provider antropic; did you mean anthropic?";
        assert!(ran.err.contains(near), "{ran:?}");
        assert_eq!(run("claude").code, 0, "{line}");
    }
}

#[test]
fn an_agent_without_a_name_is_refused() {
    let world = World::new();
    for name in ["", " ", "../"] {
        let ran = world.run(&["models", "status", "--agent", name]);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
        assert!(ran.err.contains("at least one letter or digit"), "{ran:?}");
    }
}

#[test]
fn a_method_is_named_as_people_and_as_manifests_name_it() {
    let world = World::new();
    for method in ["browser", "oauth"] {
        let args = ["models", "auth", "login", "--start", "--method", method];
        assert_eq!(world.run(&args).code, 0, "{method}");
    }
    let ran = world.run(&["models", "auth", "login", "--method", "phone"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("it has: oauth, device-code"), "{ran:?}");
}

#[test]
fn a_login_in_two_halves_names_a_port() {
    let world = World::new();
    let manifest = "schema = 1\nid = \"acme\"\nname = \"Acme\"\n[client]\nid = \"c\"\n\
        authorize = \"https://acme.test/a\"\ntoken = \"https://acme.test/t\"\n[[flow]]\n\
        kind = \"browser\"\nhost = \"127.0.0.1\"\nports = [0]\npath = \"/cb\"\n";
    world.write("providers/acme.toml", manifest);
    let ran = world.run(&["models", "auth", "login", "--provider", "acme", "--start"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.out
            .contains("redirect_uri=http%3A%2F%2F127.0.0.1%3A58355%2Fcb"),
        "{ran:?}"
    );
}
