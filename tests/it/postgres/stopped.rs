//! A whole process that is stopped while it refreshes (SIGSTOP, a paused container, a suspended machine),
//! for longer than its lease: nobody sends what it has sent, and what it was given is stored when it wakes.

use std::process::Child;

use rustix::process::{Pid, Signal, kill_process};

use super::under_way::{
    PROFILE, TOKEN, assert_nothing_lost, assert_served, begin, end, is_saved, is_stopped,
    on_the_wire, until,
};
use crate::support::issuer::Fate;
use crate::support::line::Line;
use crate::support::postgres_server::Database;
use crate::support::team::Team;

/// What a command ends with that waited for another one in vain.
const BUSY: i32 = 6;

/// Says of a process that it is stopped, and lets it go on in the end.
fn stop(child: &Child) -> impl FnOnce() + use<> {
    let process = Pid::from_child(child);
    assert!(is_stopped(process), "it has ended");
    move || kill_process(process, Signal::CONT).unwrap()
}

/// Another machine asks until the lease of the first has ended, and sends nothing.
fn outlast(team: &Team) {
    let early = begin(team, 1, &TOKEN);
    until(|| {
        team.database.value(
            "SELECT count(*) FROM openclaw.grant_lease
                WHERE phase = 'sent' AND until < clock_timestamp()",
        ) == "1"
    });
    let early = end(early);
    assert_eq!((early.code, &*early.out), (BUSY, ""), "{early:?}");
    assert_eq!(team.issuer.token_requests().len(), 1);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_process_stopped_on_the_wire_stores_its_answer_when_it_wakes() {
    let team = Team::new();
    team.seed(PROFILE, -10);
    let child = on_the_wire(&team);
    let wake = stop(&child);
    team.issuer.let_go();
    outlast(&team);
    let late = begin(&team, 1, &TOKEN);
    wake();
    assert_served(&team, &end(child));
    assert_served(&team, &end(late));
    assert_nothing_lost(&team);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_process_stopped_between_its_answer_and_its_commit_commits_when_it_wakes() {
    let database = Database::new();
    let line = Line::to(database.server.port);
    let team = Team::at(database.clone(), database.url_at(line.port));
    team.machines[1].write("database-url", &database.url());
    team.seed(PROFILE, -10);
    let child = on_the_wire(&team);
    line.cut();
    team.issuer.let_go();
    until(|| is_saved(&team));
    let wake = stop(&child);
    line.mend();
    outlast(&team);
    wake();
    assert_served(&team, &end(child));
    assert_nothing_lost(&team);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_process_that_wakes_finds_a_newer_login_and_leaves_it() {
    let team = Team::new();
    team.seed(PROFILE, -10);
    let child = on_the_wire(&team);
    let wake = stop(&child);
    team.issuer.let_go();
    let newer = team.seed(PROFILE, 3_600);
    assert_served(&team, &team.run(1, &TOKEN));
    wake();
    assert_served(&team, &end(child));
    assert_eq!(team.tokens(PROFILE).unwrap().1, newer);
    assert_eq!(team.issuer.fate(&newer), Fate::Living);
    assert_nothing_lost(&team);
}
