//! Running the program under `strace`, which counts its system calls, kills it before one of them,
//! or lets one fail.
//!
//! A signal is delivered when a call is entered: the kernel sees that the process is to die, and
//! the call is not executed. The state after a call is the state before the next one, so killing
//! before every call is killing after every call as well. `strace` counts per thread and per name
//! of the call, and so do the points here: a call of a second thread that has the number of one of
//! the first is none of them, for it would strike there.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::support::browser::visit;
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use serde_json::Value;

use super::commands;
use crate::support::{World, behind, strace};

/// More than any command may take that waits for nobody.
const LIMIT: Duration = Duration::from_secs(90);

/// One system call of a good run: the `nth` of its name in its thread.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Point {
    pub(super) call: String,
    pub(super) nth: usize,
    /// Its arguments, file descriptors with what they stand for.
    pub(super) args: String,
    /// Whether a request had gone out before.
    pub(super) sent: bool,
}

/// What a run came to.
#[derive(Debug)]
pub(super) struct Done {
    /// `None` if a signal killed it.
    pub(super) code: Option<i32>,
    pub(super) killed: bool,
    /// It had to be stopped from outside.
    pub(super) hung: bool,
    /// A call was made to fail.
    pub(super) failed: bool,
    pub(super) out: String,
    pub(super) err: String,
}

/// The points of a good run, from where the loader has done its work.
pub(super) fn points(command: &commands::Command) -> (World, Vec<Point>) {
    let (world, _issuer) = command.world();
    let log = world.directory.path().join("log");
    let options = ["-y", "-o", log.to_str().unwrap()].map(str::to_owned);
    let done = run(&world, command, &options);
    assert_eq!(done.code, Some(0), "{}: {done:?}", command.name);
    let log = String::from_utf8_lossy(&std::fs::read(log).unwrap()).into_owned();
    let mut counts: HashMap<(&str, &str), usize> = HashMap::new();
    let mut seen = HashSet::new();
    let mut points = Vec::new();
    let (mut has_begun, mut sent) = (false, false);
    for line in log.lines() {
        let Some((thread, rest)) = line.split_once(' ') else {
            continue;
        };
        let Some((call, args)) = rest.trim_start().split_once('(') else {
            continue;
        };
        if !call.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            continue;
        }
        let nth = counts.entry((thread, call)).or_default();
        *nth += 1;
        has_begun |= call == "getcwd";
        let is_new = seen.insert((call.to_owned(), *nth));
        if has_begun && is_new && !matches!(call, "execve" | "exit_group" | "exit") {
            points.push(Point {
                call: call.to_owned(),
                nth: *nth,
                args: args.to_owned(),
                sent,
            });
        }
        let is_write = matches!(call, "write" | "writev" | "sendto" | "sendmsg");
        sent |= is_write && (args.contains("<socket:") || args.contains("<TCP"));
    }
    assert!(points.len() > 30, "{}: {}", command.name, points.len());
    (world, points)
}

/// Runs it with `what` injected at a point, and calls `watch` meanwhile; `None` if an error struck a kernel's own object, which
/// has none: how often a thread wakes another is chance, and moves the calls that come after.
pub(super) fn inject(
    world: &World,
    command: &commands::Command,
    point: &Point,
    what: &str,
    watch: &mut dyn FnMut(),
) -> Option<Done> {
    let Point { call, nth, .. } = point;
    let log = world.directory.path().join("log");
    let trace = format!("trace={call}");
    let inject = format!("inject={call}:{what}:when={nth}");
    let options = [
        "-y",
        "-o",
        log.to_str().unwrap(),
        "-e",
        &trace,
        "-e",
        &inject,
    ];
    let mut options = options.map(str::to_owned).to_vec();
    if what.starts_with("error") {
        // Other calls do not stop then. Signals are not delivered so.
        options.push("--seccomp-bpf".to_owned());
    }
    let mut done = run_with(world, command, &options, watch);
    let log = String::from_utf8_lossy(&std::fs::read(log).unwrap()).into_owned();
    done.failed = log.contains("(INJECTED)");
    (!has_struck_a_kernel_object(&log, call)).then_some(done)
}

/// A line names the arguments of its call, unless another thread's came between its two halves.
fn has_struck_a_kernel_object(log: &str, call: &str) -> bool {
    let mut arguments: HashMap<&str, &str> = HashMap::new();
    log.lines().any(|line| {
        let (thread, rest) = line.split_once(' ').unwrap_or_default();
        if rest.trim_start().starts_with(call) {
            arguments.insert(thread, rest);
        }
        let is_own = |arguments: &&str| arguments.contains("anon_inode:");
        line.contains("(INJECTED)") && arguments.get(thread).is_some_and(is_own)
    })
}

/// Lets it stand still behind a point, and go on once `meanwhile` is done; `None` if it never came
/// there.
pub(super) fn stop(
    world: &World,
    command: &commands::Command,
    point: &Point,
    meanwhile: impl FnOnce(),
) -> Option<Done> {
    let Point { call, nth, .. } = point;
    let log = world.directory.path().join("log");
    let trace = format!("trace={call}");
    let inject = format!("inject={call}:signal=STOP:when={nth}");
    let options = ["-o", log.to_str().unwrap(), "-e", &trace, "-e", &inject];
    let mut meanwhile = Some(meanwhile);
    let done = run_with(world, command, &options.map(str::to_owned), &mut || {
        let log = std::fs::read_to_string(&log).unwrap_or_default();
        // Another thread may stop at its own call of that number, when the first has ended.
        for thread in stopped(&log) {
            if let Some(meanwhile) = meanwhile.take() {
                meanwhile();
            }
            let _ = kill_process(thread, Signal::CONT);
        }
    });
    meanwhile.is_none().then_some(done)
}

/// The threads that have stopped so far; some may have gone on, or ended.
fn stopped(log: &str) -> impl Iterator<Item = Pid> {
    let lines = log
        .lines()
        .filter(|line| line.contains("stopped by SIGSTOP"));
    lines.filter_map(|line| Pid::from_raw(line.split(' ').next()?.parse().ok()?))
}

/// Runs it to its end under `strace` with these options.
pub(super) fn run(world: &World, command: &commands::Command, options: &[String]) -> Done {
    run_with(world, command, options, &mut || {})
}

fn run_with(
    world: &World,
    command: &commands::Command,
    options: &[String],
    watch: &mut dyn FnMut(),
) -> Done {
    let binary = world.command(command.args);
    let mut strace = strace();
    strace.args(["-f", "-qq"]).args(options);
    behind(&mut strace, &binary)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let mut child = strace.spawn().unwrap();
    // Who dies before it reads breaks the pipe.
    let _ = child
        .stdin
        .take()
        .unwrap()
        .write_all((command.input)().as_bytes());
    let stdout = child.stdout.take().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let is_browser = command.browser;
    let out = std::thread::spawn(move || read(stdout, is_browser));
    let err = std::thread::spawn(move || {
        let mut err = Vec::new();
        let _ = stderr.read_to_end(&mut err);
        String::from_utf8_lossy(&err).into_owned()
    });
    let (status, hung) = wait(&mut child, watch);
    Done {
        code: status.code(),
        killed: !hung && status.signal() == Some(9),
        hung,
        failed: false,
        out: out.join().unwrap(),
        err: err.join().unwrap(),
    }
}

/// All of standard output; where it tells a URL, a browser goes there.
fn read(stdout: impl Read, is_browser: bool) -> String {
    let mut out = String::new();
    let mut browser = None;
    for line in BufReader::new(stdout).lines().map_while(Result::ok) {
        let event: Value = serde_json::from_str(&line).unwrap_or_default();
        if let Some(url) = event["url"].as_str().filter(|_| is_browser) {
            let url = url.to_owned();
            // A login that died does not answer.
            browser = Some(std::thread::spawn(move || drop(visit(&url))));
        }
        out.push_str(&line);
        out.push('\n');
    }
    if let Some(browser) = browser {
        browser.join().unwrap();
    }
    out
}

fn wait(child: &mut Child, watch: &mut dyn FnMut()) -> (ExitStatus, bool) {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return (status, false);
        }
        watch();
        if start.elapsed() > LIMIT {
            let group = Pid::from_child(child);
            let _ = kill_process_group(group, Signal::KILL);
            return (child.wait().unwrap(), true);
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
