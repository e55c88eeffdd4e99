//! `agents add`, `list` and `delete`.

use super::Transcript;
use crate::support::{World, recorded};

#[test]
fn agents_are_added_listed_and_deleted() {
    let world = World::new();
    Transcript::of(&world)
        .run(&["agents", "list"])
        .run(&["agents", "add", "Work Bot", "--workspace", "ws"])
        .run(&["agents", "list"])
        .run(&["agents", "list", "--json"])
        .run(&["agents", "delete", "work-bot", "--force"])
        .run(&[
            "agents",
            "add",
            "other",
            "--workspace",
            "ws",
            "--non-interactive",
            "--json",
        ])
        .run(&["agents", "delete", "other", "--force", "--json"])
        .matches("agents");
}

#[test]
fn an_agent_inherits_from_main_as_it_is_told() {
    let world = World::new();
    world.add_agent("work");
    let store =
        r#"{"version":1,"profiles":{"groq:a":{"type":"api_key","provider":"groq","key":"k"}}}"#;
    world.write("agents/main/agent/auth-profiles.json", store);
    Transcript::of(&world)
        .run(&["agents", "inherit", "work"])
        .run(&["agents", "inherit", "work", "--mode", "isolated"])
        .run(&["models", "status", "--agent", "work"])
        .run(&["agents", "inherit", "work", "--link", "groq:a"])
        .run(&["models", "status", "--agent", "work"])
        .run(&["agents", "inherit", "work", "--json"])
        .run(&["agents", "inherit", "work", "--mode", "inherit"])
        .run(&["agents", "inherit", "work", "--link", "groq:b"])
        .run(&["agents", "inherit", "work", "--mode", "linked"])
        .run(&[
            "agents", "inherit", "work", "--mode", "isolated", "--link", "groq:a",
        ])
        .run(&["agents", "inherit", "main"])
        .run(&["agents", "inherit", "nobody"])
        .matches("agents_inherit");
}

#[test]
fn configured_agents_are_listed() {
    let (world, _, _) = recorded::world("configured");
    Transcript::of(&world)
        .run(&["agents", "list"])
        .matches("agents_configured");
}

#[test]
fn names_that_no_agent_may_have_are_refused() {
    let world = World::new();
    world.add_agent("work");
    Transcript::of(&world)
        .run(&["agents", "add", "main"])
        .run(&["agents", "add", "Work"])
        .run(&["agents", "add", "!!"])
        .run(&["agents", "add", "new", "--non-interactive"])
        .run(&["agents", "add"])
        .run(&["agents", "delete", "main", "--force"])
        .run(&["agents", "delete", "nobody", "--force"])
        .run(&["agents", "delete", "work"])
        .matches("agents_refused");
}

#[test]
fn an_agent_whose_directory_is_in_the_way_is_not_added() {
    let world = World::new();
    world.write("agents/work", "a file in the way of a directory");
    Transcript::of(&world)
        .run(&["agents", "add", "work", "--workspace", "ws"])
        .matches("agents_storage");
}

#[test]
fn a_list_of_agents_in_an_included_file_is_not_edited() {
    let world = World::new();
    world.write(
        "openclaw.json",
        r#"{ agents: { $include: "agents.json5" } }"#,
    );
    world.write(
        "agents.json5",
        r#"{ list: [{ id: "main" }, { id: "work" }] }"#,
    );
    Transcript::of(&world)
        .run(&["agents", "list"])
        .run(&["agents", "add", "new", "--workspace", "ws"])
        .run(&["agents", "delete", "work", "--force"])
        .matches("agents_included");
}

#[test]
fn an_agent_is_given_an_identity() {
    let (world, _, _) = recorded::world("models");
    let set = ["agents", "set-identity"];
    let set = |words: &[&'static str]| [&set[..], words].concat();
    Transcript::of(&world)
        .run(&set(&["--agent", "main", "--name", "Bot", "--emoji", "B"]))
        .run(&set(&["--workspace", "state/ws-work", "--json"]))
        .run(&set(&[
            "--agent",
            "work",
            "--identity-file",
            "state/ws-work/IDENTITY.md",
            "--name",
            "Mine",
        ]))
        .run(&["agents", "list"])
        .run(&set(&["--agent", "work"]))
        .run(&set(&["--agent", "nobody", "--name", "Bot"]))
        .run(&set(&["--name", "Bot"]))
        .run(&set(&["--agent", "work", "--workspace", "state/ws-none"]))
        .matches("agents_identity");
}
