//! Commands of a team that are under way, and what holds once they have ended.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::postgres_server::PostgresServer;
use crate::support::team::{Team, is_answered};
use crate::support::{Ran, ran};

pub(super) const PROFILE: &str = "openai-codex:default";
pub(super) const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];

/// A team with a database on a server of its own, which can be stopped.
pub(super) fn team() -> Team {
    let database = PostgresServer::durable().database();
    let url = database.url();
    Team::at(database, url)
}

#[track_caller]
pub(super) fn until(mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        // The longest that is waited for is the end of a lease.
        assert!(begun.elapsed() < Duration::from_secs(180), "it never came");
        std::thread::sleep(Duration::from_millis(5));
    }
}

pub(super) fn begin(team: &Team, machine: usize, args: &[&str]) -> Child {
    let mut command = team.command(machine, args);
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    piped.spawn().unwrap()
}

/// A refresh by the first machine whose request was dealt with and whose answer is held back.
pub(super) fn on_the_wire(team: &Team) -> Child {
    let before = team.issuer.dealt_with();
    team.issuer.hold();
    let child = begin(team, 0, &TOKEN);
    until(|| team.issuer.dealt_with() > before);
    child
}

pub(super) fn end(child: Child) -> Ran {
    ran(child.wait_with_output().unwrap())
}

/// Whether the first machine has an answer that is in no row yet.
pub(super) fn is_saved(team: &Team) -> bool {
    team.answers(0).iter().any(|path| is_answered(path))
}

/// A command got the token that is stored.
#[track_caller]
pub(super) fn assert_served(team: &Team, ran: &Ran) {
    let (access, _) = team.tokens(PROFILE).unwrap();
    assert_eq!((ran.code, ran.out.trim()), (0, &*access), "{ran:?}");
}

/// The token that is stored is the one that is handed out, and nothing was asked for twice.
#[track_caller]
pub(super) fn assert_nothing_lost(team: &Team) {
    for machine in [1, 0] {
        assert_served(team, &team.run(machine, &TOKEN));
    }
    assert_eq!(team.issuer.token_requests().len(), 1);
    assert!(!is_saved(team));
}

/// Stops a process, and waits until it does nothing any more; false if it has ended before.
pub(super) fn is_stopped(process: Pid) -> bool {
    kill_process(process, Signal::STOP).unwrap();
    let status = format!("/proc/{}/status", process.as_raw_nonzero());
    loop {
        let status = std::fs::read_to_string(&status).unwrap_or_default();
        let state = status.lines().find_map(|line| line.strip_prefix("State:"));
        match state.unwrap_or("Z").trim().chars().next() {
            Some('T') => return true,
            Some('Z' | 'X') => return false,
            _ => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}
