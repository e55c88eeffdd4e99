//! Configuration and places that cannot be used: what every command says then.

use super::Transcript;
use crate::support::World;

const STATUS: [&str; 2] = ["models", "status"];

/// Every command reads the configuration; none of them changes a broken one.
#[test]
fn a_broken_configuration_is_named_by_every_command() {
    let world = World::new();
    let cases = [
        ("is no JSON5", "{ auth: { order: \n"),
        ("is a list", "[]\n"),
        ("has agents that are no object", r#"{ agents: "main" }"#),
        (
            "includes what is not there",
            r#"{ $include: "missing.json5" }"#,
        ),
        ("includes itself", r#"{ $include: "openclaw.json" }"#),
    ];
    let transcript = cases
        .into_iter()
        .fold(Transcript::of(&world), |transcript, (what, text)| {
            world.write("openclaw.json", text);
            transcript
                .note(&format!("openclaw.json {what}"))
                .run(&STATUS)
        });
    transcript
        .run(&["models", "auth", "token"])
        .run(&["agents", "add", "work", "--workspace", "ws"])
        .matches("config_broken");
}

#[test]
fn a_variable_that_is_not_set_is_named() {
    let world = World::new();
    world.write(
        "openclaw.json",
        r#"{ agents: { defaults: { model: "${NOT_SET}" } } }"#,
    );
    Transcript::of(&world)
        .run(&STATUS)
        .matches("config_variable");
}

#[test]
fn another_state_directory_is_named() {
    let world = World::new();
    world.write("../elsewhere/agents/work/agent/models.json", "{}");
    Transcript::of(&world)
        .run(&["--state-dir", "elsewhere", "models", "status"])
        .run(&[
            "--state-dir",
            "elsewhere",
            "--agent",
            "work",
            "models",
            "auth",
            "token",
        ])
        .matches("state_dir");
}
