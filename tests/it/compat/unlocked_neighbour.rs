//! Beside a program that writes the store without a lock, from a document that it read some time
//! ago: what it takes away comes back, by itself where a login was refreshed, else by `undo`.

use std::process::Child;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::issuer::{Account, Fate, Issuer};
use crate::support::{Ran, World, ran};

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];
const REFRESH: [&str; 4] = ["models", "auth", "refresh", "--force"];
const CODEX: &str = "openai-codex:default";
const MANUAL: &str = "anthropic:manual";
const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";

fn token(mark: char) -> String {
    format!("sk-ant-oat01-{}", mark.to_string().repeat(95))
}

fn good(ran: Ran) -> Ran {
    assert_eq!(ran.code, 0, "{ran:?}");
    ran
}

fn auth(world: &World, words: &[&str]) -> Ran {
    world.run(&[&["models", "auth"], words].concat())
}

fn paste(world: &World, mark: char) {
    let args = ["models", "auth", "paste-token", "--provider", "anthropic"];
    good(world.pipe(&args, &token(mark)));
}

/// An expired login, and the document that holds it.
fn expired() -> (World, Issuer, String) {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    let model = r#"{ agents: { defaults: { model: { primary: "openai-codex/gpt-5.3" } } } }"#;
    world.write("openclaw.json", model);
    let stale = world.read(DOCUMENT);
    (world, issuer, stale)
}

fn login(world: &World) -> Value {
    world.store()["profiles"][CODEX].clone()
}

fn is_living(world: &World, issuer: &Issuer) -> bool {
    let refresh = login(world)["refresh"].as_str().unwrap().to_owned();
    issuer.fate(&refresh) == Fate::Living
}

/// A command whose request has arrived at the server and is not answered yet.
fn in_flight(world: &World, issuer: &Issuer) -> Child {
    issuer.set_delay(Duration::from_millis(500));
    let child = world.start(&TOKEN);
    while issuer.token_requests().is_empty() {
        std::thread::sleep(Duration::from_millis(2));
    }
    child
}

#[test]
fn a_refreshed_login_comes_back_after_a_stale_document_was_written() {
    for times in [1, 3] {
        let (world, issuer, stale) = expired();
        for _ in 0..times {
            good(world.run(&REFRESH));
        }
        let newest = login(&world);
        // More than once, as a program does that never reads again.
        for _ in 0..3 {
            world.write(DOCUMENT, &stale);
            let checked = world.run(&["models", "status", "--check"]);
            assert_eq!(checked.code, 0, "{checked:?}");
            let ran = good(world.run(&TOKEN));
            assert_eq!(ran.out.trim_end(), newest["access"]);
            assert!(ran.err.contains("which the history kept"), "{ran:?}");
            assert_eq!(login(&world), newest);
        }
        assert!(is_living(&world, &issuer));
        assert_eq!(issuer.token_requests().len(), times);
        // It is the same login, so nothing of that makes a generation.
        let ran = good(auth(&world, &["history", CODEX, "--json"]));
        let report: Value = serde_json::from_str(&ran.out).unwrap();
        let rows = report["profiles"][0]["generations"].as_array().unwrap();
        assert_eq!(rows.len(), 1, "{rows:?}");
    }
}

#[test]
fn a_stale_document_written_during_a_refresh_loses_no_login() {
    for is_gone in [false, true] {
        let (world, issuer, stale) = expired();
        let document = match is_gone {
            true => json!({"version": 1, "profiles": {}}).to_string(),
            false => stale,
        };
        good(world.run(&REFRESH));
        let mut due: Value = world.store();
        due["profiles"][CODEX]["expires"] = json!(1);
        world.write(DOCUMENT, &due.to_string());
        issuer.set_delay(Duration::from_millis(500));
        let child = world.start(&TOKEN);
        while issuer.token_requests().len() < 2 {
            std::thread::sleep(Duration::from_millis(2));
        }
        world.write(DOCUMENT, &document);
        let ran = ran(child.wait_with_output().unwrap());
        if ran.code != 0 {
            assert!(ran.err.contains("the new tokens are kept"), "{ran:?}");
            assert!(ran.err.contains("models auth undo"), "{ran:?}");
            good(auth(&world, &["undo", CODEX]));
        }
        assert!(is_living(&world, &issuer), "{ran:?}");
        good(world.run(&TOKEN));
        assert_eq!(issuer.token_requests().len(), 2);
    }
}

#[test]
fn a_login_that_another_program_removed_is_told_of_and_comes_back() {
    let (world, _issuer, without) = expired();
    paste(&world, 'a');
    let with = world.store();
    world.write(DOCUMENT, &without);
    for command in [&["models", "status"][..], &["doctor"]] {
        let ran = world.run(command);
        assert!(ran.out.contains("removed by another program"), "{ran:?}");
        assert!(
            ran.out.contains("models auth undo anthropic:manual"),
            "{ran:?}"
        );
    }
    let token = auth(&world, &["token", "--provider", "anthropic"]);
    assert_eq!(token.code, 3, "{token:?}");
    assert!(
        token.err.contains("removed by another program"),
        "{token:?}"
    );
    let undo = "Try: openclaw models auth undo anthropic:manual";
    assert!(token.err.contains(undo), "{token:?}");
    let listed = good(auth(&world, &["history", MANUAL]));
    assert!(
        listed.out.contains("removed by another program"),
        "{listed:?}"
    );
    good(auth(&world, &["undo", MANUAL]));
    assert_eq!(world.store(), with);
    let ran = world.run(&["models", "status"]);
    assert!(!ran.out.contains("another program"), "{ran:?}");
}

#[test]
fn an_older_token_that_another_program_wrote_back_is_told_of() {
    let world = World::new();
    paste(&world, 'a');
    let older = world.read(DOCUMENT);
    paste(&world, 'b');
    world.write(DOCUMENT, &older);
    let ran = good(world.run(&["models", "status"]));
    assert!(ran.out.contains("replaced by another program"), "{ran:?}");
    good(auth(&world, &["undo", MANUAL]));
    assert_eq!(world.store()["profiles"][MANUAL]["token"], token('b'));
    // A newer one of the other program is its own, and the present one is kept when it is replaced.
    world.write(DOCUMENT, &older.replace(&token('a'), &token('n')));
    let ran = good(world.run(&["models", "status"]));
    assert!(!ran.out.contains("another program"), "{ran:?}");
    paste(&world, 'c');
    let ran = good(auth(&world, &["history", MANUAL, "--json"]));
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let rows = report["profiles"][0]["generations"].as_array().unwrap();
    let causes: Vec<_> = rows.iter().map(|row| row["by"].clone()).collect();
    assert_eq!(causes[..2], [json!("paste"), json!("other_program")]);
}

#[test]
fn our_own_logout_is_no_loss() {
    let (world, issuer, _) = expired();
    good(world.run(&REFRESH));
    paste(&world, 'a');
    for profile in [CODEX, MANUAL] {
        good(auth(&world, &["logout", profile, "--yes"]));
    }
    for command in [&["models", "status"][..], &["doctor"]] {
        let ran = world.run(command);
        assert!(!ran.out.contains("another program"), "{ran:?}");
    }
    assert_eq!(issuer.token_requests().len(), 1);
}

#[test]
fn a_logout_during_a_refresh_wins_although_the_successor_came() {
    let (world, issuer, stale) = expired();
    let child = in_flight(&world, &issuer);
    good(auth(&world, &["logout", CODEX, "--yes"]));
    let ran = ran(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("the new tokens were discarded"), "{ran:?}");
    // Even if another program writes the old document back.
    world.write(DOCUMENT, &stale);
    let ran = world.run(&TOKEN);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{ran:?}");
}
