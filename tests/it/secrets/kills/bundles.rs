//! Bundles, killed before each system call of the commands that write, import and take back: the login
//! is here or in the bundle at every moment, the next command completes or undoes what was begun, and
//! no refresh token is sent from here once the bundle has its name.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::{each, killed_at, names_of, under};
use crate::secrets::{SEAL, assert_nowhere};
use crate::support::issuer::{Account, Issuer};
use crate::support::{Ran, World, behind, ran};

const FILE: &str = "house";
const REFRESH: [&str; 6] = [
    "models",
    "auth",
    "refresh",
    "--profile",
    "openai-codex:default",
    "--force",
];
const EXPORT: &[&str] = &["secrets", "export", "--move", "--to", FILE];
const IMPORT: &[&str] = &["secrets", "import", FILE];
const TAKE_BACK: &[&str] = &["secrets", "take-back", FILE];

/// The calls that change what is on the disk: all of them count, for each run stretches passphrases.
const CHANGES: [&str; 8] = [
    "write",
    "rename",
    "renameat2",
    "unlink",
    "fsync",
    "fdatasync",
    "flock",
    "fallocate",
];

/// So many of all others.
const OTHERS: usize = 40;

/// The same command with the passphrase on file descriptor 3, which a file of its own brings.
fn with_passphrase(world: &World, args: &[&str]) -> Command {
    std::fs::write(world.directory.path().join("passphrase"), "correct horse").unwrap();
    let args = [args, &["--bundle-passphrase-fd", "3"]].concat();
    let inner = world.command(&args);
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "exec \"$0\" \"$@\" 3<passphrase"]);
    behind(&mut shell, &inner).stdin(Stdio::null());
    shell
}

fn run(world: &World, args: &[&str]) -> Ran {
    ran(with_passphrase(world, args).output().unwrap())
}

fn done(ran: Ran) -> Ran {
    assert_eq!(ran.code, 0, "{ran:?}");
    ran
}

fn file(world: &World) -> PathBuf {
    world.directory.path().join(FILE)
}

/// A machine with a login, sealed or not; its refresh token.
fn machine(is_sealed: bool) -> (World, Issuer, String) {
    let (world, issuer) = World::with_issuer(Account::default());
    let (_, refresh) = world.seed(&issuer, "main", 3_600);
    if is_sealed {
        done(world.run(&SEAL));
    }
    (world, issuer, refresh)
}

/// Another machine that knows the same server, with the bundle of the first.
fn other(from: &World) -> World {
    let other = World::new();
    std::fs::copy(file(from), file(&other)).unwrap();
    for manifest in std::fs::read_dir(from.state().join("providers"))
        .unwrap()
        .flatten()
    {
        let text = std::fs::read_to_string(manifest.path()).unwrap();
        let name = manifest.file_name().into_string().unwrap();
        other.write(&format!("providers/{name}"), &text);
    }
    other
}

/// Whether a machine gets its login refreshed.
fn refreshes(world: &World, issuer: &Issuer) -> bool {
    let before = issuer.token_requests().len();
    let ran = world.run(&REFRESH);
    let requests = issuer.token_requests().len() - before;
    match ran.code {
        0 => assert_eq!(requests, 1, "{ran:?}"),
        3 => assert_eq!(requests, 0, "{ran:?}"),
        code => panic!("{code} {ran:?}"),
    }
    ran.code == 0
}

fn traced(world: &World, args: &[&str], options: &[&str]) -> bool {
    let inner = with_passphrase(world, args);
    // The shell makes way for the program: what is counted begins with that.
    let mut strace = under(&inner, options);
    strace.stdin(Stdio::null());
    strace.status().unwrap().success()
}

/// Kills it there; whether it ended before.
fn stopped(world: &World, args: &[&str], call: &(String, usize)) -> bool {
    killed_at(call, &|options| traced(world, args, options))
}

/// Whoever has the bundle has the login, and else it is here.
fn kill_export(is_sealed: bool, call: &(String, usize)) -> bool {
    let (world, issuer, refresh) = machine(is_sealed);
    let ended = stopped(&world, EXPORT, call);
    let was_there = file(&world).exists();
    if is_sealed {
        assert_nowhere(&world, &refresh);
    }
    let is_here = refreshes(&world, &issuer);
    // What was begun is completed or undone by now, and stays so.
    let is_there = file(&world).exists();
    assert!(is_there || !was_there, "{call:?}");
    assert_ne!(is_here, is_there, "{call:?}");
    let leftovers = std::fs::read_dir(world.directory.path()).unwrap().flatten();
    let mut names = leftovers.map(|entry| entry.file_name().into_string().unwrap());
    assert!(names.all(|name| !name.ends_with(".tmp")), "{call:?}");
    match is_here {
        true => drop(done(run(&world, EXPORT))),
        false => assert_nowhere(&world, &refresh),
    }
    assert!(!refreshes(&world, &issuer), "{call:?}");
    let there = other(&world);
    done(run(&there, IMPORT));
    assert!(refreshes(&there, &issuer), "{call:?}");
    !ended
}

/// The same, and the next command is the same one.
fn kill_export_and_repeat(call: &(String, usize)) -> bool {
    let (world, issuer, refresh) = machine(false);
    let ended = stopped(&world, EXPORT, call);
    let again = run(&world, EXPORT);
    // It was complete before.
    let is_second = again.code == 1 && again.err.contains("exists already");
    assert!(again.code == 0 || is_second, "{call:?} {again:?}");
    assert_nowhere(&world, &refresh);
    assert!(!refreshes(&world, &issuer), "{call:?}");
    let there = other(&world);
    done(run(&there, IMPORT));
    assert!(refreshes(&there, &issuer), "{call:?}");
    !ended
}

fn kill_import(call: &(String, usize)) -> bool {
    let (world, issuer, refresh) = machine(false);
    done(run(&world, EXPORT));
    let there = other(&world);
    let ended = stopped(&there, IMPORT, call);
    let again = run(&there, IMPORT);
    let is_second = again.code == 1 && again.err.contains("was imported here");
    assert!(again.code == 0 || is_second, "{call:?} {again:?}");
    assert!(refreshes(&there, &issuer), "{call:?}");
    assert!(!refreshes(&world, &issuer), "{call:?}");
    assert_nowhere(&world, &refresh);
    !ended
}

fn kill_take_back(call: &(String, usize)) -> bool {
    let (world, issuer, _) = machine(false);
    done(run(&world, EXPORT));
    let ended = stopped(&world, TAKE_BACK, call);
    assert!(file(&world).exists());
    let again = run(&world, TAKE_BACK);
    let is_second = again.code == 1 && again.err.contains("it was taken back");
    assert!(again.code == 0 || is_second, "{call:?} {again:?}");
    assert!(refreshes(&world, &issuer), "{call:?}");
    !ended
}

fn calls(world: &World, args: &[&str]) -> Vec<(String, usize)> {
    let log = world.directory.path().join("log");
    assert!(traced(
        world,
        args,
        &["-o", log.to_str().unwrap(), "-s", "0"]
    ));
    let calls = names_of(&std::fs::read_to_string(&log).unwrap());
    std::fs::remove_file(log).unwrap();
    let step = calls.len().div_ceil(OTHERS);
    let all = calls.into_iter().enumerate();
    let counts = all.filter(|(at, (name, _))| CHANGES.contains(&name.as_str()) || at % step == 0);
    counts.map(|(_, call)| call).collect()
}

#[test]
#[ignore = "needs strace, and minutes"]
fn a_login_that_is_moved_is_here_or_in_the_bundle_at_every_moment() {
    for is_sealed in [false, true] {
        let (world, _issuer, _) = machine(is_sealed);
        each(&calls(&world, EXPORT), &|call| kill_export(is_sealed, call));
    }
}

#[test]
#[ignore = "needs strace, and minutes"]
fn a_move_that_was_killed_is_completed_by_the_same_command() {
    let (world, _issuer, _) = machine(false);
    each(&calls(&world, EXPORT), &kill_export_and_repeat);
}

#[test]
#[ignore = "needs strace, and minutes"]
fn an_import_that_was_killed_is_completed_by_the_next() {
    let (world, _issuer, _) = machine(false);
    done(run(&world, EXPORT));
    each(&calls(&other(&world), IMPORT), &kill_import);
}

#[test]
#[ignore = "needs strace, and minutes"]
fn what_is_taken_back_is_here_after_the_next_command() {
    let (world, _issuer, _) = machine(false);
    done(run(&world, EXPORT));
    each(&calls(&world, TAKE_BACK), &kill_take_back);
}

/// Kills a move right before its bundle gets its name; the machine, and the draft.
fn killed_before_the_name() -> (World, Issuer, PathBuf) {
    let (first, _issuer, _) = machine(false);
    let log = first.directory.path().join("log");
    let options = ["-o", log.to_str().unwrap(), "-e", "trace=renameat2"];
    assert!(traced(&first, EXPORT, &options));
    let log = std::fs::read_to_string(log).unwrap();
    let named = log.lines().position(|line| line.contains("/.house."));
    let (world, issuer, _) = machine(false);
    let call = ("renameat2".to_owned(), named.unwrap() + 1);
    assert!(!stopped(&world, EXPORT, &call));
    let mut entries = std::fs::read_dir(world.directory.path()).unwrap().flatten();
    let draft = entries.find(|entry| entry.file_name().to_string_lossy().starts_with(".house."));
    let draft = draft.unwrap().path();
    assert!(!file(&world).exists());
    (world, issuer, draft)
}

#[test]
#[ignore = "needs strace"]
fn a_bundle_that_was_carried_away_is_missed_and_its_login_can_be_taken_back() {
    let (world, issuer, draft) = killed_before_the_name();
    std::fs::remove_file(draft).unwrap();
    let ran = world.run(&["models", "status"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for part in ["moved", "1 login was handed over in", "secrets take-back"] {
        assert!(
            ran.out.contains(part) || ran.err.contains(part),
            "{part} {ran:?}"
        );
    }
    assert!(!refreshes(&world, &issuer));
    // Nothing of the bundle is needed, for the login never left.
    let told = done(world.run(TAKE_BACK));
    assert!(
        told.out.contains("openai-codex:default of agent main"),
        "{told:?}"
    );
    assert!(refreshes(&world, &issuer));
    // Nor is it missed once its login is gone.
    let (world, _issuer, draft) = killed_before_the_name();
    std::fs::remove_file(draft).unwrap();
    let refresh = world.only_profile()["refresh"].as_str().unwrap().to_owned();
    done(world.run(&["models", "auth", "logout", "openai-codex:default", "--yes"]));
    let ran = world.run(&["models", "auth", "list"]);
    assert!(ran.err.contains("Completed the move to"), "{ran:?}");
    assert_eq!(world.run(&["models", "auth", "list"]).err, "");
    assert_nowhere(&world, &refresh);
}

#[test]
#[ignore = "needs strace"]
fn a_draft_is_taken_back_or_gets_its_name_once_nothing_is_in_its_way() {
    let (world, issuer, _) = killed_before_the_name();
    std::fs::write(file(&world), "mine").unwrap();
    let ran = world.run(&["models", "status"]);
    assert!(
        ran.err.contains("the bundle is whole, and lies in"),
        "{ran:?}"
    );
    assert!(!refreshes(&world, &issuer));
    assert_eq!(std::fs::read(file(&world)).unwrap(), b"mine");
    std::fs::remove_file(file(&world)).unwrap();
    let ran = world.run(&["models", "status"]);
    assert!(ran.err.contains("Completed the move to"), "{ran:?}");
    done(run(&other(&world), IMPORT));
    let (world, issuer, draft) = killed_before_the_name();
    done(world.run(&["secrets", "take-back", draft.to_str().unwrap()]));
    assert!(!draft.exists());
    assert!(refreshes(&world, &issuer));
}

#[test]
#[ignore = "needs strace"]
fn a_draft_stays_as_long_as_one_of_its_logins_is_nowhere_else() {
    let (world, issuer, draft) = killed_before_the_name();
    let paste = [
        "models",
        "auth",
        "paste-token",
        "--provider",
        "openai-codex",
    ];
    let paste = [&paste[..], &["--profile-id", "openai-codex:default"]].concat();
    std::fs::write(file(&world), "mine").unwrap();
    done(world.pipe(&paste, "tok-1234567890abcdefghij"));
    let blocked = run(&world, &["secrets", "take-back", draft.to_str().unwrap()]);
    assert_eq!(blocked.code, 1, "{blocked:?}");
    assert!(
        blocked.err.contains("holds another credential"),
        "{blocked:?}"
    );
    std::fs::remove_file(file(&world)).unwrap();
    done(world.run(&["models", "auth", "logout", "openai-codex:default", "--yes"]));
    assert!(file(&world).exists());
    done(run(&world, TAKE_BACK));
    assert!(refreshes(&world, &issuer));
}
