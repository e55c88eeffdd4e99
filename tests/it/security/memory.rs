//! What is in memory stays there: no core dump, and no look by another process of the same user.

use std::os::unix::fs::chown;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::in_flight::InFlight;
use crate::support::issuer::Account;
use crate::support::{World, behind, millis_from_now, ran};

/// Nobody's number.
const USER: u32 = 54_321;

/// Runs the program behind a shell that first does `before`.
fn after(before: &str, command: &Command) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", &format!("{before}; exec \"$0\" \"$@\"")]);
    behind(&mut shell, command);
    shell
}

/// `auth token` that has read the login and waits for another process to refresh it.
fn waiting(world: &World, before: &str, user: Option<u32>) -> Child {
    let token = ["models", "auth", "token", "--provider", "openai-codex"];
    let mut command = after(before, &world.command(&token));
    if let Some(user) = user {
        command.uid(user).gid(user);
    }
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut told = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut told, &mut line).unwrap();
    assert!(line.starts_with("waiting"), "{line}");
    child
}

fn pid(child: &Child) -> Pid {
    Pid::from_child(child)
}

#[test]
fn a_crash_dumps_no_core() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    let refresh = InFlight::begin(&world.state(), None, "main", "openai-codex:default");
    let mut child = waiting(&world, "ulimit -Sc \"$(ulimit -Hc)\"", None);
    kill_process(pid(&child), Signal::ABORT).unwrap();
    let status = child.wait().unwrap();
    assert_eq!(status.signal(), Some(Signal::ABORT.as_raw()));
    assert!(!status.core_dumped());
    let entries = std::fs::read_dir(world.directory.path()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let cores: Vec<String> = names.filter(|name| name.starts_with("core")).collect();
    assert_eq!(cores, [""; 0]);
    refresh.end();
}

#[test]
fn the_program_of_exec_has_the_limit_that_the_user_had() {
    let world = World::new();
    let store = serde_json::json!({ "version": 1, "profiles": { "anthropic:sub": {
        "type": "token", "provider": "anthropic", "token": "sk-ant-oat01-x",
        "expires": millis_from_now(36_000),
    } } });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    let show = "ulimit -Sc; ulimit -Hc";
    let exec = [
        "models",
        "auth",
        "exec",
        "--provider",
        "anthropic",
        "--",
        "/bin/sh",
        "-c",
        show,
    ];
    for before in [":", "ulimit -Sc \"$(ulimit -Hc)\"", "ulimit -c 0"] {
        let plain = Command::new("/bin/sh")
            .args(["-c", &format!("{before}; {show}")])
            .output();
        let handed = after(before, &world.command(&exec)).output();
        assert_eq!(
            ran(handed.unwrap()).out,
            ran(plain.unwrap()).out,
            "{before}"
        );
    }
}

fn give(path: &Path) {
    chown(path, Some(USER), Some(USER)).unwrap();
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            give(&entry.unwrap().path());
        }
    }
}

/// Whether another process of the user may open a file of that process.
fn may_read(pid: Pid, file: &str) -> bool {
    let path = format!("/proc/{}/{file}", pid.as_raw_nonzero());
    let mut reader = Command::new("/bin/sh");
    reader
        .args(["-c", "exec 3< \"$0\""])
        .arg(path)
        .uid(USER)
        .gid(USER);
    reader.stderr(Stdio::null()).status().unwrap().success()
}

#[test]
#[ignore = "needs root"]
fn another_process_of_the_user_does_not_see_it() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    let refresh = InFlight::begin(&world.state(), None, "main", "openai-codex:default");
    give(world.directory.path());
    let mut child = waiting(&world, ":", Some(USER));
    let mut other = Command::new("/bin/sleep")
        .arg("1000")
        .uid(USER)
        .gid(USER)
        .spawn()
        .unwrap();
    for file in ["environ", "mem"] {
        assert!(!may_read(pid(&child), file), "{file}");
    }
    assert!(
        may_read(pid(&other), "environ"),
        "which is why the above says something"
    );
    for child in [&mut child, &mut other] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
    refresh.end();
}
