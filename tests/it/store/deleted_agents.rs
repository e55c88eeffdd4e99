//! `agents delete` where the files of the agent lie on another disk than the trash, and where it is
//! cut short: nothing is half done that a second command does not finish.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::{Ran, World};

const DELETE: [&str; 5] = ["agents", "delete", "work", "--force", "--json"];
const SECRET: &str =
    r#"{"version":1,"profiles":{"a:b":{"type":"api_key","provider":"a","key":"k"}}}"#;

/// An agent `work` whose directory is elsewhere.
fn world(agent_dir: &Path) -> World {
    let world = World::new();
    fs::create_dir_all(agent_dir).unwrap();
    fs::write(agent_dir.join("auth-profiles.json"), SECRET).unwrap();
    let list = json!([{ "id": "main" }, { "id": "work", "agentDir": agent_dir }]);
    let config = json!({ "agents": { "list": list } });
    world.write("openclaw.json", &config.to_string());
    world
}

fn is_configured(world: &World) -> bool {
    world.read("openclaw.json").contains("work")
}

/// Where the files are, which were moved once.
fn moved(ran: &Ran) -> PathBuf {
    assert_eq!(ran.code, 0, "{ran:?}");
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    let to = told["movedTo"].as_array().unwrap();
    assert_eq!(to.len(), 1, "{told}");
    to[0].as_str().unwrap().into()
}

#[test]
fn an_agent_on_another_disk_is_deleted() {
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    let own = memory.path().join("work");
    let world = world(&own);
    let device = |path: &Path| fs::metadata(path).unwrap().dev();
    // Without a second disk it is as any other.
    let is_other = device(memory.path()) != device(world.directory.path());
    let to = moved(&world.run(&DELETE));
    assert!(is_other || to.exists());
    assert_eq!(
        fs::read_to_string(to.join("auth-profiles.json")).unwrap(),
        SECRET
    );
    assert!(!own.exists());
    assert!(!is_configured(&world));
    let trash = fs::read_dir(world.state().join("trash")).unwrap();
    assert_eq!(trash.count(), 1, "a draft was left");
}

#[test]
fn a_deletion_that_was_cut_short_is_finished_by_the_next() {
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    let own = memory.path().join("work");
    let world = world(&own);
    // Killed when the files were moved, and before the configuration was changed.
    let saved = world.state().join("trash/agent-work-x");
    fs::create_dir_all(&saved).unwrap();
    fs::rename(&own, memory.path().join("gone")).unwrap();
    let ran = world.run(&DELETE);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!is_configured(&world));
    assert!(saved.exists());
}

#[test]
fn a_configuration_that_cannot_be_changed_leaves_the_agent_whole() {
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    let own = memory.path().join("work");
    let world = world(&own);
    let included = r#"{ agents: { $include: "./agents.json5" } }"#;
    world.write(
        "agents.json5",
        &json!({ "list": [{ "id": "work", "agentDir": own }] }).to_string(),
    );
    world.write("openclaw.json", included);
    let ran = world.run(&DELETE);
    assert_ne!(ran.code, 0, "{ran:?}");
    assert_eq!(
        fs::read_to_string(own.join("auth-profiles.json")).unwrap(),
        SECRET
    );
}

/// A configuration may name any directory.
#[test]
fn only_a_directory_of_an_agent_is_moved() {
    for name in ["home", "home/Documents", "home/mixed", "home/empty"] {
        let elsewhere = tempfile::tempdir().unwrap();
        let agent_dir = elsewhere.path().join("unused");
        let world = world(&agent_dir);
        let directory = world.directory.path().join(name);
        fs::create_dir_all(&directory).unwrap();
        match name {
            "home/Documents" => fs::write(directory.join("letter.txt"), "dear").unwrap(),
            "home/mixed" => {
                fs::write(directory.join("auth-profiles.json"), SECRET).unwrap();
                fs::write(directory.join("letter.txt"), "dear").unwrap();
            }
            "home" => fs::write(directory.join("auth-profiles.json"), SECRET).unwrap(),
            _ => {}
        }
        let list = json!([{ "id": "main" }, { "id": "work", "agentDir": directory }]);
        let config = json!({ "agents": { "list": list } });
        world.write("openclaw.json", &config.to_string());
        let ran = world.run(&DELETE);
        if name == "home/empty" {
            assert_eq!(ran.code, 0, "{ran:?}");
            continue;
        }
        assert_eq!(ran.code, 1, "{name}: {ran:?}");
        assert!(ran.err.contains("remove agentDir of work"), "{ran:?}");
        assert!(directory.exists() && is_configured(&world), "{name}");
        // The advice works.
        world.write(
            "openclaw.json",
            r#"{"agents":{"list":[{"id":"main"},{"id":"work"}]}}"#,
        );
        let ran = world.run(&DELETE);
        assert_eq!(ran.code, 0, "{name}: {ran:?}");
        assert!(directory.exists());
    }
}

#[test]
fn the_trash_is_emptied_by_age_and_only_of_agents() {
    let world = World::new();
    let old = "agent-work-20260101-000000";
    for name in [old, "agent-home-20990101-000000", "agent-odd", "notes"] {
        world.write(&format!("trash/{name}/agent/auth-profiles.json"), SECRET);
    }
    let left = || {
        let names = fs::read_dir(world.state().join("trash")).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    };
    let ran = world.run(&["doctor", "--timeout", "10m"]);
    assert!(ran.out.contains("deleted long ago"), "{ran:?}");
    let ran = world.run(&["agents", "purge"]);
    assert_eq!(ran.code, 1, "nobody can be asked: {ran:?}");
    let ran = world.run(&["agents", "purge", "--dry-run"]);
    assert!(
        ran.out
            .contains(&format!("Would delete: {}", world.state().display())),
        "{ran:?}"
    );
    assert_eq!(left().len(), 4);
    let ran = world.run(&["agents", "purge", "--yes", "--json"]);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(told["purged"].as_array().unwrap().len(), 1, "{told}");
    assert_eq!(left(), ["agent-home-20990101-000000", "agent-odd", "notes"]);
    let ran = world.run(&["agents", "purge", "--yes"]);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (
            0,
            "Nothing to delete: one agent was deleted more recently.\n"
        )
    );
}
