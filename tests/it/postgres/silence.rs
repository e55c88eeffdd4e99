//! A database that says nothing any more: a network that swallows packets, a machine that vanished. Each
//! command ends, says so once, and what was in doubt is done once the line is back.

use super::under_way::{
    PROFILE, TOKEN, assert_nothing_lost, assert_served, begin, end, is_saved, on_the_wire, until,
};
use crate::support::Ran;
use crate::support::line::Line;
use crate::support::postgres_server::Database;
use crate::support::team::Team;

/// A team whose first machine reaches the database over a line.
fn team() -> (Team, Line) {
    let database = Database::new();
    let line = Line::to(database.server.port);
    let team = Team::at(database.clone(), database.url_at(line.port));
    team.machines[1].write("database-url", &database.url());
    (team, line)
}

/// Waits until whoever is cut off has given up what it had, and mends the line.
fn mend_once_given_up(line: &Line) {
    until(|| line.is_cut());
    let before = line.connections();
    until(|| line.connections() > before);
    line.mend();
}

/// It failed, and told the reason once.
#[track_caller]
fn assert_told_once(team: &Team, ran: &Ran, reason: &str) {
    assert_eq!((ran.code, &*ran.out), (5, ""), "{ran:?}");
    assert_eq!(ran.err.matches(reason).count(), 1, "{ran:?}");
    team.assert_discreet(ran);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_server_that_says_nothing_is_waited_for_once_and_told_once() {
    let (team, line) = team();
    team.seed(PROFILE, -10);
    let commands = [
        &TOKEN[..],
        &["models", "auth", "list"],
        &["models", "auth", "refresh"],
        &["models", "auth", "logout", PROFILE, "--yes"],
    ];
    // As it is connected to, as it is asked for the first time, and later.
    for asked in [None, Some("schema_version"), Some("a.revision")] {
        for args in commands {
            match asked {
                None => line.cut(),
                Some(words) => line.cut_at(words, false),
            }
            let before = line.connections();
            let ran = team.run(0, args);
            assert_told_once(&team, &ran, "cannot be reached: no answer within");
            assert_eq!(line.connections() - before, 1, "{args:?}: {ran:?}");
            line.mend();
        }
    }
    assert_eq!(team.issuer.token_requests().len(), 0);
    assert_served(&team, &team.run(0, &TOKEN));
    assert_nothing_lost(&team);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn no_refresh_begins_whose_first_commit_is_in_doubt() {
    for passes in [true, false] {
        let (team, line) = team();
        team.seed(PROFILE, -10);
        line.cut_at("COMMIT", passes);
        let ran = team.run(0, &TOKEN);
        assert!(line.is_cut());
        assert_told_once(&team, &ran, "during a commit: no answer within");
        assert_eq!(team.issuer.token_requests().len(), 0);
        line.mend();
        assert_served(&team, &team.run(0, &TOKEN));
        assert_nothing_lost(&team);
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_commit_in_doubt_is_done_again_once_the_line_is_back() {
    for passes in [true, false] {
        let (team, line) = team();
        team.seed(PROFILE, -10);
        let child = on_the_wire(&team);
        line.cut_at("COMMIT", passes);
        team.issuer.let_go();
        mend_once_given_up(&line);
        assert_served(&team, &end(child));
        assert_nothing_lost(&team);
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_could_not_be_committed_in_time_is_stored_by_the_next_command() {
    for passes in [true, false] {
        let (team, line) = team();
        team.seed(PROFILE, -10);
        let child = on_the_wire(&team);
        line.cut_at("COMMIT", passes);
        team.issuer.let_go();
        let ran = end(child);
        assert!(line.is_cut() && is_saved(&team));
        assert_told_once(&team, &ran, "saved in");
        line.mend();
        assert_served(&team, &team.run(0, &TOKEN));
        assert_nothing_lost(&team);
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_change_in_doubt_is_made_again_once_the_line_is_back() {
    for passes in [true, false] {
        let (team, line) = team();
        team.seed(PROFILE, 3_600);
        line.cut_at("COMMIT", passes);
        let logout = ["models", "auth", "logout", PROFILE, "--yes"];
        let child = begin(&team, 0, &logout);
        mend_once_given_up(&line);
        let ran = end(child);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(team.tokens(PROFILE), None);
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_failure_that_is_reported_counts_once_whether_or_not_its_commit_arrived() {
    let report = [
        "models",
        "auth",
        "report",
        PROFILE,
        "--failed",
        "rate_limit",
    ];
    for passes in [true, false] {
        let (team, line) = team();
        team.seed(PROFILE, 3_600);
        line.cut_at("COMMIT", passes);
        let child = begin(&team, 0, &report);
        mend_once_given_up(&line);
        let ran = end(child);
        assert_eq!(ran.code, 0, "{ran:?}");
        let count = "SELECT state::jsonb -> 'usageStats' -> $$PROFILE$$ -> 'errorCount' \
            FROM openclaw.agent_usage";
        let count = count.replace("PROFILE", PROFILE);
        assert_eq!(team.database.value(&count), "1", "{passes}");
        assert!(ran.out.contains("until"), "{ran:?}");
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_gateway_says_that_its_database_is_silent_and_goes_on_when_it_is_not() {
    let (team, line) = team();
    team.seed(PROFILE, 3_600);
    let gateway = team.gateway(0);
    let add = ["gateway", "key", "add", "--role", "lease", "--json"];
    let key: serde_json::Value = serde_json::from_str(&team.run(1, &add).out).unwrap();
    let bearer = format!("Authorization: Bearer {}\r\n", key["key"].as_str().unwrap());
    let token = |bearer: &str| gateway.ask("GET", "/v1/token?provider=openai-codex", bearer, "");
    assert_eq!(token(&bearer).status, 200);
    line.cut();
    until(|| gateway.get("/readyz").status == 503);
    assert_eq!(gateway.get("/readyz").json()["database"], "unavailable");
    assert_eq!(gateway.get("/livez").status, 200);
    assert_eq!(token(&bearer).status, 200);
    line.mend();
    until(|| gateway.get("/readyz").status == 200);
    // It also hears again of what others change.
    let revoked = team.run(
        1,
        &["gateway", "key", "revoke", key["id"].as_str().unwrap()],
    );
    assert_eq!(revoked.code, 0, "{revoked:?}");
    until(|| token(&bearer).status == 401);
    assert_eq!(team.issuer.token_requests().len(), 0);
    let log = gateway.stop().err;
    assert!(!log.contains("MARKER"), "{log}");
}
