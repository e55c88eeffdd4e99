//! When a client cannot get a token: what is handed out, what is tried again, and what is shown.

use std::process::Command;
use std::time::Duration;

use crate::support::issuer::Scripted;
use openclaw::model::provider::ClientAuth;
use serde_json::json;

use super::{SECRET, TOKEN, all_at_once, ends_in, logged_in, profile, run};
use crate::support::World;

#[test]
fn a_living_token_outlives_a_client_that_is_refused() {
    let (world, issuer) = logged_in();
    ends_in(&world, 200);
    let token = profile(&world)["token"].clone();
    issuer.expect_client("client-1", "another", ClientAuth::Post);
    let alive = run(&world, &TOKEN);
    assert_eq!(
        (alive.code, json!(alive.out.trim_end())),
        (0, token),
        "{alive:?}"
    );
    assert!(alive.err.contains("invalid_client"), "{alive:?}");
    ends_in(&world, -10);
    let dead = run(&world, &TOKEN);
    assert_eq!(dead.code, 1, "{dead:?}");
    assert!(
        dead.err
            .contains("Try: correct the OAuth client of codex, then"),
        "{dead:?}"
    );
    assert_eq!(
        issuer.token_requests().len(),
        2,
        "a refusal is not provoked again at once"
    );
    // Whoever corrected it says so.
    issuer.expect_client("client-1", SECRET, ClientAuth::Post);
    assert_eq!(
        run(&world, &["models", "auth", "refresh", "--force"]).code,
        0
    );
    assert_eq!(run(&world, &TOKEN).code, 0);
}

#[test]
fn a_refusal_is_for_all_who_asked() {
    let (world, issuer) = logged_in();
    ends_in(&world, -10);
    issuer.expect_client("client-1", "another", ClientAuth::Post);
    issuer.set_delay(Duration::from_millis(200));
    let runs = all_at_once(&world, 8);
    assert!(runs.iter().all(|ran| ran.code == 1), "{runs:?}");
    assert_eq!(issuer.token_requests().len(), 2, "one login, one refusal");
}

#[test]
fn a_server_that_wants_to_be_left_alone_is() {
    let (world, issuer) = logged_in();
    ends_in(&world, -10);
    issuer.answer_next(Scripted {
        status: 429,
        headers: vec![("Retry-After", "120".to_owned())],
        ..Scripted::default()
    });
    let (first, second) = (run(&world, &TOKEN), run(&world, &TOKEN));
    assert_eq!((first.code, second.code), (4, 4), "{first:?} {second:?}");
    assert_eq!(issuer.token_requests().len(), 2);
}

#[test]
fn no_answer_spends_nothing() {
    let (world, issuer) = logged_in();
    ends_in(&world, -10);
    issuer.answer_next(Scripted {
        hang_up: true,
        ..Scripted::default()
    });
    let first = run(&world, &TOKEN);
    assert_eq!(first.code, 4, "{first:?}");
    assert!(
        first.err.contains("No credentials were changed."),
        "{first:?}"
    );
    let second = run(&world, &["models", "auth", "refresh", "--force"]);
    assert_eq!(second.code, 0, "{second:?}");
    assert!(!second.err.contains("may already be used"), "{second:?}");
}

#[test]
fn nobody_asks_for_what_could_not_be_stored() {
    let (world, issuer) = logged_in();
    ends_in(&world, -10);
    world.block("locks/openclaw-rs");
    let ran = run(&world, &TOKEN);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert_eq!(issuer.token_requests().len(), 1);
}

#[test]
fn without_its_secret_a_client_asks_nobody() {
    let (world, issuer) = logged_in();
    let plain = world.run(&TOKEN);
    assert_eq!(plain.code, 0, "a fresh token needs no client: {plain:?}");
    ends_in(&world, 200);
    let due = world.run(&TOKEN);
    assert_eq!(due.code, 0, "{due:?}");
    assert!(due.err.contains("client id"), "{due:?}");
    ends_in(&world, -10);
    let dead = world.run(&TOKEN);
    assert_eq!(dead.code, 1, "{dead:?}");
    assert!(
        dead.err.contains("openclaw secrets set CODEX_CLIENT_ID"),
        "{dead:?}"
    );
    assert_eq!(issuer.token_requests().len(), 1);
}

#[test]
fn neither_token_nor_secret_is_ever_shown() {
    let (world, issuer) = logged_in();
    let tokens = |world: &World| profile(world)["token"].as_str().unwrap().to_owned();
    let mut hidden = vec![SECRET.to_owned(), "s3cret".to_owned(), tokens(&world)];
    let mut shown = Vec::new();
    let mut look = |args: &[&str]| {
        let ran = run(&world, args);
        shown.push((args.join(" "), ran.out + &ran.err));
    };
    look(&["models", "auth", "refresh", "--force", "-vvv"]);
    look(&["provider", "codex", "refresh-token", "-vvv"]);
    look(&["provider", "codex", "token-status", "-vvv"]);
    look(&["models", "status", "--json", "-vvv"]);
    look(&["models", "auth", "list", "-vvv"]);
    look(&["doctor", "-vvv"]);
    let quoting = format!(r#"{{"error":"invalid_client","error_description":"not {SECRET}"}}"#);
    for _ in 0..2 {
        issuer.answer_next(Scripted {
            status: 401,
            body: quoting.clone(),
            ..Scripted::default()
        });
    }
    look(&["models", "auth", "refresh", "--force", "-vvv"]);
    look(&["models", "auth", "login", "--provider", "codex", "-vvv"]);
    look(&["models", "status", "-vvv"]);
    hidden.push(tokens(&world));
    for (command, text) in shown {
        for secret in &hidden {
            assert!(
                !text.contains(secret.as_str()),
                "{command} shows {secret}:\n{text}"
            );
        }
    }
    let journal = world.state().join("locks");
    let found = Command::new("grep")
        .args(["-r", "-e", "MARKER", "-e", "s3cret"])
        .arg(journal)
        .output();
    assert_eq!(found.unwrap().stdout, b"", "the journal holds a secret");
}
