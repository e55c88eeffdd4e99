//! Short locks that another process holds: a command waits for a limited time, names the owner,
//! and a signal ends the wait.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::browser::visit;
use crate::support::issuer::Account;
use openclaw::model::grant::GrantDigest;
use openclaw::model::id::ProviderId;
use openclaw::model::secret::Secret;
use openclaw::ports::files::{FileLock, Sharing};
use openclaw::ports::lock::{Wait, lock_within};
use openclaw::sys::clock::SystemClock;
use openclaw::sys::files::SystemFiles;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::login::methods::two_halves::{begun, ended_on};
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

/// The lock of the file that a path leads to.
fn config_lock(path: &Path) -> String {
    let name = format!("{:x}", Sha256::digest(path.to_str().unwrap()));
    format!("config-{}.lock", &name[..32])
}

/// The lock of the world's own configuration.
fn own_config_lock(world: &World) -> String {
    config_lock(&world.state().join("openclaw.json"))
}

/// `args` change `file`, and need the lock.
fn is_busy(name: fn(&World) -> String, args: &[&str], file: &str) {
    let world = World::new();
    let name = &name(&world);
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
    is_busy(own_config_lock, &args, "openclaw.json");
}

/// Who may only read a lock file can hold its lock, and leaves no note.
#[test]
fn a_holder_that_left_no_note_is_named_by_the_system() {
    let world = World::new();
    let name = own_config_lock(&world);
    let _held = hold(&world, &name);
    let old = "pid 999999 on elsewhere since 2026-01-01T00:00:00.000Z\n";
    std::fs::write(world.state().join("locks/openclaw-rs").join(&name), old).unwrap();
    let ran = world.run(&["models", "set", "anthropic/claude-opus-4-5"]);
    assert_eq!(ran.code, 6, "{ran:?}");
    let owner = format!("{name} is locked by pid {}\n", std::process::id());
    assert!(ran.err.contains(&owner), "{ran:?}");
}

#[test]
fn a_held_directories_lock_ends_as_busy_and_names_its_owner() {
    let args = ["models", "auth", "use", "anthropic:a", "--dir", "/"];
    is_busy(|_| "directories.lock".to_owned(), &args, "directories.json");
}

/// A login remembers signals instead of dying of them, and edits the configuration at its end.
#[test]
fn a_signal_ends_the_wait_for_a_held_config_lock() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let (world, _issuer) = World::with_issuer(Account::default());
        let config = r#"{ auth: { order: { "openai-codex": ["openai-codex:other"] } } }"#;
        world.write("openclaw.json", config);
        let _held = hold(&world, &own_config_lock(&world));
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
    let held = hold(&world, &own_config_lock(&world));
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
    for told in ["is stored, but", ".lock is locked by pid", "auth.profiles"] {
        assert!(ran.err.contains(told), "{ran:?}");
    }
    assert!(
        ran.err.contains("The credential store was changed."),
        "{ran:?}"
    );
    assert_eq!(world.read("openclaw.json"), config);
}

/// A configuration elsewhere, as in a repository of dotfiles: nothing is made beside it, and every
/// path to it has the same lock.
#[test]
fn the_lock_of_a_configuration_elsewhere_lies_in_the_state_directory() {
    let world = World::new();
    let dotfiles = world.directory.path().join("dotfiles");
    std::fs::create_dir(&dotfiles).unwrap();
    let real = dotfiles.join("oc.json");
    std::fs::write(&real, "{}\n").unwrap();
    let link = world.directory.path().join("link.json");
    std::os::unix::fs::symlink(&real, &link).unwrap();
    let around = dotfiles.join("../dotfiles/oc.json");
    let name = config_lock(&real.canonicalize().unwrap());
    for (number, path) in [&real, &link, &around].into_iter().enumerate() {
        let set = || {
            let model = format!("anthropic/claude-opus-4-{number}");
            let mut command = world.command(&["models", "set", &model]);
            command.env("OPENCLAW_CONFIG_PATH", path);
            crate::support::ran(command.output().unwrap())
        };
        let held = hold(&world, &name);
        let ran = set();
        assert_eq!(ran.code, 6, "{path:?} {ran:?}");
        assert!(ran.err.contains(&name), "{ran:?}");
        drop(held);
        assert_eq!(set().code, 0);
    }
    assert!(link.is_symlink());
    let names = std::fs::read_dir(&dotfiles).unwrap().flatten();
    let mut names: Vec<_> = names.map(|entry| entry.file_name()).collect();
    names.retain(|name| !name.to_string_lossy().contains(".bak"));
    assert_eq!(names, ["oc.json"]);
}

/// A command that waits, and what it has said by the time that it speaks of that.
fn waiting(mut command: Command) -> (Child, BufReader<ChildStderr>, String) {
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("waiting: ") {
        line.clear();
        assert_ne!(errors.read_line(&mut line).unwrap(), 0, "it never said so");
    }
    (child, errors, line)
}

/// Sends Ctrl-C, and what the shell calls the exit status.
fn interrupt(child: &mut Child) -> i32 {
    let start = Instant::now();
    kill_process(Pid::from_child(child), Signal::INT).unwrap();
    let status = child.wait().unwrap();
    assert!(start.elapsed() < Duration::from_secs(5));
    status
        .code()
        .or(status.signal().map(|signal| 128 + signal))
        .unwrap()
}

#[test]
fn a_long_wait_names_the_lock_and_its_owner_once() {
    let world = World::new();
    let name = own_config_lock(&world);
    let held = hold(&world, &name);
    let (mut child, mut errors, line) =
        waiting(world.command(&["models", "set", "openai/gpt-5.2"]));
    let owner = format!("{name} is locked by pid {} on ", std::process::id());
    assert!(line.contains(&owner), "{line}");
    drop(held);
    let mut rest = String::new();
    errors.read_to_string(&mut rest).unwrap();
    assert!(!rest.contains("waiting"), "{rest}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn ctrl_c_ends_the_wait_for_the_lock_of_openclaw_at_once() {
    let world = World::new();
    let store = json!({ "version": 1, "profiles": {
        "anthropic:a": { "type": "token", "provider": "anthropic", "token": "t" },
    } });
    world.write(DOCUMENT, &store.to_string());
    let lock = world.state().join(format!("{DOCUMENT}.lock"));
    std::fs::create_dir(&lock).unwrap();
    let args = [
        "models",
        "auth",
        "order",
        "set",
        "--provider",
        "anthropic",
        "anthropic:a",
    ];
    let (mut child, _errors, line) = waiting(world.command(&args));
    assert!(
        line.contains("auth-profiles.json.lock is locked by OpenClaw"),
        "{line}"
    );
    assert_eq!(interrupt(&mut child), 130);
    assert_eq!(world.store(), store);
    std::fs::remove_dir(&lock).unwrap();
    assert_eq!(world.run(&args).code, 0);
}

/// The second half of a login remembers signals: none may come between code and store.
#[test]
fn ctrl_c_ends_the_wait_before_a_code_is_sent() {
    let (world, issuer, begun) = begun();
    let address = ended_on(&issuer, &begun);
    world.write("code", &address);
    world.write(DOCUMENT, r#"{"version":1,"profiles":{}}"#);
    std::fs::create_dir(world.state().join(format!("{DOCUMENT}.lock"))).unwrap();
    let file = world.state().join("code").display().to_string();
    let args = ["models", "auth", "login", "--finish", "--code-file", &file];
    let (mut child, _errors, _) = waiting(world.command(&args));
    assert_eq!(interrupt(&mut child), 130);
    assert_eq!(issuer.exchanges().len(), 0);
    std::fs::remove_dir(world.state().join(format!("{DOCUMENT}.lock"))).unwrap();
    assert_eq!(world.run(&args).code, 0);
}

/// Whoever stopped while it wrote down a spent grant: the next refresh keeps its record elsewhere.
#[test]
fn a_held_lock_of_spent_grants_holds_up_no_other_file_and_loses_no_record() {
    for is_held in [true, false] {
        let (world, issuer) = World::with_issuer(Account::default());
        let (_, refresh) = world.seed(&issuer, "main", -10);
        let provider = ProviderId::parse("openai-codex").unwrap();
        let grant = GrantDigest::of(&provider, &Secret::from(refresh.as_str()));
        let file = &grant.as_str()[..2];
        let other = if file == "00" { "01" } else { "00" };
        let name = if is_held { file } else { other };
        let _held = hold(&world, &format!("../oauth-refresh/spent/{name}.lock"));
        let before = world.read(DOCUMENT);
        let ran = world.run(&["models", "auth", "refresh"]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
        let locks = world.state().join("locks/oauth-refresh");
        let own = locks.join(format!("journal/{grant}.json"));
        assert_eq!(own.exists(), is_held);
        assert_eq!(locks.join("spent").join(file).exists(), !is_held);
        // An old copy is known, wherever the record is.
        world.write(DOCUMENT, &before);
        let ran = world.run(&["models", "auth", "token", "--provider", "openai-codex"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(issuer.token_requests().len(), 1);
    }
}
