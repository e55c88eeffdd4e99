//! Keys from the environment: where they are looked for, in which order, and when a login shell is
//! started for them. Each case is the real program with a home, a state and a shell of its own.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Ran, World, ran, setup_token};

const STATUS: [&str; 3] = ["models", "status", "--json"];

pub(super) fn with(world: &World, args: &[&str], env: &[(&str, &str)]) -> Ran {
    let mut command = world.command(args);
    command.envs(env.iter().copied());
    ran(command.output().unwrap())
}

fn status(world: &World, env: &[(&str, &str)]) -> Value {
    let ran = with(world, &STATUS, env);
    assert_eq!(ran.code, 0, "{ran:?}");
    serde_json::from_str(&ran.out).unwrap()
}

/// The `env` member of one provider's row, or null.
fn env_of(report: &Value, provider: &str) -> Value {
    let rows = report["auth"]["providers"].as_array().unwrap();
    let row = rows.iter().find(|row| row["provider"] == provider);
    row.map_or(Value::Null, |row| row["env"].clone())
}

/// A shell that notes each start of its own in `started`, then does what `body` says.
pub(crate) fn shell(world: &World, body: &str) -> String {
    let path = world.directory.path().join("shell");
    let note = started(world);
    let text = format!("#!/bin/sh\necho \"$*\" >> '{}'\n{body}\n", note.display());
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

fn started(world: &World) -> PathBuf {
    world.directory.path().join("started")
}

#[test]
fn the_process_beats_the_file_and_the_file_beats_the_configuration() {
    let world = World::new();
    world.write(
        ".env",
        "OPENAI_API_KEY=sk-openai-of-the-env-file-0123456789\n\
         export GROQ_API_KEY='gsk-groq-of-the-env-file-$HOME-01234'  # a dollar is no reference\n",
    );
    world.write(
        "openclaw.json",
        r#"{ env: {
            OPENAI_API_KEY: "sk-openai-of-the-config-0123456789",
            GROQ_API_KEY: "gsk-groq-of-the-config-0123456789",
            XAI_API_KEY: "xai-direct-0123456789-0123456789",
            vars: { XAI_API_KEY: "xai-vars-0123456789-0123456789", MISTRAL_API_KEY: "${REFERRED}" },
        } }"#,
    );
    let set = [
        ("OPENAI_API_KEY", "sk-openai-of-the-process-0123456789"),
        ("REFERRED", "mistral-referred-to-0123456789-0123"),
    ];
    let report = status(&world, &set);
    for (provider, name, masked) in [
        ("openai", "OPENAI_API_KEY", "sk...89"),
        ("groq", "GROQ_API_KEY", "gs...34"),
        ("xai", "XAI_API_KEY", "xa...89"),
        ("mistral", "MISTRAL_API_KEY", "mi...23"),
    ] {
        let expected = json!({ "value": masked, "source": format!("env: {name}") });
        assert_eq!(env_of(&report, provider), expected, "{provider}");
    }
    let all = with(&world, &["-vvv", "models", "status"], &set);
    assert!(all.out.contains("env: GROQ_API_KEY"), "{all:?}");
    for secret in ["of-the", "referred-to", "xai-direct"] {
        assert!(
            !format!("{all:?}{report}").contains(secret),
            "{secret}: {all:?}"
        );
    }
    for (provider, env, token) in [
        ("openai", &set[..], set[0].1),
        ("openai", &[], "sk-openai-of-the-env-file-0123456789"),
        ("groq", &[], "gsk-groq-of-the-env-file-$HOME-01234"),
        ("xai", &[], "xai-direct-0123456789-0123456789"),
        ("mistral", &set, set[1].1),
    ] {
        let ran = with(
            &world,
            &["models", "auth", "token", "--provider", provider],
            env,
        );
        assert_eq!((ran.code, ran.out.trim_end()), (0, token), "{ran:?}");
    }
}

#[test]
fn the_first_variable_that_is_not_blank_wins() {
    let world = World::new();
    for variables in [
        "anthropic ANTHROPIC_OAUTH_TOKEN ANTHROPIC_API_KEY",
        "github-copilot COPILOT_GITHUB_TOKEN GH_TOKEN GITHUB_TOKEN",
        "chutes CHUTES_OAUTH_TOKEN CHUTES_API_KEY",
        "zai ZAI_API_KEY Z_AI_API_KEY",
        "opencode OPENCODE_API_KEY OPENCODE_ZEN_API_KEY",
        "qwen-portal QWEN_OAUTH_TOKEN QWEN_PORTAL_API_KEY",
        "kimi-coding KIMI_API_KEY KIMICODE_API_KEY",
        "minimax-portal MINIMAX_OAUTH_TOKEN MINIMAX_API_KEY",
    ] {
        let (provider, names) = variables.split_once(' ').unwrap();
        let mut env: Vec<(&str, &str)> = names.split(' ').map(|name| (name, name)).collect();
        while let Some((_, value)) = env.iter().find(|(_, value)| *value != " ").copied() {
            let token = ["models", "auth", "token", "--provider", provider];
            let ran = with(&world, &token, &env);
            assert_eq!((ran.code, ran.out.trim_end()), (0, value), "{ran:?}");
            env.iter_mut().find(|(name, _)| *name == value).unwrap().1 = " ";
        }
    }
}

#[test]
fn a_file_in_the_working_directory_does_not_count() {
    let world = World::new();
    let here = world.directory.path().join(".env");
    std::fs::write(
        here,
        "OPENAI_API_KEY=sk-of-a-stranger-0123456789-0123456789\n",
    )
    .unwrap();
    assert_eq!(env_of(&status(&world, &[]), "openai"), Value::Null);
    let ran = world.run(&["models", "auth", "token", "--provider", "openai"]);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{ran:?}");
}

#[test]
fn the_file_answers_references_of_the_configuration() {
    let world = World::new();
    world.write(".env", "ACME_KEY=acme-key-of-the-env-file-0123456789\n");
    world.write(
        "openclaw.json",
        r#"{ models: { providers: { acme: { apiKey: "${ACME_KEY}" }, own: { apiKey: "${OWN}" } } },
             env: { vars: { OWN: "own-key-of-the-config-0123456789-0123" } } }"#,
    );
    let report = status(&world, &[]);
    let rows = report["auth"]["providers"].as_array().unwrap();
    let masked = |name| {
        let row = rows.iter().find(|row| row["provider"] == name).unwrap();
        row["modelsJson"]["value"].as_str().unwrap().to_owned()
    };
    assert_eq!(masked("acme"), "ac...89");
    assert_eq!(masked("own"), "ow...23");
}

#[test]
fn a_fresh_token_reads_no_file_of_keys_and_starts_no_shell() {
    let world = World::new();
    world.write("openclaw.json", "{ env: { shellEnv: { enabled: true } } }");
    let paste = ["models", "auth", "paste-token", "--provider", "anthropic"];
    assert_eq!(world.pipe(&paste, &setup_token()).code, 0);
    let shell = shell(&world, "exec env -0");
    // Whoever opens this file waits until somebody writes to it, and nobody does.
    let made = Command::new("mkfifo")
        .arg(world.state().join(".env"))
        .status();
    assert!(made.unwrap().success());
    let token = ["models", "auth", "token", "--provider", "anthropic"];
    let ran = with(&world, &token, &[("SHELL", &shell)]);
    assert_eq!(
        (ran.code, ran.out.trim_end()),
        (0, &*setup_token()),
        "{ran:?}"
    );
    assert!(!started(&world).exists());
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let world = World::new();
    std::fs::create_dir_all(world.state().join(".env")).unwrap();
    let report = status(&world, &[]);
    let faults = report["openclaw"]["faults"].to_string();
    assert!(faults.contains("/state/.env: "), "{faults}");
    let ran = world.run(&["models", "auth", "token", "--provider", "openai"]);
    assert!(
        ran.code == 3 && ran.err.contains("/state/.env: "),
        "{ran:?}"
    );
}

#[test]
fn a_login_shell_is_asked_where_that_is_wanted() {
    let world = World::new();
    let shell = shell(
        &world,
        "echo welcome\nGEMINI_API_KEY=gemini-key-of-the-profile-0123456789 \
         GROQ_API_KEY=gsk-not-on-the-list-0123456789 MINIMAX_API_KEY=' ' \
         OPENROUTER_API_KEY=sk-or-of-the-profile-0123456789-01234 exec env -0",
    );
    let off = [("SHELL", &*shell)];
    let fallback = json!({ "enabled": false, "appliedKeys": [] });
    let report = status(&world, &off);
    assert_eq!(report["auth"]["shellEnvFallback"], fallback);
    assert!(!started(&world).exists(), "nobody asked for it");

    let on = [off[0], ("OPENCLAW_LOAD_SHELL_ENV", "Yes")];
    let applied =
        json!({ "enabled": true, "appliedKeys": ["GEMINI_API_KEY", "OPENROUTER_API_KEY"] });
    let report = status(&world, &on);
    assert_eq!(report["auth"]["shellEnvFallback"], applied);
    let expected = json!({ "value": "ge...89", "source": "shell env: GEMINI_API_KEY" });
    assert_eq!(env_of(&report, "google"), expected);
    assert_eq!(env_of(&report, "groq"), Value::Null);
    let note = std::fs::read_to_string(started(&world)).unwrap();
    assert_eq!(note, "-l -c env -0\n", "once, as a login shell");
    let ran = with(
        &world,
        &["models", "auth", "token", "--provider", "google"],
        &on,
    );
    assert_eq!(ran.out.trim_end(), "gemini-key-of-the-profile-0123456789");

    world.write("openclaw.json", "{ env: { shellEnv: { enabled: true } } }");
    assert_eq!(status(&world, &off)["auth"]["shellEnvFallback"], applied);
}

#[test]
fn a_login_shell_is_not_started_for_nothing() {
    let world = World::new();
    let shell = shell(&world, "exec env -0");
    let on = [("SHELL", &*shell), ("OPENCLAW_LOAD_SHELL_ENV", "1")];
    let one_is_set = [on[0], on[1], ("DISCORD_BOT_TOKEN", "x")];
    let old_name = [on[0], on[1], ("Z_AI_API_KEY", "x")];
    let deferred = [on[0], on[1], ("OPENCLAW_DEFER_SHELL_ENV_FALLBACK", "true")];
    for env in [one_is_set, old_name, deferred] {
        let fallback = json!({ "enabled": true, "appliedKeys": [] });
        assert_eq!(status(&world, &env)["auth"]["shellEnvFallback"], fallback);
    }
    world.write(
        ".env",
        "OPENAI_API_KEY=sk-set-in-the-file-0123456789-012345\n",
    );
    status(&world, &on);
    assert!(!started(&world).exists());
}

#[test]
fn a_login_shell_that_fails_is_a_fault_and_no_failure() {
    let marker = "MARKER-of-a-profile";
    for (body, why) in [
        (
            format!("echo {marker}; echo {marker} >&2; exit 7"),
            "exit status: 7",
        ),
        (
            format!("echo {marker}; exec sleep 600"),
            "no output within 300 ms",
        ),
        (format!("yes {marker}"), "output too long"),
    ] {
        let world = World::new();
        let shell = shell(&world, &body);
        let mut env = vec![("SHELL", &*shell), ("OPENCLAW_LOAD_SHELL_ENV", "on")];
        if body.contains("sleep") {
            env.push(("OPENCLAW_SHELL_ENV_TIMEOUT_MS", "300"));
        }
        let ran = with(&world, &STATUS, &env);
        let report: Value = serde_json::from_str(&ran.out).unwrap();
        let faults = report["openclaw"]["faults"].to_string();
        assert!(ran.code == 0 && faults.contains(why), "{why}: {ran:?}");
        assert!(!format!("{ran:?}").contains(marker), "{why}: {ran:?}");
    }
}

#[test]
fn the_configuration_bounds_a_login_shell_first() {
    let world = World::new();
    let shell = shell(&world, "exec sleep 600");
    let text = "{ env: { shellEnv: { enabled: true, timeoutMs: 200 } } }";
    world.write("openclaw.json", text);
    let env = [
        ("SHELL", &*shell),
        ("OPENCLAW_SHELL_ENV_TIMEOUT_MS", "600000"),
    ];
    let faults = status(&world, &env)["openclaw"]["faults"].to_string();
    assert!(faults.contains("within 200 ms"), "{faults}");
}

#[test]
fn sign_ins_of_other_software_speak_for_their_provider_and_give_no_token() {
    let world = World::new();
    let model = r#"{ agents: { defaults: { model: { primary: "amazon-bedrock/claude" } } } }"#;
    world.write("openclaw.json", model);
    let bearer = "bedrock-bearer-0123456789-0123456789";
    let pair = [
        ("AWS_ACCESS_KEY_ID", "AKIA0"),
        ("AWS_SECRET_ACCESS_KEY", "aws-secret"),
    ];
    let profile = ("AWS_PROFILE", "work");
    let check = ["models", "status", "--check"];
    for (env, value, source) in [
        (
            vec![
                ("AWS_BEARER_TOKEN_BEDROCK", bearer),
                pair[0],
                pair[1],
                profile,
            ],
            "be...89",
            "env: AWS_BEARER_TOKEN_BEDROCK",
        ),
        (
            vec![pair[0], pair[1], profile],
            "<authenticated>",
            "env: AWS_ACCESS_KEY_ID + AWS_SECRET_ACCESS_KEY",
        ),
        (
            vec![pair[0], profile],
            "<authenticated>",
            "env: AWS_PROFILE",
        ),
    ] {
        let found = env_of(&status(&world, &env), "amazon-bedrock");
        assert_eq!(found, json!({ "value": value, "source": source }));
        assert_eq!(with(&world, &check, &env).code, 0);
    }
    assert_eq!(
        env_of(&status(&world, &pair[..1]), "amazon-bedrock"),
        Value::Null
    );
    assert_eq!(with(&world, &check, &pair[..1]).code, 1);
    let token = ["models", "auth", "token", "--provider", "amazon-bedrock"];
    let ran = with(&world, &token, &[profile]);
    assert!(ran.code == 3 && ran.out.is_empty(), "{ran:?}");
    assert!(
        ran.err.contains("signed in through env: AWS_PROFILE"),
        "{ran:?}"
    );
}

#[test]
fn google_vertex_needs_its_file_its_project_and_its_place() {
    let world = World::new();
    let home = world.directory.path().join("home/.config/gcloud");
    std::fs::create_dir_all(&home).unwrap();
    let usual = home.join("application_default_credentials.json");
    let named = world.directory.path().join("adc.json");
    let file = ("GOOGLE_APPLICATION_CREDENTIALS", named.to_str().unwrap());
    let place = ("GOOGLE_CLOUD_LOCATION", "europe-west1");
    let project = ("GCLOUD_PROJECT", "p");
    let vertex = |env: &[(&str, &str)]| env_of(&status(&world, env), "google-vertex");
    let there = json!({ "value": "<authenticated>", "source": "gcloud adc" });

    assert_eq!(vertex(&[file, place, project]), Value::Null, "no such file");
    std::fs::write(&named, "{}").unwrap();
    assert_eq!(vertex(&[file, place, project]), there);
    assert_eq!(
        vertex(&[place, project]),
        Value::Null,
        "nothing at the usual place"
    );
    std::fs::rename(&named, &usual).unwrap();
    assert_eq!(vertex(&[place, ("GOOGLE_CLOUD_PROJECT", "p")]), there);
    assert_eq!(
        vertex(&[file, place, project]),
        Value::Null,
        "the variable comes first"
    );
    assert_eq!(vertex(&[place]), Value::Null);
    assert_eq!(vertex(&[project]), Value::Null);

    let login = ["models", "auth", "login", "--provider", "google-vertex"];
    let ran = world.run(&login);
    assert!(
        ran.err.contains("gcloud auth application-default login"),
        "{ran:?}"
    );
}
