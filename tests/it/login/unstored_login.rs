//! A login whose grant arrived and could not be stored: the code is spent, so what came is saved
//! first, and the next command stores it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::login::methods::two_halves::{FINISH, begun, ended_on, finish, start, text, waiting};
use crate::support::issuer::{Account, Codes, Fate, Issuer, Reply, Scripted};
use crate::support::{Ran, World, ran};

const PROFILE: &str = "openai-codex:me@example.com";
/// What OpenClaw makes while it is at work on the document, so that a store waits.
pub(crate) const PLUGGED: &str = "agents/main/agent/auth-profiles.json.lock";

/// The files in which logins wait to be stored.
pub(crate) fn saved(world: &World) -> Vec<PathBuf> {
    saved_in(&world.state().join("rescue"))
}

/// The same of another directory.
pub(crate) fn saved_in(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory);
    let paths = entries
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path());
    paths
        .filter(|path| {
            path.extension()
                .is_some_and(|end| end == "login" || end == "undecided")
        })
        .collect()
}

fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Ends a login; its request has arrived at the server and is answered when the issuer lets go.
fn in_flight(world: &World, issuer: &Issuer, begun: &Value) -> Child {
    let address = ended_on(issuer, begun);
    issuer.hold();
    let child = world.feed(&FINISH, &address);
    until(|| !issuer.exchanges().is_empty());
    child
}

fn list(world: &World) -> Ran {
    let ran = world.run(&["models", "auth", "list"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    ran
}

/// The next command stores the login, once, and nothing of it is left.
fn is_brought_back(world: &World, issuer: &Issuer) {
    assert_eq!(saved(world).len(), 1);
    let ran = list(world);
    assert!(ran.err.contains("completing the login to"), "{ran:?}");
    assert!(ran.out.contains(PROFILE), "{ran:?}");
    let refresh = world.store()["profiles"][PROFILE]["refresh"].clone();
    assert_eq!(issuer.fate(refresh.as_str().unwrap()), Fate::Living);
    assert_eq!(saved(world), Vec::<PathBuf>::new());
    assert_eq!(issuer.exchanges().len(), 1, "the code was sent twice");
    assert!(!list(world).err.contains("completing"));
    // Its client and endpoint are known as after any login.
    let ran = world.run(&["models", "auth", "refresh", "--force"]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn a_login_that_is_stored_leaves_no_saved_answer() {
    let (world, issuer, begun) = begun();
    let ran = finish(&world, &ended_on(&issuer, &begun), &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(saved(&world), Vec::<PathBuf>::new());
    let locks = fs::read_dir(world.state().join("locks")).unwrap().flatten();
    let left = locks.filter(|entry| entry.file_name().to_string_lossy().starts_with("login-"));
    assert_eq!(left.count(), 0);
}

#[test]
fn a_process_killed_between_arrival_and_store_loses_no_login() {
    let (world, issuer, begun) = begun();
    let mut child = in_flight(&world, &issuer, &begun);
    // OpenClaw is at work on the document, so that the store waits.
    fs::create_dir(world.state().join(PLUGGED)).unwrap();
    issuer.let_go();
    let has_come = || {
        let files = saved(&world);
        files
            .iter()
            .any(|path| fs::read_to_string(path).unwrap().contains("access_token"))
    };
    until(has_come);
    // Nobody else takes in what a living process works on.
    assert!(!list(&world).err.contains("completing"));
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &saved(&world)[0].metadata().unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    child.kill().unwrap();
    child.wait().unwrap();
    fs::remove_dir(world.state().join(PLUGGED)).unwrap();
    is_brought_back(&world, &issuer);
    // A server that follows RFC 6749 section 4.1.2 would revoke the login if its code came again.
    assert!(waiting(&world).is_empty());
    let sent = issuer.exchanges().len();
    let again = finish(&world, &ended_on(&issuer, &begun), &[]);
    assert_eq!(again.code, 1, "{again:?}");
    assert_eq!(issuer.exchanges().len(), sent, "{again:?}");
}

/// Answers of success that say only that nobody has agreed yet, as GitHub and MiniMax send them.
#[test]
fn what_a_poll_brings_before_anybody_agreed_is_not_taken_for_the_login() {
    for provider in ["github-copilot", "minimax-portal"] {
        let login = |replies: Vec<Reply>| {
            let (world, issuer) = World::with_builtin(provider);
            issuer.set_device_codes(Codes {
                replies,
                ..Codes::default()
            });
            let args = ["models", "auth", "login", "--provider", provider];
            let mut command = world.command(&[&args[..], &["--method", "device-code"]].concat());
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            let child = command.spawn().unwrap();
            until(|| !issuer.token_requests().is_empty());
            (world, issuer, child)
        };
        let (world, _issuer, child) = login(vec![Reply::Pending]);
        world.block("agents");
        let unstored = ran(child.wait_with_output().unwrap());
        assert!(unstored.err.contains("the login is saved"), "{unstored:?}");
        fs::remove_file(world.state().join("agents")).unwrap();
        let listed = list(&world);
        assert!(listed.err.contains("completing the login to"), "{listed:?}");
        assert!(listed.out.contains(&format!("{provider}:")), "{listed:?}");

        let (world, _issuer, child) = login(vec![Reply::Pending; 60]);
        let pid = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
        kill_process(pid, Signal::INT).unwrap();
        let stopped = ran(child.wait_with_output().unwrap());
        assert_eq!(stopped.code, 130, "{stopped:?}");
        assert_eq!(saved(&world), Vec::<PathBuf>::new());
    }
}

#[test]
fn a_login_that_could_not_be_stored_is_stored_by_the_next_command() {
    let (world, issuer, begun) = begun();
    let child = in_flight(&world, &issuer, &begun);
    world.block("agents");
    issuer.let_go();
    let ran = ran(child.wait_with_output().unwrap());
    assert_ne!(ran.code, 0, "{ran:?}");
    assert!(
        ran.err
            .contains("the login is saved, and the next command completes it"),
        "{ran:?}"
    );
    fs::remove_file(world.state().join("agents")).unwrap();
    is_brought_back(&world, &issuer);
}

#[test]
fn an_answer_to_a_login_that_nobody_understands_is_kept_and_named() {
    let (world, issuer, begun) = begun();
    issuer.answer_next(Scripted::text(200, r#"{"token_type":"bearer"}"#));
    let ran = finish(&world, &ended_on(&issuer, &begun), &[]);
    assert_eq!(ran.code, 3, "{ran:?}");
    let [path] = saved(&world).try_into().unwrap();
    let name = path.display().to_string();
    assert!(ran.err.contains(&name), "{ran:?}");
    let told = list(&world);
    assert!(told.err.contains(&name), "{told:?}");
    assert!(told.err.contains("models auth login"), "{told:?}");
    for command in [&["doctor"][..], &["models", "status"]] {
        let ran = world.run(command);
        assert!(ran.out.contains(&name), "{ran:?}");
    }
    assert!(path.exists());
}

#[test]
fn a_login_that_is_refused_leaves_nothing() {
    let (world, issuer, begun) = begun();
    issuer.answer_next(Scripted::text(400, r#"{"error":"invalid_grant"}"#));
    let ran = finish(&world, &ended_on(&issuer, &begun), &[]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(saved(&world), Vec::<PathBuf>::new());
}

#[test]
fn a_login_by_device_code_is_saved_first_too() {
    let (world, issuer) = World::with_builtin("openai-codex");
    issuer.hold();
    let args = [
        "models",
        "auth",
        "login",
        "--provider",
        "openai-codex",
        "--method",
        "device-code",
    ];
    let mut command = world.command(&args);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    until(|| !issuer.exchanges().is_empty());
    world.block("agents");
    issuer.let_go();
    let ran = ran(child.wait_with_output().unwrap());
    assert!(ran.err.contains("the login is saved"), "{ran:?}");
    fs::remove_file(world.state().join("agents")).unwrap();
    is_brought_back(&world, &issuer);
}

#[test]
fn a_file_of_another_state_directory_is_left_alone() {
    let (world, _issuer) = World::with_issuer(Account::default());
    let begun = start(&world, &[]);
    assert!(text(&begun, "attempt").len() > 8);
    let name = "rescue/0123456789abcdef.login";
    world.write(name, "{\"schema\":9}\n{\"length\":1}\nx");
    let ran = list(&world);
    assert!(ran.err.contains("cannot be read"), "{ran:?}");
    assert!(world.state().join(name).exists());
}
