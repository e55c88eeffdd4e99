//! An agent that is neither configured nor has a directory: a misspelt name, which would look like an
//! agent that inherits everything from main.

use crate::support::{World, setup_token};

const STORE: &str = r#"{"version":1,"profiles":{"anthropic:default":
    {"type":"token","provider":"anthropic","token":"MARKER"}}}"#;

const COMMANDS: [&str; 20] = [
    "models status",
    "models status --check",
    "models list",
    "models auth token",
    "models auth token --provider anthropic",
    "models auth token --profile anthropic:default",
    "models auth exec --provider anthropic -- true",
    "models auth refresh",
    "models auth list",
    "models auth explain",
    "models auth history",
    "models auth cooldown list",
    "models auth order get --provider anthropic",
    "models auth use --list",
    "models auth logout anthropic:default --yes",
    "models auth undo anthropic:default",
    "provider anthropic token-status",
    "tick --no-spread",
    "models auth login --finish --code-file nowhere",
    "onboard --non-interactive --accept-risk --auth-choice zai-api-key",
];

#[test]
fn every_command_that_reads_refuses_it_and_none_hands_out_what_is_mains() {
    let world = World::new();
    world.write("agents/main/agent/auth-profiles.json", STORE);
    for command in COMMANDS {
        let args: Vec<&str> = ["--agent", "nope"]
            .into_iter()
            .chain(command.split(' '))
            .collect();
        let ran = world.run(&args);
        assert_eq!(ran.code, 1, "{command}: {ran:?}");
        let problem = format!("{}{}", ran.out, ran.err);
        assert!(
            problem.contains("Unknown agent id \"nope\""),
            "{command}: {ran:?}"
        );
        assert!(!problem.contains("MARKER"), "{command}: {ran:?}");
    }
    let prompt = world.run(&["--agent", "nope", "models", "status", "--prompt"]);
    assert_eq!(
        (prompt.code, prompt.out.trim()),
        (0, "openclaw!"),
        "{prompt:?}"
    );
    assert!(!world.state().join("agents/nope").exists());
}

#[test]
fn an_agent_with_a_directory_is_known_without_a_configuration() {
    let world = World::new();
    world.write("agents/nope/agent/auth-profiles.json", STORE);
    for command in COMMANDS.iter().filter(|command| !command.contains("undo")) {
        let args: Vec<&str> = ["--agent", "nope"]
            .into_iter()
            .chain(command.split(' '))
            .collect();
        let ran = world.run(&args);
        assert!(!ran.err.contains("Unknown agent"), "{command}: {ran:?}");
    }
}

#[test]
fn a_command_that_writes_refuses_it_before_anything_is_asked_or_sent() {
    let world = World::new();
    world.add_agent("work");
    for (command, input) in [
        (
            "models auth paste-token --provider anthropic",
            setup_token(),
        ),
        ("models auth setup-token --yes", setup_token()),
        (
            "models auth paste-api-key --provider openai",
            "sk-MARKER".to_owned(),
        ),
        (
            "models auth login --provider anthropic --method oauth",
            String::new(),
        ),
        (
            "models auth login --provider openai-codex --start",
            String::new(),
        ),
        ("models auth login-github-copilot --yes", String::new()),
        (
            "onboard --non-interactive --accept-risk --openai-api-key -",
            "sk-MARKER".to_owned(),
        ),
    ] {
        let args: Vec<&str> = ["--agent", "wrok"]
            .into_iter()
            .chain(command.split(' '))
            .collect();
        let ran = world.pipe(&args, &input);
        assert_eq!(ran.code, 1, "{command}: {ran:?}");
        let nearest = "Unknown agent id \"wrok\"; did you mean work?";
        assert!(ran.err.contains(nearest), "{command}: {ran:?}");
        assert!(!ran.err.contains("MARKER"), "{command}: {ran:?}");
    }
    assert!(!world.state().join("agents").exists());
}

/// A name that becomes another one, as OpenClaw makes it, means that one only where it is there.
#[test]
fn no_secret_goes_to_an_agent_that_nobody_named() {
    let paste = ["models", "auth", "paste-token", "--provider", "anthropic"];
    for (name, meant) in [("../../x", "x"), ("mäin", "m-in"), ("ma in", "ma-in")] {
        let world = World::new();
        let args = [&["--agent", name], &paste[..]].concat();
        let ran = world.pipe(&args, &setup_token());
        assert_eq!(ran.code, 1, "{name}: {ran:?}");
        assert!(
            ran.err.contains(&format!("did you mean {meant}?")),
            "{ran:?}"
        );
        assert!(!world.state().join("agents").exists(), "{name}");
    }
    // Without a letter or a digit it is no name at all.
    for name in ["工作", "!!!"] {
        let world = World::new();
        let ran = world.pipe(&[&["--agent", name], &paste[..]].concat(), &setup_token());
        assert_eq!(ran.code, 1, "{name}: {ran:?}");
        assert!(!world.state().join("agents").exists(), "{name}");
    }
    let world = World::new();
    world.write(
        "openclaw.json",
        r#"{"agents":{"list":[{"id":"Work Bot"}]}}"#,
    );
    for name in ["Work Bot", "work-bot", "WORK-BOT"] {
        let args = [&["--agent", name], &paste[..]].concat();
        let ran = world.pipe(&args, &setup_token());
        assert_eq!(ran.code, 0, "{name}: {ran:?}");
        assert!(ran.out.contains("Agent: work-bot"), "{ran:?}");
    }
}
