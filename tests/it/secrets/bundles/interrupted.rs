//! Moves that were interrupted, and what may not move: the login is here or in the bundle, whatever is
//! missing beside it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::age::{run as run_with_age, stand_in};
use super::{FILE, PASSPHRASE, bundle, done, export, file, machine, other_machine};
use crate::secrets::{SEAL, assert_nowhere, key_file, with_passphrase};
use crate::support::{World, ran};

const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";
const PROFILE: &str = "openai-codex:default";
const LIST: [&str; 3] = ["models", "auth", "list"];

/// The id of a bundle that is none of those made here.
fn other_id() -> String {
    "0123456789abcdef".repeat(2)
}

fn marker_file(world: &World, id: &str) -> PathBuf {
    world.state().join(format!("rescue/{id}.move"))
}

/// Leaves what a move leaves that is killed right after its bundle got its name; the marker.
fn as_if_killed(world: &World, before: &Value) -> PathBuf {
    let moved = world.store()["profiles"][PROFILE]["moved"].clone();
    let id = moved["bundle"].as_str().unwrap();
    let bytes = std::fs::read(file(world)).unwrap();
    let marker = json!({
        "bundle": id,
        "draft": file(world).with_file_name(format!(".{FILE}.{id}.tmp")),
        "to": file(world),
        "at": moved["at"],
        "length": bytes.len(),
        "sha256": format!("{:x}", Sha256::digest(&bytes)),
        "grants": [{ "grant": moved["grant"], "provider": "openai-codex", "profile": PROFILE }],
    });
    world.write(&format!("rescue/{id}.move"), &marker.to_string());
    world.write(DOCUMENT, &before.to_string());
    marker_file(world, id)
}

#[test]
fn a_seal_that_does_not_open_takes_no_login_along() {
    let (world, issuer, [_, refresh]) = machine();
    done(world.run(&SEAL));
    // A seal is bound to its profile: under another name it opens no more.
    let mut store = world.store();
    let dead = store["profiles"][PROFILE].clone();
    store["profiles"]["openai-codex:copy"] = dead.clone();
    world.write(DOCUMENT, &store.to_string());
    let move_it = ["export", "--move", "--to", FILE];
    let named = [&move_it[..], &["--profile", "openai-codex:copy"]].concat();
    let refused = bundle(&world, &named);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("does not open"), "{refused:?}");
    assert!(!file(&world).exists());
    assert_eq!(world.store(), store);
    let told = done(bundle(&world, &move_it));
    assert!(told.err.contains("openai-codex:copy"), "{told:?}");
    let profiles = world.store()["profiles"].clone();
    assert_ne!(profiles[PROFILE]["moved"], Value::Null);
    assert_eq!(profiles["openai-codex:copy"], dead);
    let other = other_machine(&world);
    done(bundle(&other, &["import", FILE]));
    let refreshing = ["models", "auth", "refresh", "--profile", PROFILE, "--force"];
    done(other.run(&refreshing));
    assert_eq!(issuer.token_requests().len(), 1);
    assert_nowhere(&world, &refresh);
}

#[test]
fn a_move_is_not_completed_while_the_vault_is_locked() {
    let (world, _, [_, refresh]) = machine();
    done(world.run(&SEAL));
    let before = world.store();
    done(bundle(&world, &["export", "--move", "--to", FILE]));
    let marker = as_if_killed(&world, &before);
    let key = key_file(&world);
    let add = [
        "secrets",
        "slot",
        "add",
        "--passphrase",
        "--new-passphrase-fd",
        "3",
    ];
    done(with_passphrase(&world, &add, PASSPHRASE));
    // A slot that opens no more: what is left is the passphrase, which nobody gives.
    let away = key.with_extension("away");
    std::fs::rename(&key, &away).unwrap();
    let listed = done(world.run(&["agents", "list"]));
    assert!(listed.err.contains("was interrupted"), "{listed:?}");
    assert!(listed.err.contains("openclaw secrets unlock"), "{listed:?}");
    assert!(!listed.err.contains("Completed"), "{listed:?}");
    assert!(marker.exists());
    assert_eq!(world.store(), before);
    std::fs::rename(&away, &key).unwrap();
    let listed = done(world.run(&["agents", "list"]));
    assert!(listed.err.contains("Completed the move"), "{listed:?}");
    assert!(!marker.exists());
    assert_ne!(world.store()["profiles"][PROFILE]["moved"], Value::Null);
    assert_nowhere(&world, &refresh);
}

#[test]
fn a_bundle_that_has_its_name_is_known_by_its_bytes_and_not_by_the_journal() {
    let (world, _, [_, refresh]) = machine();
    let before = world.store();
    let path = stand_in(&world);
    let words = [
        "export",
        "--move",
        "--to",
        FILE,
        "--recipient",
        "age1stand-in",
    ];
    done(run_with_age(&world, &path, &words));
    let marker = as_if_killed(&world, &before);
    std::fs::remove_dir_all(world.state().join("locks")).unwrap();
    let ran = done(world.run(&LIST));
    assert!(ran.err.contains("Completed the move"), "{ran:?}");
    assert!(!marker.exists());
    assert!(file(&world).exists());
    assert_nowhere(&world, &refresh);
    // What only lies under its name is not it.
    as_if_killed(&world, &before);
    std::fs::write(file(&world), "mine").unwrap();
    std::fs::remove_dir_all(world.state().join("locks")).unwrap();
    let ran = done(world.run(&LIST));
    assert!(ran.err.contains("Undid the move"), "{ran:?}");
    assert_eq!(std::fs::read(file(&world)).unwrap(), b"mine");
    assert_eq!(world.store(), before);
}

#[test]
fn a_name_that_is_not_utf8_is_refused_before_anything_is_written() {
    let (world, _, _) = machine();
    let before = world.store();
    let mut command = world.command(&["secrets", "export", "--move", "--to"]);
    let refused = ran(command.arg(OsStr::from_bytes(b"h\xff")).output().unwrap());
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("is not UTF-8"), "{refused:?}");
    assert!(!world.state().join("rescue").exists());
    assert_eq!(world.store(), before);
}

#[test]
fn an_unreadable_marker_is_told_with_what_mends_it() {
    let (world, _, _) = machine();
    let id = other_id();
    world.write(&format!("rescue/{id}.move"), "");
    let ran = done(world.run(&LIST));
    for part in ["cannot be read", "secrets take-back", "then remove"] {
        assert!(ran.err.contains(part), "{part} {ran:?}");
    }
    std::fs::remove_file(marker_file(&world, &id)).unwrap();
    assert_eq!(done(world.run(&LIST)).err, "");
}

#[test]
fn commands_about_secrets_tell_of_an_interrupted_move_and_leave_it() {
    let (world, _, _) = machine();
    let before = world.store();
    done(bundle(&world, &["export", "--move", "--to", FILE]));
    let marker = as_if_killed(&world, &before);
    for words in [
        &["status"][..],
        &["export", "--to", "copy", "--dry-run"],
        &["export", "--move", "--to", "second", "--dry-run"],
    ] {
        let ran = done(world.run(&[&["secrets"], words].concat()));
        assert!(ran.err.contains("was interrupted"), "{words:?} {ran:?}");
        assert!(marker.exists());
    }
    let ran = done(bundle(&world, &["export", "--to", "copy"]));
    assert!(ran.err.contains("was interrupted"), "{ran:?}");
    assert!(marker.exists());
    done(world.run(&LIST));
    let status = done(world.run(&["secrets", "status"]));
    assert_eq!(status.err, "");
}

#[test]
fn the_next_export_to_that_name_removes_what_a_killed_copy_left() {
    let (world, _, _) = machine();
    let draft = |ending: &str| {
        let name = format!(".{FILE}.{}{ending}", other_id());
        let path = file(&world).with_file_name(name);
        std::fs::write(&path, "half").unwrap();
        path
    };
    // The draft of a move may be all that there is of its login.
    let (of_copy, of_move) = (draft(".copy.tmp"), draft(".tmp"));
    export(&world);
    assert!(!of_copy.exists());
    assert!(of_move.exists());
}

/// Turns letters over, as the stand-in of age does.
fn turned(text: &str) -> String {
    let turn = |letter: char| match letter {
        'a'..='m' | 'A'..='M' => char::from(letter as u8 + 13),
        'n'..='z' | 'N'..='Z' => char::from(letter as u8 - 13),
        other => other,
    };
    text.chars().map(turn).collect()
}

#[test]
fn a_closed_profile_in_a_bundle_is_refused() {
    let (world, _, _) = machine();
    let path = stand_in(&world);
    let words = ["export", "--to", FILE, "--recipient", "age1stand-in"];
    done(run_with_age(&world, &path, &words));
    done(world.run(&SEAL));
    let text = std::fs::read_to_string(file(&world)).unwrap();
    let (line, sealed) = text.split_once('\n').unwrap();
    let mut content: Value = serde_json::from_str(&turned(sealed)).unwrap();
    content["agents"][0]["document"]["profiles"][PROFILE] =
        world.store()["profiles"][PROFILE].clone();
    let text = format!("{line}\n{}", turned(&content.to_string()));
    std::fs::write(file(&world), text).unwrap();
    let other = other_machine(&world);
    let path = stand_in(&other);
    std::fs::write(other.directory.path().join("identity"), "identity\n").unwrap();
    let words = ["import", FILE, "--identity", "identity"];
    let told = done(run_with_age(&other, &path, &words));
    assert!(told.out.contains("its seal does not open"), "{told:?}");
    let profiles = other.store()["profiles"].clone();
    assert_eq!(profiles[PROFILE], Value::Null);
    assert!(profiles["openai:manual"].is_object());
}
