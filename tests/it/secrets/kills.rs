//! `secrets set`, killed before each of its system calls: what was stored before is there, the value
//! is the old or the new one, and it is in no file in the clear.

mod bundles;
mod store;

use std::collections::HashMap;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{assert_nowhere, get, set};
use crate::support::{World, behind, strace};

/// So many kills of each kind, evenly over all calls.
const MOST: usize = 80;
const THREADS: usize = 2;
const SET: [&str; 5] = ["secrets", "set", "A", "--value-file", "/dev/stdin"];

/// Runs it under strace; whether it ended by itself.
fn traced(world: &World, options: &[&str]) -> bool {
    let mut strace = under(&world.command(&SET), options);
    strace.stdin(Stdio::piped());
    let mut child = strace.spawn().unwrap();
    let input = child.stdin.take().unwrap();
    // Who is killed before it has read breaks the pipe.
    let _ = std::io::Write::write_all(&mut &input, b"MARKER two");
    drop(input);
    child.wait().unwrap().success()
}

/// The same command under strace, which says nothing.
pub(crate) fn under(inner: &Command, options: &[&str]) -> Command {
    let mut strace = strace();
    behind(strace.args(options), inner)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    strace
}

/// Runs `traced` with options that kill it there; what it returns.
pub(crate) fn killed_at((call, nth): &(String, usize), traced: &dyn Fn(&[&str]) -> bool) -> bool {
    let trace = format!("trace={call}");
    let inject = format!("inject={call}:signal=SIGKILL:when={nth}");
    traced(&["-o", "/dev/null", "-e", &trace, "-e", &inject])
}

/// A world with one secret, or with none.
fn world(has_one: bool) -> World {
    let world = World::new();
    if has_one {
        set(&world, "A", "MARKER one");
    }
    world
}

/// Every system call of a good run, by name and number.
fn calls(has_one: bool) -> Vec<(String, usize)> {
    let world = world(has_one);
    let log = world.directory.path().join("log");
    assert!(traced(&world, &["-o", log.to_str().unwrap(), "-s", "0"]));
    names_of(&std::fs::read_to_string(log).unwrap())
}

/// The system calls in a log, by name and number.
pub(crate) fn names_of(log: &str) -> Vec<(String, usize)> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let names = log.lines().filter_map(|line| Some(line.split_once('(')?.0));
    let names = names.filter(|name| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
    let mut calls = Vec::new();
    for name in names {
        let nth = counts.entry(name).or_default();
        *nth += 1;
        if name != "execve" {
            calls.push((name.to_owned(), *nth));
        }
    }
    assert!(calls.len() > 50, "{}", calls.len());
    calls
}

/// Kills it there; whether it got that far.
fn kill(has_one: bool, point: &(String, usize)) -> bool {
    let (call, nth) = point;
    let world = world(has_one);
    let ended = killed_at(point, &|options| traced(&world, options));
    let is_there = world.state().join("secrets.enc").exists();
    assert!(is_there || !has_one, "{call} {nth}");
    assert_nowhere(&world, "MARKER");
    let found = get(&world, "A");
    match (found.code, found.out.as_str()) {
        (0, "MARKER two") => {}
        (0, "MARKER one") => assert!(has_one && !ended, "{call} {nth}"),
        _ => assert!(!has_one && !ended && !is_there, "{call} {nth}: {found:?}"),
    }
    set(&world, "B", "MARKER three");
    assert_eq!(get(&world, "B").out, "MARKER three", "{call} {nth}");
    assert_nowhere(&world, "MARKER");
    !ended
}

#[test]
#[ignore = "needs strace, and a minute"]
fn a_secret_that_is_being_stored_is_the_old_or_the_new_one_and_never_in_the_clear() {
    for has_one in [false, true] {
        each(&calls(has_one), &|call| kill(has_one, call));
    }
}

/// Kills at an even sample of calls; `kill` tells whether it got that far.
fn each(calls: &[(String, usize)], kill: &(dyn Fn(&(String, usize)) -> bool + Sync)) {
    let step = calls.len().div_ceil(MOST);
    let (next, killed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(call) = calls.get(next.fetch_add(step, Ordering::SeqCst)) {
                    killed.fetch_add(kill(call).into(), Ordering::SeqCst);
                }
            });
        }
    });
    let (killed, tried) = (killed.into_inner(), calls.len().div_ceil(step));
    assert!(tried > 30 && killed * 2 > tried, "{killed} of {tried}");
}
