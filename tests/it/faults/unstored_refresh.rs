//! Refreshes that cannot be stored, or that somebody overtakes: nothing is lost, and what is said
//! is true.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::support::issuer::{Account, Issuer, Scripted};

use crate::support::{Ran, World, ran};

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];
const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";

/// A command whose request has arrived at the server and is not answered yet.
fn in_flight(world: &World, issuer: &Issuer, args: &[&str]) -> Child {
    issuer.set_delay(Duration::from_millis(500));
    let mut command = world.command(args);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while issuer.token_requests().is_empty() {
        std::thread::sleep(Duration::from_millis(2));
    }
    child
}

fn end_of(child: Child) -> Ran {
    ran(child.wait_with_output().unwrap())
}

fn saved_answers(world: &World) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(world.state().join("rescue")).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// A world whose only refresh succeeded while its document was unreadable.
fn not_stored() -> (World, Issuer, String) {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    let before = world.read(DOCUMENT);
    let child = in_flight(&world, &issuer, &TOKEN);
    world.write(DOCUMENT, "{ half a docu");
    let ran = end_of(child);
    assert_eq!((ran.code, ran.out.as_str()), (5, ""), "{ran:?}");
    let saved = saved_answers(&world);
    assert_eq!(saved.len(), 1);
    assert!(ran.err.contains(saved[0].to_str().unwrap()), "{ran:?}");
    let mode = std::fs::metadata(&saved[0]).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(world.read(DOCUMENT), "{ half a docu");
    (world, issuer, before)
}

#[test]
fn what_could_not_be_stored_is_taken_in_once_it_can() {
    let (world, issuer, before) = not_stored();
    // As long as it cannot be stored, nothing is sent, and the answer stays.
    let still = world.run(&TOKEN);
    assert_eq!((still.code, still.out.as_str()), (5, ""), "{still:?}");
    assert_eq!(saved_answers(&world).len(), 1);

    world.write(DOCUMENT, &before);
    let taken = world.run(&TOKEN);
    assert_eq!(taken.code, 0, "{taken:?}");
    assert!(
        taken.err.contains("stored the refresh response"),
        "{taken:?}"
    );
    let profile = &world.store()["profiles"]["openai-codex:default"];
    assert_eq!(profile["access"], taken.out.trim_end());
    assert_eq!(profile["custom"], "keepme");
    assert_eq!(issuer.token_requests().len(), 1);
    assert!(saved_answers(&world).is_empty());

    // The successor works, and nothing is left to be said.
    let forced = world.run(&["models", "auth", "refresh", "--force"]);
    assert_eq!((forced.code, forced.err.as_str()), (0, ""), "{forced:?}");
}

#[test]
fn any_command_takes_a_saved_answer_in() {
    let (world, issuer, before) = not_stored();
    world.write(DOCUMENT, &before);
    let status = world.run(&["models", "status", "--json"]);
    assert_eq!(status.code, 0, "{status:?}");
    let stored = world.store();
    assert_ne!(stored.to_string(), before);
    let token = world.run(&TOKEN);
    assert_eq!((token.code, token.err.as_str()), (0, ""), "{token:?}");
    assert_eq!(issuer.token_requests().len(), 1);
}

#[test]
fn a_newer_login_wins_over_what_was_saved() {
    let (world, issuer, _) = not_stored();
    let (newer, _) = world.seed(&issuer, "main", 3_600);
    let token = world.run(&TOKEN);
    assert_eq!(
        (token.code, token.out.trim_end(), token.err.as_str()),
        (0, newer.as_str(), "")
    );
    assert!(saved_answers(&world).is_empty());
}

#[test]
fn a_login_during_the_refresh_is_what_is_handed_out() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    let child = in_flight(&world, &issuer, &TOKEN);
    let (newer, _) = world.seed(&issuer, "main", 3_600);
    let ran = end_of(child);
    assert_eq!(
        (ran.code, ran.out.trim_end(), ran.err.as_str()),
        (0, newer.as_str(), "")
    );
}

#[test]
fn a_logout_during_the_refresh_stays_a_logout() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    let child = in_flight(&world, &issuer, &TOKEN);
    let logout = world.run(&["models", "auth", "logout", "openai-codex:default", "--yes"]);
    assert_eq!(logout.code, 0, "{logout:?}");
    let ran = end_of(child);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
    assert!(
        ran.err.contains("was removed while it was being refreshed"),
        "{ran:?}"
    );
    assert!(world.store()["profiles"]["openai-codex:default"].is_null());
    assert!(saved_answers(&world).is_empty());
}

#[test]
fn a_server_in_trouble_is_not_asked_by_everybody_who_waits() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    for _ in 0..16 {
        issuer.answer_next(Scripted {
            status: 503,
            ..Scripted::default()
        });
    }
    let children: Vec<_> = (0..16)
        .map(|_| {
            let mut command = world.command(&TOKEN);
            let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
            piped.spawn().unwrap()
        })
        .collect();
    for child in children {
        let ran = end_of(child);
        assert_eq!((ran.code, ran.out.as_str()), (4, ""), "{ran:?}");
    }
    // The pauses double: after the fourth failure at the latest the next is too long to wait for.
    let asked = issuer.token_requests().len();
    assert!((1..=4).contains(&asked), "{asked} requests");
}

#[test]
fn status_knows_an_old_copy_for_what_it_is() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (access, _) = world.seed(&issuer, "main", 3_600);
    let backup = world.read(DOCUMENT);
    let forced = world.run(&["models", "auth", "refresh", "--force"]);
    assert_eq!(forced.code, 0, "{forced:?}");
    world.write(DOCUMENT, &backup);
    let status = world.run(&["models", "status"]);
    assert!(status.out.contains("outdated"), "{status:?}");
    assert!(
        status.out.contains("refresh token already used just now"),
        "{status:?}"
    );
    let json: serde_json::Value =
        serde_json::from_str(&world.run(&["models", "status", "--json"]).out).unwrap();
    assert!(
        json["openclaw"]["profiles"][0]["spentSince"].is_i64(),
        "{json}"
    );

    // What took its place is put back; what is spent is not sent, whatever is asked for.
    let token = world.run(&TOKEN);
    assert_eq!(token.code, 0, "{token:?}");
    assert!(token.err.contains("outdated copy"), "{token:?}");
    assert_ne!(token.out.trim_end(), access);
    assert_eq!(
        world.store()["profiles"]["openai-codex:default"]["access"],
        token.out.trim_end()
    );
    let again = world.run(&["models", "auth", "refresh", "--force"]);
    assert_eq!((again.code, again.err.as_str()), (0, ""), "{again:?}");
    assert_eq!(issuer.token_requests().len(), 2);
}

#[test]
fn a_disk_that_fails_keeps_nobody_from_a_token_that_lives() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (access, _) = world.seed(&issuer, "main", 60);
    // The place for the answer cannot be made.
    world.write("rescue", "out of the way");
    let due = world.run(&TOKEN);
    assert_eq!(
        (due.code, due.out.trim_end()),
        (0, access.as_str()),
        "{due:?}"
    );
    assert!(
        due.err.contains("expires soon and could not be refreshed"),
        "{due:?}"
    );
    let forced = world.run(&["models", "auth", "refresh", "--force"]);
    assert_eq!(forced.code, 5, "{forced:?}");
    assert!(
        forced.err.contains("No credentials were changed"),
        "{forced:?}"
    );
    assert_eq!(issuer.token_requests().len(), 0);
}
