//! A standby that has each commit before it counts takes the place of its server, or is gone itself.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::under_way::{
    PROFILE, TOKEN, assert_nothing_lost, assert_served, end, is_saved, on_the_wire, until,
};
use crate::support::issuer::Fate;
use crate::support::postgres_server::{Database, PASSWORD, PostgresServer};
use crate::support::team::Team;

const LOGINS: [&str; 2] = ["openai-codex:a", "openai-codex:b"];
/// So many refreshes before the failover, and behind it.
const REFRESHES: usize = 12;

/// A team of a server, and its standby.
fn team() -> (Team, Arc<PostgresServer>) {
    let database = PostgresServer::durable().database();
    let standby = database.server.standby();
    let url = format!(
        "postgres://openclaw:{PASSWORD}@127.0.0.1:{},127.0.0.1:{}/{}",
        database.server.port, standby.port, database.name
    );
    (Team::wholly_at(database, url), standby)
}

/// How many refreshes are stored, by the server that is in use.
fn stored(database: &Database) -> usize {
    let count = "SELECT count(*) FROM openclaw.grant_journal WHERE outcome = 'stored'";
    database.value(count).parse().unwrap()
}

/// Refreshes one login on one machine until it is over; the exit codes that it ended with.
fn work(team: &Team, number: usize, is_over: &AtomicBool) -> BTreeSet<i32> {
    let (machine, login) = (number % 2, LOGINS[number / 2 % 2]);
    let force = ["models", "auth", "refresh", "--force", "--profile", login];
    let mut codes = BTreeSet::new();
    while !is_over.load(Ordering::SeqCst) {
        codes.insert(team.run(machine, &force).code);
    }
    codes
}

/// Ends the workers also if the test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn refreshes_go_on_where_a_standby_takes_over_and_none_is_lost() {
    let (team, standby) = team();
    for login in LOGINS {
        team.seed(login, 3_600);
    }
    let promoted = Database {
        server: Arc::clone(&standby),
        name: team.database.name.clone(),
    };
    let is_over = AtomicBool::new(false);
    let codes: BTreeSet<i32> = std::thread::scope(|scope| {
        let _over = Over(&is_over);
        let (team, is_over) = (&team, &is_over);
        let workers = (0..4).map(|number| scope.spawn(move || work(team, number, is_over)));
        let workers: Vec<_> = workers.collect();
        until(|| stored(&team.database) >= REFRESHES);
        team.database.server.stop();
        standby.promote();
        let before = stored(&promoted);
        until(|| stored(&promoted) >= before + REFRESHES);
        is_over.store(true, Ordering::SeqCst);
        let codes = workers.into_iter().map(|worker| worker.join().unwrap());
        codes.flatten().collect()
    });
    // Nobody had to log in again, and no outcome was unknown.
    let expected = BTreeSet::from([0, 4, 5, 6]);
    assert!(codes.is_subset(&expected), "{codes:?}");
    // What was saved and is in no row yet.
    for machine in [0, 1] {
        let refreshed = team.run(machine, &["models", "auth", "refresh", "--all"]);
        assert_eq!(refreshed.code, 0, "{refreshed:?}");
        assert_eq!(team.answers(machine), [] as [std::path::PathBuf; 0]);
    }
    let requests = team.issuer.token_requests();
    let sent = requests.iter().flatten();
    let sent: Vec<_> = sent.filter(|(name, _)| name == "refresh_token").collect();
    let once: BTreeSet<_> = sent.iter().collect();
    assert_eq!(once.len(), sent.len(), "one was sent twice");
    for login in LOGINS {
        let (_, refresh) = team.tokens(login).unwrap();
        assert_eq!(team.issuer.fate(&refresh), Fate::Living, "{login}");
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_commit_that_waits_for_a_standby_is_in_doubt_and_done_again() {
    let (team, standby) = team();
    team.seed(PROFILE, -10);
    let child = on_the_wire(&team);
    standby.stop();
    team.issuer.let_go();
    until(|| is_saved(&team));
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    until(|| team.database.value(waits) != "0");
    standby.start();
    assert_served(&team, &end(child));
    assert_nothing_lost(&team);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn no_refresh_begins_while_commits_wait_for_a_standby() {
    let (team, standby) = team();
    team.seed(PROFILE, -10);
    let doctor = |expected: &str| {
        let ran = team.run(1, &["gateway", "doctor"]);
        assert!(ran.out.contains(expected), "{ran:?}");
    };
    doctor("has each commit before it counts");
    standby.stop();
    let ran = team.run(0, &TOKEN);
    assert_eq!((ran.code, &*ran.out), (5, ""), "{ran:?}");
    assert_eq!(team.issuer.token_requests().len(), 0);
    doctor("nothing can be stored");
    standby.start();
    assert_served(&team, &team.run(0, &TOKEN));
    assert_nothing_lost(&team);
}
