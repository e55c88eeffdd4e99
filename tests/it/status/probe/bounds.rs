//! Deadlines, how many at once, signals, refreshes, and what the exit code tells.

use std::process::Stdio;
use std::sync::Arc;

use crate::support::issuer::{Account, Issuer};
use openclaw::sys::clock::SystemClock;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::server::{Answer, Server};
use super::{PROBE, key, of, probes, run, store, world};
use crate::support::{World, millis_from_now, ran};

/// The server never answers; were there no deadline, the test would not end.
#[test]
fn a_server_that_hangs_is_a_timeout() {
    let server = Server::start();
    let world = world(&server);
    server.answer("sk-hangs", Answer::Nothing);
    store(&world, "acme", &[("acme:a", key("sk-hangs"))]);
    let probes = probes(&world, &["--probe-timeout", "200"]);
    let hangs = of(&probes, "acme:a");
    assert_eq!(hangs["status"], "timeout", "{hangs}");
    let error = hangs["error"].as_str().unwrap();
    assert!(error.contains("timed out"), "{hangs}");
}

#[test]
fn no_more_are_tried_at_once_than_asked_for() {
    for (asked, at_once) in [(None, 2), (Some("1"), 1), (Some("3"), 3), (Some("2.9"), 2)] {
        let server = Server::start();
        let world = world(&server);
        let names: Vec<String> = (0..12).map(|at| format!("acme:{at:02}")).collect();
        let profiles: Vec<(&str, Value)> = names
            .iter()
            .map(|name| (name.as_str(), key(&format!("sk-{name}"))))
            .collect();
        store(&world, "acme", &profiles);
        // Were there fewer, the first of them would not be answered.
        server.gather(at_once);
        let args: Vec<&str> = asked
            .iter()
            .flat_map(|n| ["--probe-concurrency", n])
            .collect();
        let probes = probes(&world, &args);
        assert_eq!(probes["totalTargets"], 12);
        assert_eq!(server.seen().len(), 12);
        assert_eq!(server.most_at_once(), at_once, "{asked:?}");
    }
}

#[test]
fn a_signal_ends_a_probe_that_hangs() {
    let server = Server::start();
    let world = world(&server);
    for name in ["sk-one", "sk-two", "sk-three"] {
        server.answer(name, Answer::Nothing);
    }
    store(
        &world,
        "acme",
        &[
            ("acme:1", key("sk-one")),
            ("acme:2", key("sk-two")),
            ("acme:3", key("sk-three")),
        ],
    );
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let before = server.seen().len();
        let mut command = world.command(&[&PROBE[..], &["--probe-timeout", "3600000"]].concat());
        let child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        server.until_seen(before + 2);
        kill_process(Pid::from_child(&child), signal).unwrap();
        let ran = ran(child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{ran:?}");
        assert_eq!(ran.err, "Cancelled. Nothing was stored.\n");
        // The third was not begun.
        assert_eq!(server.seen().len(), before + 2);
    }
}

/// `acme` with that issuer's token endpoint, and a probe at the server.
pub(super) fn with_issuer(server: &Server) -> (World, Issuer) {
    let world = World::new();
    let issuer = Issuer::start(Account::default(), Arc::new(SystemClock::new())).unwrap();
    let manifest = issuer.manifest().replace("openai-codex", "acme");
    let manifest = manifest.replace("replaces = true\n", "");
    let manifest = format!("{manifest}\n[probe]\nurl = \"{}\"\n", server.url("/me"));
    world.write("providers/acme.toml", &manifest);
    (world, issuer)
}

pub(super) fn login((access, refresh): &(String, String), ends_in: i64) -> Value {
    let expires = millis_from_now(ends_in);
    json!({
        "type": "oauth", "access": access, "refresh": refresh, "expires": expires,
        "accountId": "acct_1",
    })
}

/// Two copies of one grant, tried at the same time.
#[test]
fn an_expired_login_is_refreshed_once_and_then_tried() {
    let server = Server::start();
    let (world, issuer) = with_issuer(&server);
    let grant = issuer.issue();
    store(
        &world,
        "acme",
        &[
            ("acme:default", login(&grant, -60)),
            ("acme:copy", login(&grant, -60)),
        ],
    );
    server.answer("Bearer ", Answer::of(200, ""));
    let ran = run(&world, &["--json"]);
    let document: Value = serde_json::from_str(&ran.out).unwrap();
    let probes = &document["auth"]["probes"];
    for label in ["acme:default", "acme:copy"] {
        assert_eq!(of(probes, label)["status"], "ok", "{probes} {ran:?}");
    }
    assert_eq!(issuer.token_requests().len(), 1);
    let stored = world.store()["profiles"]["acme:default"].clone();
    assert_ne!(stored["refresh"], grant.1.as_str());
    let bearer = format!("Bearer {}", stored["access"].as_str().unwrap());
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    for seen in seen {
        assert_eq!(seen.header("authorization"), Some(bearer.as_str()));
    }
    // What is reported beside it is how it is now.
    let health = &document["auth"]["oauth"]["profiles"][0];
    assert_eq!(health["expiresAt"], stored["expires"], "{health}");
}

#[test]
fn a_login_that_is_refused_is_not_tried() {
    let server = Server::start();
    let (world, issuer) = with_issuer(&server);
    let nobodys = ("old".to_owned(), "rt-MARKER-of-nobody".to_owned());
    store(&world, "acme", &[("acme:default", login(&nobodys, -60))]);
    let probes = probes(&world, &[]);
    let result = of(&probes, "acme:default");
    assert_eq!(result["status"], "auth", "{result}");
    assert!(
        result["error"].as_str().unwrap().contains("invalid_grant"),
        "{result}"
    );
    assert!(result["latencyMs"].is_null());
    assert!(server.seen().is_empty() && issuer.token_requests().len() == 1);
}

#[test]
fn the_exit_code_tells_of_options_and_of_check_alone() {
    let server = Server::start();
    let world = world(&server);
    server.answer("sk-refused", Answer::of(401, ""));
    store(&world, "acme", &[("acme:a", key("sk-refused"))]);
    let config = json!({ "agents": { "defaults": { "model": { "primary": "acme/x" } } } });
    world.write("openclaw.json", &config.to_string());
    assert_eq!(run(&world, &[]).code, 0);
    assert_eq!(run(&world, &["--check"]).code, 0);
    for (args, said) in [
        (
            &["--probe", "--plain"][..],
            "--probe cannot be used with --plain output.",
        ),
        (
            &["--probe-timeout", "0"],
            "--probe-timeout must be a positive number (ms).",
        ),
        (
            &["--probe-timeout", "-5"],
            "--probe-timeout must be a positive number (ms).",
        ),
        (
            &["--probe-concurrency", "none"],
            "--probe-concurrency must be > 0.",
        ),
        (
            &["--probe-max-tokens", "-1"],
            "--probe-max-tokens must be > 0.",
        ),
    ] {
        let ran = world.run(&[&["models", "status"], args].concat());
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
        assert_eq!(ran.err.lines().next().unwrap(), format!("Error: {said}"));
    }
}
