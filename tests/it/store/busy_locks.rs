//! Short locks that another process holds: a command waits for a limited time, names the owner,
//! and a signal ends the wait.

use std::time::{Duration, Instant};

use crate::support::browser::visit;
use crate::support::issuer::Account;
use openclaw::ports::files::{FileLock, Sharing};
use openclaw::ports::lock::{Wait, lock_within};
use openclaw::sys::clock::SystemClock;
use openclaw::sys::files::SystemFiles;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::support::World;
use crate::support::login::Waiting;

const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";

/// This process holds a lock of that name.
fn hold(world: &World, name: &str) -> Box<dyn FileLock> {
    let path = world.state().join("locks/openclaw-rs").join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let (clock, wait) = (SystemClock::new(), Wait::uninterrupted(Duration::ZERO));
    lock_within(&SystemFiles, &clock, &path, Sharing::Exclusive, &wait).unwrap()
}

/// `args` change `file`, and need the lock.
fn is_busy(name: &str, args: &[&str], file: &str) {
    let world = World::new();
    let store = json!({ "version": 1, "profiles": {
        "anthropic:a": { "type": "token", "provider": "anthropic", "token": "t" },
    } });
    world.write(DOCUMENT, &store.to_string());
    let held = hold(&world, name);
    let ran = world.run(args);
    assert_eq!(ran.code, 6, "{ran:?}");
    let owner = format!("{name} is locked by pid {} on ", std::process::id());
    assert!(ran.err.contains(&owner), "{ran:?}");
    assert!(!world.state().join(file).exists());
    drop(held);
    let ran = world.run(args);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(world.state().join(file).exists());
}

#[test]
fn a_held_config_lock_ends_as_busy_and_names_its_owner() {
    let args = ["models", "set", "anthropic/claude-opus-4-5"];
    is_busy("config.lock", &args, "openclaw.json");
}

#[test]
fn a_held_directories_lock_ends_as_busy_and_names_its_owner() {
    let args = ["models", "auth", "use", "anthropic:a", "--dir", "/"];
    is_busy("directories.lock", &args, "directories.json");
}

/// A login remembers signals instead of dying of them, and edits the configuration at its end.
#[test]
fn a_signal_ends_the_wait_for_a_held_config_lock() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let (world, _issuer) = World::with_issuer(Account::default());
        let config = r#"{ auth: { order: { "openai-codex": ["openai-codex:other"] } } }"#;
        world.write("openclaw.json", config);
        let _held = hold(&world, "config.lock");
        let login = Waiting::start(&world, &[]);
        let url = login.url.clone();
        let browser = std::thread::spawn(move || visit(&url).map(drop));
        while !world.state().join(DOCUMENT).exists() {
            std::thread::sleep(Duration::from_millis(2));
        }
        let start = Instant::now();
        kill_process(Pid::from_child(&login.child), signal).unwrap();
        let (ran, _) = login.finish();
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(start.elapsed() < Duration::from_secs(8), "{ran:?}");
        assert!(
            ran.err.contains("The credential store was changed."),
            "{ran:?}"
        );
        assert_eq!(world.read("openclaw.json"), config);
        browser.join().unwrap().unwrap();
    }
}

/// The code is spent by then: the login is kept, and the person is told what is left to do.
#[test]
fn a_login_is_stored_and_told_although_the_config_lock_is_held() {
    let (world, _issuer) = World::with_issuer(Account::default());
    let config = r#"{ auth: { profiles: { "openai-codex:other":
        { provider: "openai-codex", mode: "oauth" } } } }"#;
    world.write("openclaw.json", config);
    let held = hold(&world, "config.lock");
    let login = Waiting::start(&world, &[]);
    let url = login.url.clone();
    let browser = std::thread::spawn(move || visit(&url).map(drop));
    let (ran, events) = login.finish();
    browser.join().unwrap().unwrap();
    drop(held);
    assert_eq!(ran.code, 6, "{ran:?}");
    let saved = events.iter().find(|event| event["event"] == "saved");
    let profile = saved.unwrap()["profileId"].as_str().unwrap();
    assert!(world.store()["profiles"][profile]["refresh"].is_string());
    for told in [
        "is stored, but",
        "config.lock is locked by pid",
        "auth.profiles",
    ] {
        assert!(ran.err.contains(told), "{ran:?}");
    }
    assert!(
        ran.err.contains("The credential store was changed."),
        "{ran:?}"
    );
    assert_eq!(world.read("openclaw.json"), config);
}
