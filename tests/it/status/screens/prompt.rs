//! `models status --prompt`: short, silent while all is well, and never a failure.

use crate::support::issuer::Account;

use super::{at, stores};
use crate::support::{World, recorded};

/// What it prints; it exits with 0 and says nothing else, whatever is wrong.
fn prompt(world: &World, args: &[&str]) -> String {
    let ran = world.run(&[&["models", "status", "--prompt"], args].concat());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    let text = ran.out.strip_suffix('\n').unwrap_or(&ran.out);
    assert!(!text.contains(['\n', '\u{1b}']), "{text:?}");
    text.to_owned()
}

#[test]
fn a_prompt_is_silent_while_all_is_well() {
    assert_eq!(World::new().run(&["models", "status", "--prompt"]).out, "");
    for store in [
        "api-key",
        "oauth-ok",
        "oauth-expired",
        "token-static",
        "two-accounts",
    ] {
        let (world, _, _) = recorded::world(store);
        assert_eq!(prompt(&world, &[]), "", "{store}");
    }
}

#[test]
fn a_prompt_names_what_ends_and_what_has_ended() {
    let of = |store: &str| prompt(&recorded::world(store).0, &[]);
    assert_eq!(of("token-expired"), "anthropic!");
    assert_eq!(of("token-expiring"), "anthropic 12h");
    let week = stores::week();
    let ends = "anthropic:default 2h, google-gemini-cli 30h, codex 3d, +1";
    assert_eq!(prompt(&week, &[]), ends);
    assert_eq!(prompt(&week, &["--provider", "CODEX"]), "codex 3d");
    assert_eq!(prompt(&week, &["--provider", "openai-codex"]), "");
}

#[test]
fn a_provider_that_was_asked_for_must_not_be_without_a_credential() {
    let world = World::new();
    let two = ["--provider", "groq", "--provider", "zai"];
    assert_eq!(prompt(&world, &two), "groq!, zai!");
    let mut command = world.command(&["models", "status", "--prompt", "--provider", "groq"]);
    let ran = command
        .env("GROQ_API_KEY", "gsk-0123456789")
        .output()
        .unwrap();
    assert!(ran.stdout.is_empty(), "{ran:?}");
}

#[test]
fn a_model_counts_only_where_somebody_chose_it() {
    let world = World::new();
    let model = r#"{ agents: { defaults: { model: { primary: "zai/glm-4.7" } } } }"#;
    world.write("openclaw.json", model);
    assert_eq!(prompt(&world, &[]), "zai!");
}

#[test]
fn doubt_is_told_apart() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    issuer.answer_next(crate::support::issuer::Scripted {
        hang_up: true,
        ..Default::default()
    });
    let refresh = world.run(&["models", "auth", "refresh"]);
    assert_eq!(refresh.code, 7, "{refresh:?}");
    assert_eq!(prompt(&world, &[]), "openai-codex?");
}

#[test]
fn what_cannot_be_read_is_what_is_shown() {
    let directory = World::new();
    directory.write("agents/main/agent/auth-profiles.json/in-the-way", "");
    assert_eq!(prompt(&directory, &[]), "openclaw!");
    let (not_json, _, _) = recorded::world("not-json");
    assert_eq!(prompt(&not_json, &[]), "openclaw!");
    let broken = World::new();
    broken.write("openclaw.json", "{ no json");
    assert_eq!(prompt(&broken, &[]), "openclaw!");
    assert_eq!(prompt(&World::new(), &["--agent", "nobody"]), "openclaw!");
}

#[test]
fn a_prompt_writes_nothing_and_never_asks_the_login_shell() {
    let world = World::new();
    world.write(
        "openclaw.json",
        r#"{ env: { shellEnv: { enabled: true } },
            agents: { defaults: { model: { primary: "zai/glm-4.7" } } } }"#,
    );
    let shell = world.directory.path().join("shell");
    std::fs::write(&shell, "#!/bin/sh\ntouch \"$HOME/was-started\"\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&shell, mode).unwrap();
    let ask = |args: &[&str]| {
        let ran = world.command(args).env("SHELL", &shell).output().unwrap();
        assert!(ran.status.success(), "{ran:?}");
        world.directory.path().join("home/was-started").exists()
    };
    assert!(!ask(&["models", "status", "--prompt"]));
    assert_eq!(std::fs::read_dir(world.state()).unwrap().count(), 1);
    // Or the test would prove nothing.
    assert!(ask(&["models", "status"]));
}

#[test]
fn a_prompt_has_colors_only_where_they_are_asked_for() {
    let world = stores::week();
    let shown = |args: &[&str]| {
        let args = [&["models", "status", "--prompt"], args].concat();
        at(&world, &args, (80, 24), &[]).exp_eof().unwrap()
    };
    assert!(!shown(&[]).contains('\u{1b}'));
    assert!(shown(&["--color", "always"]).contains('\u{1b}'));
}
