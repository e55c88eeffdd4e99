//! Moving a login: one machine has it at a time, and the other one knows where it went.

use std::time::Duration;

use serde_json::Value;

use super::{FILE, TOKEN, bundle, copy, done, export, file, json, machine, other_machine};
use crate::secrets::{SEAL, assert_nowhere};
use crate::support::issuer::Issuer;
use crate::support::{Ran, World, millis_from_now, ran};

pub(super) const REFRESH: [&str; 6] = [
    "models",
    "auth",
    "refresh",
    "--profile",
    "openai-codex:default",
    "--force",
];

pub(super) fn hand_over(world: &World) -> Ran {
    done(bundle(world, &["export", "--move", "--to", FILE]))
}

pub(super) fn profile(world: &World) -> Value {
    world.store()["profiles"]["openai-codex:default"].clone()
}

/// Lets the access token of the login be over.
fn expire(world: &World) {
    let mut store = world.store();
    store["profiles"]["openai-codex:default"]["expires"] = millis_from_now(-60).into();
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
}

#[test]
fn exactly_one_machine_can_refresh_a_login_that_was_moved() {
    let (world, issuer, [access, refresh]) = machine();
    let told = hand_over(&world);
    assert!(
        told.out
            .contains("openai-codex:default of agent main, moved"),
        "{told:?}"
    );
    assert_nowhere(&world, &refresh);
    let other = other_machine(&world);
    done(bundle(&other, &["import", FILE]));
    // Here the access token lives on, and nothing sends a refresh token.
    assert_eq!(done(world.run(&TOKEN)).out.trim_end(), access);
    let refused = world.run(&REFRESH);
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(
        refused.err.contains("was moved to another machine"),
        "{refused:?}"
    );
    assert_eq!(issuer.token_requests().len(), 0);
    done(other.run(&REFRESH));
    let requests = issuer.token_requests();
    assert_eq!(requests.len(), 1);
    assert_ne!(done(other.run(&TOKEN)).out.trim_end(), access);
    expire(&world);
    let refused = world.run(&TOKEN);
    assert_eq!((refused.code, refused.out.as_str()), (3, ""), "{refused:?}");
    for part in ["models auth login", "secrets take-back"] {
        assert!(refused.err.contains(part), "{refused:?}");
    }
    assert_eq!(issuer.token_requests().len(), 1);
}

#[test]
fn every_view_says_moved_and_no_other_account_comes_after_it() {
    let (world, _, _) = machine();
    hand_over(&world);
    for (args, word) in [
        (&["models", "status"][..], "moved"),
        (&["models", "status", "--json"], r#""state": "moved""#),
        (
            &["models", "auth", "explain", "--provider", "openai-codex"],
            "moved",
        ),
        (
            &[
                "models",
                "auth",
                "explain",
                "--provider",
                "openai-codex",
                "--json",
            ],
            "movedAt",
        ),
    ] {
        let ran = done(world.run(args));
        assert!(ran.out.contains(word), "{args:?} {ran:?}");
    }
    let mut store = world.store();
    store["profiles"]["openai-codex:zother"] = serde_json::json!({
        "type": "token", "provider": "openai-codex", "token": "tok-0123456789abcdef-other"
    });
    store["order"] = serde_json::json!({ "openai-codex": ["openai-codex:default"] });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    expire(&world);
    let ran = world.run(&TOKEN);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{ran:?}");
    let check = world.run(&["models", "status", "--check"]);
    assert_eq!(check.code, 1, "{check:?}");
}

#[test]
fn what_was_moved_does_not_come_back_by_undo_or_by_an_old_document() {
    let (world, issuer, [_, refresh]) = machine();
    let before = world.store();
    hand_over(&world);
    let undo = world.run(&["models", "auth", "undo", "openai-codex:default"]);
    assert_ne!(undo.code, 0, "{undo:?}");
    assert_nowhere(&world, &refresh);
    // Another program writes what it had read before.
    world.write("agents/main/agent/auth-profiles.json", &before.to_string());
    expire(&world);
    for args in [&TOKEN[..], &REFRESH] {
        let ran = world.run(args);
        assert_eq!(ran.code, 3, "{ran:?}");
        assert!(ran.err.contains("was moved to another machine"), "{ran:?}");
    }
    assert!(matches!(world.run(&["tick", "--no-spread"]).code, 0 | 3));
    assert_eq!(issuer.token_requests().len(), 0);
}

#[test]
fn a_move_that_nobody_imported_is_taken_back() {
    let (world, issuer, [access, refresh]) = machine();
    let before = profile(&world);
    hand_over(&world);
    let own = bundle(&world, &["import", FILE]);
    assert_eq!(own.code, 1, "{own:?}");
    assert!(own.err.contains("secrets take-back"), "{own:?}");
    let told = done(bundle(&world, &["take-back", FILE]));
    assert!(
        told.out.contains("openai-codex:default of agent main"),
        "{told:?}"
    );
    assert!(told.err.contains("only you know whether"), "{told:?}");
    assert_eq!(profile(&world), before);
    assert_eq!(profile(&world)["refresh"], refresh.as_str());
    let again = bundle(&world, &["take-back", FILE]);
    assert_eq!(again.code, 1, "{again:?}");
    assert!(again.err.contains("it was taken back"), "{again:?}");
    let import = bundle(&world, &["import", FILE, "--force"]);
    assert_eq!(import.code, 1, "{import:?}");
    assert!(import.err.contains("was taken back"), "{import:?}");
    done(world.run(&REFRESH));
    assert_eq!(issuer.token_requests().len(), 1);
    assert_ne!(done(world.run(&TOKEN)).out.trim_end(), access);
    let stranger = other_machine(&world);
    let refused = bundle(&stranger, &["take-back", FILE]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(
        refused.err.contains("handed nothing over in it"),
        "{refused:?}"
    );
}

#[test]
fn a_login_moves_there_and_back_again() {
    let (world, issuer, _) = machine();
    hand_over(&world);
    let other = other_machine(&world);
    done(bundle(&other, &["import", FILE]));
    std::fs::remove_file(file(&other)).unwrap();
    hand_over(&other);
    std::fs::remove_file(file(&world)).unwrap();
    copy(&other, &world);
    let told = done(bundle(&world, &["import", FILE]));
    assert!(
        told.out
            .contains("openai-codex:default of agent main: replaced"),
        "{told:?}"
    );
    done(world.run(&REFRESH));
    assert_eq!(issuer.token_requests().len(), 1);
    let refused = other.run(&REFRESH);
    assert_eq!(refused.code, 3, "{refused:?}");
}

#[test]
fn what_was_used_since_is_refused_and_the_rest_goes_in() {
    let (world, issuer, _) = machine();
    // A bundle of a state directory that was copied before.
    hand_over(&world);
    let other = other_machine(&world);
    done(bundle(&other, &["import", FILE]));
    done(other.run(&REFRESH));
    done(other.run(&[
        "models",
        "auth",
        "logout",
        "openai-codex:default",
        "--yes",
        "--forget",
    ]));
    let told = done(bundle(&other, &["import", FILE, "--force"]));
    assert!(
        told.out.contains(
            "openai-codex:default of agent main: not imported: its refresh token was used"
        ),
        "{told:?}"
    );
    assert!(
        told.out
            .contains("openai:manual of agent main: already here"),
        "{told:?}"
    );
    assert_eq!(issuer.token_requests().len(), 1);
}

#[test]
fn every_copy_of_a_login_is_moved_with_it_and_a_sealed_store_too() {
    let (world, _issuer, _) = machine();
    let text = world.read("agents/main/agent/auth-profiles.json");
    world.write("agents/work/agent/auth-profiles.json", &text);
    world.add_agent("work");
    let refresh = profile(&world)["refresh"].as_str().unwrap().to_owned();
    done(world.run(&SEAL));
    let told = done(bundle(
        &world,
        &["export", "--move", "--to", FILE, "--agent", "work"],
    ));
    assert!(
        told.out
            .starts_with("Exported 2 profiles and 0 secrets to "),
        "{told:?}"
    );
    let copy = "openai-codex:default of agent main is the same login, and is moved with it";
    assert!(told.err.contains(copy), "{told:?}");
    assert_nowhere(&world, &refresh);
    for agent in ["main", "work"] {
        let ran = world.run(&[&REFRESH[..], &["--agent", agent]].concat());
        assert_eq!(ran.code, 3, "{ran:?}");
        assert!(ran.err.contains("was moved to another machine"), "{ran:?}");
    }
    done(bundle(&world, &["take-back", FILE]));
    assert_nowhere(&world, &refresh);
    done(world.run(&REFRESH));
}

#[test]
fn a_copy_of_a_login_that_was_moved_has_no_trace_of_it() {
    let (world, _, _) = machine();
    hand_over(&world);
    std::fs::rename(file(&world), file(&world).with_extension("moved")).unwrap();
    export(&world);
    let other = other_machine(&world);
    done(bundle(&other, &["import", FILE]));
    assert_eq!(profile(&other)["moved"], Value::Null);
    let status = json(&done(other.run(&["models", "status", "--json"]))).to_string();
    assert!(!status.contains("moved"), "{status}");
}

#[test]
fn several_logins_of_one_document_move_at_once_and_the_chosen_one_alone() {
    let (world, issuer, _) = machine();
    let mut store = world.store();
    let mut second = store["profiles"]["openai-codex:default"].clone();
    let (access, refresh) = issuer.issue();
    second["access"] = access.as_str().into();
    second["refresh"] = refresh.as_str().into();
    second["accountId"] = "acct_2".into();
    store["profiles"]["openai-codex:second"] = second;
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    let one = [
        "export",
        "--move",
        "--to",
        "one",
        "--profile",
        "openai-codex:second",
    ];
    done(bundle(&world, &one));
    assert_nowhere(&world, &refresh);
    assert_eq!(profile(&world), store["profiles"]["openai-codex:default"]);
    done(bundle(&world, &["take-back", "one"]));
    let told = hand_over(&world);
    assert_eq!(
        told.out.matches("moved with its refresh token").count(),
        2,
        "{told:?}"
    );
    assert_nowhere(&world, &refresh);
}

/// Sends a refresh that stays under way until the server lets it go.
fn refresh_under_way(world: &World, issuer: &Issuer) -> std::process::Child {
    issuer.hold();
    let child = world.start(&REFRESH);
    while issuer.token_requests().is_empty() {
        std::thread::sleep(Duration::from_millis(2));
    }
    child
}

#[test]
fn a_refresh_that_is_under_way_is_waited_for_and_its_successor_moved() {
    let (world, issuer, [_, refresh]) = machine();
    let child = refresh_under_way(&world, &issuer);
    let told = std::thread::scope(|scope| {
        let export = scope.spawn(|| hand_over(&world));
        let turn = world.state().join("locks/openclaw-rs/bundle.lock");
        while !turn.exists() {
            std::thread::sleep(Duration::from_millis(2));
        }
        // However long it is given, it does not end.
        std::thread::sleep(Duration::from_millis(300));
        assert!(!export.is_finished());
        issuer.let_go();
        export.join().unwrap()
    });
    done(ran(child.wait_with_output().unwrap()));
    assert!(
        told.out.contains("moved with its refresh token"),
        "{told:?}"
    );
    assert_nowhere(&world, &refresh);
    let other = other_machine(&world);
    done(bundle(&other, &["import", FILE]));
    done(other.run(&REFRESH));
    assert_eq!(issuer.token_requests().len(), 2);
}

#[test]
fn a_login_whose_last_refresh_is_in_doubt_is_not_left_behind_silently() {
    let (world, issuer, _) = machine();
    let mut child = refresh_under_way(&world, &issuer);
    child.kill().unwrap();
    child.wait().unwrap();
    issuer.let_go();
    let refused = bundle(&world, &["export", "--move", "--to", FILE]);
    assert_eq!(refused.code, 7, "{refused:?}");
    let told = [
        "the last refresh of openai-codex:default is not known",
        "nothing was moved",
        "openclaw models auth refresh --profile openai-codex:default",
    ];
    assert!(
        told.iter().all(|text| refused.err.contains(text)),
        "{refused:?}"
    );
    assert!(!file(&world).exists());
    // The rest of the machine can go without it.
    let rest = [
        "export",
        "--move",
        "--to",
        FILE,
        "--profile",
        "openai:manual",
    ];
    done(bundle(&world, &rest));
}
