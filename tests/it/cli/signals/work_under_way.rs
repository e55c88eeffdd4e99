//! What is given up at once, and what is told of work that was half done.

use std::net::TcpListener;
use std::time::Duration;

use rustix::process::Signal;

use super::{SIGNALS, delivered, end, requests, send, start, stores_nothing};
use crate::refresh::concurrency::{expired, provider};
use crate::status::alert_hooks::Bell;
use crate::support::issuer::Account;
use crate::support::{World, millis_from_now};

/// A device login at a server that takes connections and never answers, or not any more.
#[test]
fn a_device_login_at_a_silent_server_ends_at_once() {
    for (signal, code) in SIGNALS {
        for polls in [false, true] {
            let (world, issuer) = World::with_builtin("qwen-portal");
            let silent = TcpListener::bind("127.0.0.1:0").unwrap();
            let (url, silent_url) = (issuer.url(), silent.local_addr().unwrap());
            let path = "providers/qwen-portal.toml";
            let manifest = world.read(path);
            let lines = manifest.lines().map(|line| {
                let is_silent = line.starts_with(if polls { "token =" } else { "device =" });
                match is_silent {
                    true => line.replace(url, &format!("http://{silent_url}")),
                    false => line.to_owned(),
                }
            });
            world.write(path, &lines.collect::<Vec<_>>().join("\n"));
            let args = ["models", "auth", "login", "--provider", "qwen-portal"];
            let more = ["--method", "device-code", "--json"];
            let start_at = std::time::Instant::now();
            let child = start(&world, &[&args[..], &more].concat());
            let (_held, _) = silent.accept().unwrap();
            send(&child, signal);
            let ran = end(child);
            assert_eq!(ran.code, code, "{ran:?}");
            assert!(
                ran.err.contains("Cancelled. Nothing was stored."),
                "{ran:?}"
            );
            assert!(!ran.err.contains("still waiting"), "{ran:?}");
            assert!(start_at.elapsed() < Duration::from_secs(25), "{ran:?}");
            assert!(stores_nothing(&world));
        }
    }
}

/// Two logins of one server are under way when the signal comes, and one waits. The other server
/// refuses what it is asked for: once it got fifteen requests, one of them has been dealt with, for
/// sixteen are under way at most.
#[test]
fn a_tick_that_is_interrupted_tells_what_it_did_and_runs_its_hooks() {
    let (bell, issuer) = Bell::doing("");
    let world = bell.world();
    let refusing = provider(world, "refusing");
    for number in 10..25 {
        let nobodys = ("x".to_owned(), format!("rt-nobody-{number}"));
        expired(world, (&format!("n{number}"), "refusing"), nobodys);
    }
    for agent in ["w1", "w2", "w3"] {
        expired(world, (agent, "openai-codex"), issuer.issue());
    }
    issuer.hold();
    let child = start(world, &["tick", "--no-spread", "--json"]);
    requests(&issuer, 2);
    requests(&refusing, 15);
    send(&child, Signal::TERM);
    delivered(&child);
    issuer.let_go();
    let ran = end(child);
    assert_eq!(ran.code, 143, "{ran:?}");
    let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(report["problems"][0]["kind"], "needs_login", "{ran:?}");
    for row in [15, 16] {
        assert_eq!(report["logins"][row]["result"], "refreshed", "{ran:?}");
    }
    assert_eq!(report["logins"][17]["result"], serde_json::Value::Null);
    for told in [
        "agent w1: openai-codex:default was refreshed before the signal",
        "agent w2: openai-codex:default was refreshed before the signal",
        "The credential store was changed.",
    ] {
        assert!(ran.err.contains(told), "{ran:?}");
    }
    let rang = bell.rang();
    let (refreshed, others) = rang
        .iter()
        .partition::<Vec<_>, _>(|rang| *rang == "refreshed openai-codex:default");
    assert_eq!(refreshed.len(), 2, "{rang:?}");
    assert!(!others.is_empty(), "{ran:?}");
    assert!(
        others
            .iter()
            .all(|rang| *rang == "needs-login refusing:default"),
        "{rang:?}"
    );
    assert_eq!(issuer.token_requests().len(), 2);
}

/// The signal comes while the first ones of three are refreshed.
#[test]
fn a_refresh_of_several_that_is_interrupted_tells_what_it_did() {
    let (world, issuer) = World::with_issuer(Account::default());
    let mut store = serde_json::json!({ "version": 1, "profiles": {} });
    for name in ["first", "second", "third"] {
        let (access, refresh) = issuer.issue();
        store["profiles"][format!("openai-codex:{name}")] = serde_json::json!({
            "type": "oauth", "provider": "openai-codex", "access": access, "refresh": refresh,
            "expires": millis_from_now(-10),
        });
    }
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    issuer.hold();
    let child = start(&world, &["models", "auth", "refresh"]);
    requests(&issuer, 1);
    send(&child, Signal::INT);
    delivered(&child);
    issuer.let_go();
    let ran = end(child);
    assert_eq!(ran.code, 130, "{ran:?}");
    let sent = issuer.token_requests().len();
    let told = ran.out.matches(": refreshed before the signal\n").count();
    assert_eq!(told, sent, "{ran:?}");
    assert!(!ran.out.contains("third"), "{ran:?}");
    let changed = ran.err.matches("The credential store was changed.");
    assert_eq!(changed.count(), 1, "{ran:?}");
    assert!(!ran.err.contains("Nothing was stored"), "{ran:?}");
}
