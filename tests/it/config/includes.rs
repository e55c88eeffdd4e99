//! `$include` in `openclaw.json`, and agents that would share a directory: what the reference
//! release reads is read, what cannot be meant is named, and no included file is ever changed.

use std::path::Path;

use serde_json::Value;

use crate::support::{Ran, World};

/// The ids of the agents, or the error.
fn agents(world: &World) -> Result<Vec<String>, Ran> {
    let ran = world.run(&["agents", "list", "--json"]);
    if ran.code != 0 {
        return Err(ran);
    }
    let list: Vec<Value> = serde_json::from_str(&ran.out).unwrap();
    let id = |agent: &Value| agent["id"].as_str().unwrap().to_owned();
    Ok(list.iter().map(id).collect())
}

fn world(files: &[(&str, &str)]) -> World {
    let world = World::new();
    for (path, text) in files {
        world.write(path, text);
    }
    world
}

/// The error of a configuration, after a check that every command has it and changes nothing.
fn refused(world: &World) -> String {
    let before = world.read("openclaw.json");
    let ran = agents(world).unwrap_err();
    assert!(ran.code == 1 && ran.out.is_empty(), "{ran:?}");
    for args in [
        &["models", "status"][..],
        &["agents", "add", "new", "--workspace", "w"],
    ] {
        assert_eq!(world.run(args).code, 1);
    }
    assert_eq!(world.read("openclaw.json"), before);
    ran.err
}

#[test]
fn a_path_is_relative_to_the_file_that_includes() {
    let world = world(&[
        (
            "openclaw.json",
            r#"{ agents: { $include: "conf/agents.json5" } }"#,
        ),
        (
            "conf/agents.json5",
            r#"{ list: { "$include": "./deep/../list.json" } } // here"#,
        ),
        (
            "conf/list.json",
            r#"[{ id: "main" }, { $include: "deep/work.json", name: "Own" }]"#,
        ),
        ("conf/deep/work.json", r#"{ id: "work", name: "Theirs" }"#),
    ]);
    assert_eq!(agents(&world).unwrap(), ["main", "work"]);
    let list: Value = serde_json::from_str(&world.run(&["agents", "list", "--json"]).out).unwrap();
    assert_eq!(list[1]["name"], "Own");
}

#[test]
fn several_files_are_laid_one_over_the_other_and_lists_are_joined() {
    let world = world(&[
        (
            "openclaw.json",
            r#"{ $include: ["a.json", "b.json"], agents: { list: [{ id: "own" }] } }"#,
        ),
        (
            "a.json",
            r#"{ agents: { defaults: { model: { primary: "a/a" } }, list: [{ id: "one" }] } }"#,
        ),
        (
            "b.json",
            r#"{ agents: { defaults: { model: { primary: "b/b" } }, list: [{ id: "two" }] } }"#,
        ),
    ]);
    assert_eq!(agents(&world).unwrap(), ["one", "two", "own"]);
    assert_eq!(world.run(&["models", "status", "--plain"]).out, "b/b\n");
}

#[test]
fn a_circle_is_seen_by_whatever_name() {
    for back in [
        "a.json",
        "./x/../a.json",
        "../conf/a.json",
        "../openclaw.json",
    ] {
        let b = format!(r#"{{ $include: "{back}" }}"#);
        let world = world(&[
            ("openclaw.json", r#"{ $include: "conf/a.json" }"#),
            ("conf/a.json", r#"{ deep: { $include: "b.json" } }"#),
            ("conf/b.json", &b),
        ]);
        let error = refused(&world);
        assert!(error.contains("conf/b.json"), "{back}: {error}");
        assert!(error.contains("includes itself"), "{back}: {error}");
    }
}

#[test]
fn one_file_may_be_included_in_two_places() {
    let world = world(&[
        (
            "openclaw.json",
            r#"{ agents: { list: [{ $include: "m.json", id: "a" }, { $include: "m.json", id: "b" }] } }"#,
        ),
        ("m.json", r#"{ model: "x/y" }"#),
    ]);
    assert_eq!(agents(&world).unwrap(), ["a", "b"]);
}

#[test]
fn includes_lie_ten_deep_and_no_deeper() {
    for (depth, is_read) in [(10, true), (11, false)] {
        let world = world(&[("openclaw.json", r#"{ $include: "1.json" }"#)]);
        for number in 1..depth {
            let text = format!(r#"{{ $include: "{}.json" }}"#, number + 1);
            world.write(&format!("{number}.json"), &text);
        }
        let last = format!("{depth}.json");
        world.write(&last, r#"{ agents: { list: [{ id: "deepest" }] } }"#);
        if is_read {
            assert_eq!(agents(&world).unwrap(), ["deepest"]);
        } else {
            let error = refused(&world);
            assert!(
                error.contains("\"11.json\" is nested too deeply"),
                "{error}"
            );
        }
    }
}

#[test]
fn what_cannot_be_included_is_named() {
    for (include, message) in [
        (r#""none.json""#, "$include \"none.json\" does not exist"),
        (
            r#"["ok.json", 1]"#,
            "$include is neither a path nor a list of paths",
        ),
        ("{}", "$include is neither a path nor a list of paths"),
        (r#""broken.json""#, "/state/broken.json:2:8: "),
        (r#""list.json", x: 1"#, "$include has sibling keys"),
    ] {
        let text = format!("{{ $include: {include} }}");
        let world = world(&[
            ("openclaw.json", &text),
            ("ok.json", "{}"),
            ("list.json", "[]"),
            ("broken.json", "{\n  \"a\": ,\n}"),
        ]);
        let error = refused(&world);
        assert!(error.contains(message), "{include}: {error}");
    }
}

#[test]
fn a_file_elsewhere_is_read_and_never_changed() {
    let world = World::new();
    let elsewhere = world.directory.path().join("shared.json");
    let shared = r#"{ bindings: [], agents: { defaults: { model: "x/y" } }, meta: { a: 1 } }"#;
    std::fs::write(&elsewhere, shared).unwrap();
    for name in ["../shared.json", elsewhere.to_str().unwrap()] {
        world.write(
            "openclaw.json",
            &format!("{{ $include: \"{name}\" }} // kept\n"),
        );
        assert_eq!(world.run(&["models", "status", "--plain"]).out, "x/y\n");
        // It gives `agents.defaults`, and says nothing about a list.
        assert_eq!(
            world
                .run(&["agents", "add", "new", "--workspace", "w"])
                .code,
            0
        );
        assert_eq!(agents(&world).unwrap(), ["main", "new"]);
        assert!(world.read("openclaw.json").contains("// kept"));
        assert_eq!(std::fs::read_to_string(&elsewhere).unwrap(), shared);
    }
}

#[test]
fn what_an_included_file_defines_is_not_edited_around_it() {
    let list = r#"[{ "id": "main" }, { "id": "work" }]"#;
    let object = format!("{{ \"list\": {list} }}");
    for (config, included) in [
        (
            r#"{ $include: "i.json" }"#,
            format!("{{ \"agents\": {object} }}"),
        ),
        (r#"{ agents: { $include: "i.json" } }"#, object.clone()),
        (
            r#"{ agents: { list: { $include: "i.json" } } }"#,
            list.to_owned(),
        ),
        (
            r#"{ agents: { $include: "i.json", list: [{ id: "own" }] } }"#,
            object.clone(),
        ),
    ] {
        let world = world(&[("openclaw.json", config), ("i.json", &included)]);
        for args in [
            &["agents", "add", "new", "--workspace", "w"][..],
            &["agents", "delete", "work", "--force"],
        ] {
            let ran = world.run(args);
            assert!(
                ran.code == 1 && ran.err.contains("agents.list is defined in"),
                "{config}: {ran:?}"
            );
        }
        assert_eq!(world.read("openclaw.json"), config);
        assert_eq!(world.read("i.json"), included);
    }
}

#[test]
fn a_member_that_is_there_twice_is_not_guessed_at() {
    let config =
        r#"{ agents: { list: [{ id: "a" }] }, agents: { list: [{ id: "main" }, { id: "b" }] } }"#;
    let world = world(&[("openclaw.json", config)]);
    assert_eq!(agents(&world).unwrap(), ["main", "b"], "the later counts");
    for args in [
        &["agents", "add", "new", "--workspace", "w"][..],
        &["agents", "delete", "b", "--force"],
    ] {
        let ran = world.run(args);
        assert!(
            ran.code == 1 && ran.err.contains("agents appears twice"),
            "{ran:?}"
        );
    }
    assert_eq!(world.read("openclaw.json"), config);
}

#[test]
fn a_text_that_is_no_utf_8_is_not_edited() {
    let world = World::new();
    world.write("openclaw.json", "");
    let path = world.state().join("openclaw.json");
    let bytes = b"{\n  // caf\xe9\n}\n";
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(agents(&world).unwrap(), ["main"]);
    let ran = world.run(&["agents", "add", "new", "--workspace", "w"]);
    assert!(
        ran.code == 1 && ran.err.contains("openclaw.json:2:9: "),
        "{ran:?}"
    );
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

/// Runs a command that must fail because of two agents, and names both and the directory.
fn clashes(world: &World, args: &[&str], ids: [&str; 2], directory: &Path) {
    let before = world.read("openclaw.json");
    let ran = world.run(args);
    assert!(ran.code == 1 && ran.out.is_empty(), "{ran:?}");
    let named = format!("agents {} and {} share the agentDir ", ids[0], ids[1]);
    assert!(ran.err.contains(&named), "{ran:?}");
    assert!(ran.err.contains(directory.to_str().unwrap()), "{ran:?}");
    assert!(ran.err.contains("its own agentDir"), "{ran:?}");
    assert_eq!(world.read("openclaw.json"), before);
}

#[test]
fn two_agents_with_one_directory_are_named_by_every_command() {
    let config = r#"{ agents: { list: [
        { id: "main" }, { id: "Home", agentDir: "~/one/./agent" }, { id: "work", agentDir: "~/x/../one/agent/" },
    ] } }"#;
    let world = world(&[("openclaw.json", config)]);
    let directory = world.directory.path().join("home/one/agent");
    for args in [
        &["models", "status", "--json"][..],
        &["models", "auth", "token", "--provider", "anthropic"],
        &["agents", "list"],
        &["agents", "add", "new", "--workspace", "w"],
    ] {
        clashes(&world, args, ["home", "work"], &directory);
    }
}

#[test]
fn a_new_agent_does_not_take_the_directory_of_another() {
    let world = World::new();
    let taken = world.state().join("agents/new/agent");
    let config = format!(
        "{{ agents: {{ list: [{{ id: 'main' }}, {{ id: 'old', agentDir: '{}' }}] }} }}",
        taken.display()
    );
    world.write("openclaw.json", &config);
    let add = ["agents", "add", "new", "--workspace", "w"];
    clashes(&world, &add, ["old", "new"], &taken);
    assert_eq!(agents(&world).unwrap(), ["main", "old"]);
}

#[test]
fn deleting_an_agent_never_takes_the_credentials_of_another_along() {
    for directory in ["agents/main/agent", "agents/main", "", "agents"] {
        let world = World::new();
        let shared = world.state().join(directory);
        let config = format!(
            "{{ agents: {{ list: [{{ id: 'work', agentDir: '{}' }}] }} }}",
            shared.display()
        );
        world.write("openclaw.json", &config);
        world.write("agents/main/agent/auth-profiles.json", "{}");
        let ran = world.run(&["agents", "delete", "work", "--force"]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(
            ran.err.contains("also contains the credentials of main"),
            "{ran:?}"
        );
        assert_eq!(world.read("openclaw.json"), config);
        assert_eq!(world.read("agents/main/agent/auth-profiles.json"), "{}");
    }
}
