//! Logins that come back, to whatever their machine holds by then: nothing of what is here is lost, and
//! no machine uses what another one has.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::moving::{REFRESH, hand_over, profile};
use super::{FILE, TOKEN, bundle, copy, done, file, machine, other_machine};
use crate::secrets::assert_nowhere;
use crate::support::issuer::{Issuer, Scripted};
use crate::support::{Ran, World};

const ID: &str = "openai-codex:default";
const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";
const UNDO: [&str; 4] = ["models", "auth", "undo", ID];
const LOGOUT: [&str; 5] = ["models", "auth", "logout", ID, "--yes"];

fn take_back(world: &World) -> Ran {
    bundle(world, &["take-back", FILE])
}

fn import(world: &World, more: &[&str]) -> Ran {
    bundle(world, &[&["import", FILE], more].concat())
}

/// The bundle under another name, out of the way.
fn put_aside(world: &World, name: &str) -> PathBuf {
    let aside = world.directory.path().join(name);
    std::fs::rename(file(world), &aside).unwrap();
    aside
}

fn put_in_place(world: &World, aside: &PathBuf) {
    std::fs::copy(aside, file(world)).unwrap();
}

/// Another credential under the name of the login.
fn paste(world: &World) {
    let args = [
        "models",
        "auth",
        "paste-token",
        "--provider",
        "openai-codex",
    ];
    let args = [&args[..], &["--profile-id", ID]].concat();
    done(world.pipe(&args, "tok-1234567890abcdefghij"));
}

fn refreshes(world: &World, issuer: &Issuer) -> bool {
    let before = issuer.token_requests().len();
    let ran = world.run(&REFRESH);
    let sent = issuer.token_requests().len() - before;
    assert_eq!(sent, usize::from(ran.code == 0), "{ran:?}");
    ran.code == 0
}

/// Moves the login to another machine and back again; the first bundle lies aside as `first`.
fn there_and_back(world: &World) -> (World, PathBuf) {
    hand_over(world);
    let other = other_machine(world);
    let first = put_aside(world, "first");
    done(import(&other, &[]));
    put_aside(&other, "first");
    hand_over(&other);
    copy(&other, world);
    (other, first)
}

#[test]
fn what_was_taken_back_or_came_back_is_undone_by_nothing() {
    let (world, issuer, [_, refresh]) = machine();
    hand_over(&world);
    done(take_back(&world));
    let undone = world.run(&UNDO);
    assert_ne!(undone.code, 0, "{undone:?}");
    assert_eq!(profile(&world)["refresh"], refresh.as_str());
    assert!(refreshes(&world, &issuer));
    let (world, issuer, [_, refresh]) = machine();
    there_and_back(&world);
    done(import(&world, &[]));
    let undone = world.run(&UNDO);
    assert_ne!(undone.code, 0, "{undone:?}");
    assert_eq!(profile(&world)["refresh"], refresh.as_str());
    assert!(refreshes(&world, &issuer));
}

#[test]
fn a_moved_login_that_was_logged_out_is_taken_back_whole() {
    let (world, issuer, [_, refresh]) = machine();
    let before = profile(&world);
    hand_over(&world);
    done(world.run(&LOGOUT));
    let told = done(take_back(&world));
    assert!(
        told.out.contains("Taken back: openai-codex:default"),
        "{told:?}"
    );
    assert_eq!(profile(&world), before);
    assert_eq!(profile(&world)["refresh"], refresh.as_str());
    assert!(refreshes(&world, &issuer));
}

#[test]
fn another_credential_in_its_place_is_named_and_the_others_are_taken_back() {
    let (world, issuer, [_, refresh]) = machine();
    let mut store = world.store();
    let mut second = store["profiles"][ID].clone();
    let (access, other_refresh) = issuer.issue();
    second["access"] = access.into();
    second["refresh"] = other_refresh.as_str().into();
    second["accountId"] = "acct_2".into();
    store["profiles"]["openai-codex:second"] = second;
    world.write(DOCUMENT, &store.to_string());
    hand_over(&world);
    paste(&world);
    let pasted = profile(&world);
    for _ in 0..2 {
        let blocked = take_back(&world);
        assert_eq!(blocked.code, 1, "{blocked:?}");
        for part in [
            "openai-codex:default of agent main holds another credential",
            "models auth logout openai-codex:default",
            "Taken back: openai-codex:second",
        ] {
            assert!(blocked.err.contains(part), "{blocked:?}");
        }
        assert!(!blocked.err.contains("elete the file"), "{blocked:?}");
        assert_eq!(profile(&world), pasted);
        let second = &world.store()["profiles"]["openai-codex:second"];
        assert_eq!(second["refresh"], other_refresh.as_str());
    }
    done(world.run(&LOGOUT));
    done(take_back(&world));
    assert_eq!(profile(&world)["refresh"], refresh.as_str());
    assert!(refreshes(&world, &issuer));
}

#[test]
fn a_copy_over_a_moved_login_can_still_be_taken_back() {
    let (world, issuer, [_, refresh]) = machine();
    done(bundle(&world, &["export", "--to", "copy"]));
    let mut store = world.store();
    let expires = store["profiles"][ID]["expires"].as_i64().unwrap();
    store["profiles"][ID]["expires"] = (expires - 60_000).into();
    store["profiles"][ID]["access"] = "an-older-access-token".into();
    world.write(DOCUMENT, &store.to_string());
    hand_over(&world);
    let told = done(bundle(&world, &["import", "copy"]));
    assert!(
        told.out
            .contains("openai-codex:default of agent main: replaced"),
        "{told:?}"
    );
    assert_ne!(profile(&world)["moved"], Value::Null);
    assert!(!refreshes(&world, &issuer));
    done(take_back(&world));
    assert_eq!(profile(&world)["refresh"], refresh.as_str());
    assert_eq!(profile(&world)["moved"], Value::Null);
    assert!(refreshes(&world, &issuer));
}

#[test]
fn an_older_bundle_brings_no_login_back_that_was_moved_on_since() {
    let (world, issuer, _) = machine();
    let (_other, first) = there_and_back(&world);
    done(import(&world, &[]));
    put_aside(&world, "second");
    hand_over(&world);
    let third = other_machine(&world);
    put_aside(&world, "third");
    done(import(&third, &[]));
    put_in_place(&world, &first);
    for more in [&[][..], &["--force"]] {
        let told = import(&world, more);
        let text = format!("{}{}", told.out, told.err);
        let is_refused =
            text.contains("this bundle is older") || text.contains("moved on from here");
        assert!(is_refused, "{told:?}");
        assert!(!told.err.contains("--force"), "{told:?}");
        assert!(!refreshes(&world, &issuer));
    }
    assert!(refreshes(&third, &issuer));
}

#[test]
fn who_moved_a_login_on_does_not_get_it_from_the_bundle_it_came_in() {
    let (world, issuer, _) = machine();
    hand_over(&world);
    let second = other_machine(&world);
    done(import(&second, &[]));
    let first = put_aside(&second, "first");
    hand_over(&second);
    let third = other_machine(&second);
    done(import(&third, &[]));
    put_aside(&second, "second");
    put_in_place(&second, &first);
    let told = import(&second, &[]);
    assert_eq!(told.code, 1, "{told:?}");
    assert!(told.err.contains("moved on from here"), "{told:?}");
    assert!(!told.err.contains("--force"), "{told:?}");
    let told = import(&second, &["--force"]);
    assert!(told.out.contains("this bundle is older"), "{told:?}");
    assert!(!refreshes(&second, &issuer));
    assert!(refreshes(&third, &issuer));
}

#[test]
fn a_refresh_that_gives_no_new_refresh_token_keeps_the_number_of_moves() {
    let (world, issuer, [access, refresh]) = machine();
    hand_over(&world);
    let other = other_machine(&world);
    put_aside(&world, "first");
    done(import(&other, &[]));
    issuer.answer_next(Scripted {
        status: 200,
        headers: vec![("Content-Type", "application/json".to_owned())],
        body: json!({ "access_token": access, "expires_in": 3_600 }).to_string(),
        ..Scripted::default()
    });
    assert!(refreshes(&other, &issuer));
    assert_eq!(profile(&other)["refresh"], refresh.as_str());
    put_aside(&other, "first");
    hand_over(&other);
    copy(&other, &world);
    let told = done(import(&world, &[]));
    assert!(
        told.out
            .contains("openai-codex:default of agent main: replaced"),
        "{told:?}"
    );
    assert!(refreshes(&world, &issuer));
}

#[test]
fn a_login_comes_back_to_its_refresh_token() {
    let (world, issuer, [_, refresh]) = machine();
    let whole = world.read(DOCUMENT);
    there_and_back(&world);
    // Another program has not heard of the move.
    world.write(DOCUMENT, &whole);
    assert!(!refreshes(&world, &issuer));
    world.write(DOCUMENT, &whole);
    done(import(&world, &[]));
    assert_eq!(profile(&world)["refresh"], refresh.as_str());
    assert_eq!(profile(&world)["moved"], Value::Null);
    assert!(refreshes(&world, &issuer));
}

#[test]
fn a_move_that_was_killed_takes_nothing_away_that_came_back() {
    let (world, issuer, [_, refresh]) = machine();
    let whole = world.read(DOCUMENT);
    let (_other, first) = there_and_back(&world);
    put_aside(&world, "second");
    // As if it had been killed before a refresh token was taken out, and the bundle carried away.
    let moved = profile(&world)["moved"].clone();
    let id = moved["bundle"].as_str().unwrap();
    let marker = json!({
        "bundle": id,
        "draft": world.directory.path().join(".house.tmp"),
        "to": file(&world),
        "at": moved["at"],
        "length": 1,
        "sha256": "0",
        "grants": [{ "grant": moved["grant"], "provider": "openai-codex", "profile": ID }],
    });
    world.write(DOCUMENT, &whole);
    world.write(&format!("rescue/{id}.move"), &marker.to_string());
    let missed = world.run(&["models", "auth", "list"]);
    assert!(missed.err.contains("is not there any more"), "{missed:?}");
    done(bundle(&world, &["import", "second"]));
    assert!(!world.state().join(format!("rescue/{id}.move")).exists());
    put_in_place(&world, &first);
    done(world.run(&["models", "auth", "list"]));
    assert_eq!(profile(&world)["refresh"], refresh.as_str());
    assert!(refreshes(&world, &issuer));
}

#[test]
fn nothing_of_a_moved_login_stays_in_the_history_of_another_agent() {
    let (world, _issuer, [_, refresh]) = machine();
    let text = world.read(DOCUMENT);
    world.write("agents/work/agent/auth-profiles.json", &text);
    world.add_agent("work");
    done(world.run(&[&LOGOUT[..], &["--agent", "work"]].concat()));
    hand_over(&world);
    assert_nowhere(&world, &refresh);
    assert_eq!(world.run(&TOKEN).code, 0);
}
