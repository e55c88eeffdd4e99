//! The database goes before a refresh, during one, and comes back; or this machine cannot save an
//! answer. What was answered is never lost, and what could not be stored is never begun.

use super::under_way::{
    PROFILE, TOKEN, assert_nothing_lost, begin, end, is_saved, on_the_wire, team, until,
};
use crate::support::pgbouncer::PgBouncer;
use crate::support::postgres_server::PostgresServer;
use crate::support::ran;
use crate::support::team::Team;

#[test]
#[ignore = "needs PostgreSQL"]
fn without_a_database_no_refresh_begins_and_it_is_said_where_it_was_looked_for() {
    let team = team();
    team.seed(PROFILE, -10);
    let server = &team.database.server;
    server.stop();
    for args in [
        &TOKEN[..],
        &["models", "auth", "list"],
        &["models", "auth", "refresh"],
        &["models", "auth", "logout", PROFILE, "--yes"],
    ] {
        let ran = team.run(0, args);
        assert_eq!(ran.code, 5, "{args:?}: {ran:?}");
        assert_eq!(ran.out, "", "{args:?}");
        let place = format!("127.0.0.1:{}", server.port);
        assert!(ran.err.contains(&place), "{args:?}: {ran:?}");
        assert!(ran.err.contains(&team.database.name), "{args:?}: {ran:?}");
        team.assert_discreet(&ran);
    }
    assert_eq!(team.issuer.token_requests().len(), 0);
    server.start();
    let ran = team.run(0, &TOKEN);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_nothing_lost(&team);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_database_that_restarts_before_the_commit_gets_it_all_the_same() {
    let team = team();
    team.seed(PROFILE, -10);
    let child = on_the_wire(&team);
    team.database.server.stop();
    team.issuer.let_go();
    until(|| is_saved(&team));
    team.database.server.start();
    let ran = end(child);
    let (access, _) = team.tokens(PROFILE).unwrap();
    assert_eq!((ran.code, ran.out.trim()), (0, &*access), "{ran:?}");
    assert_nothing_lost(&team);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn connections_cut_on_the_wire_lose_nothing() {
    let team = team();
    team.seed(PROFILE, -10);
    let child = on_the_wire(&team);
    team.database.kill_backends();
    team.issuer.let_go();
    let ran = end(child);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_nothing_lost(&team);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_was_answered_while_the_database_was_gone_is_stored_by_the_next_command() {
    for is_killed in [true, false] {
        let team = team();
        team.seed(PROFILE, -10);
        let mut child = on_the_wire(&team);
        team.database.server.stop();
        team.issuer.let_go();
        until(|| is_saved(&team));
        match is_killed {
            true => {
                child.kill().unwrap();
                child.wait().unwrap();
            }
            // It gives up by itself.
            false => {
                let ran = end(child);
                assert_eq!((ran.code, &*ran.out), (5, ""), "{ran:?}");
                assert!(ran.err.contains("saved in"), "{ran:?}");
                team.assert_discreet(&ran);
            }
        }
        team.database.server.start();
        // Its own machine has the answer.
        let ran = team.run(0, &TOKEN);
        let (access, _) = team.tokens(PROFILE).unwrap();
        assert_eq!((ran.code, ran.out.trim()), (0, &*access), "{ran:?}");
        assert_nothing_lost(&team);
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn no_refresh_begins_where_its_answer_could_not_be_saved() {
    let team = team();
    let before = team.seed(PROFILE, -10);
    assert_eq!(team.run(0, &["models", "auth", "list"]).code, 0);
    let rescue = team.machines[0].state().join("postgres");
    let deployment = std::fs::read_dir(rescue).unwrap().next().unwrap().unwrap();
    let rescue = deployment.path().join("rescue");
    let _ = std::fs::remove_dir_all(&rescue);
    std::fs::write(&rescue, "a file in the way of a directory").unwrap();
    let ran = team.run(0, &TOKEN);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert_eq!(team.issuer.token_requests().len(), 0);
    assert_eq!(team.tokens(PROFILE).unwrap().1, before);
    // The other machine can.
    let ran = team.run(1, &TOKEN);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(team.issuer.token_requests().len(), 1);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_gateway_serves_what_lives_while_the_database_is_gone() {
    let team = team();
    team.seed(PROFILE, 600);
    let path = "/v1/token?provider=openai-codex";
    let gateway = team.gateway(0);
    let token = gateway.get(path);
    assert_eq!(token.status, 200, "{token:?}");
    team.database.server.stop();
    let kept = gateway.get(path);
    assert_eq!(kept.status, 200, "{kept:?}");
    assert_eq!(kept.json()["access_token"], token.json()["access_token"]);
    let more = format!("{path}&min_valid=1200");
    let refused = gateway.get(&more);
    assert_eq!(refused.status, 503, "{refused:?}");
    assert_eq!(refused.json()["code"], "database_unavailable");
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    assert!(!refused.body.contains("MARKER"), "{refused:?}");
    until(|| gateway.get("/readyz").status == 503);
    assert_eq!(gateway.get("/livez").status, 200);
    assert_eq!(team.issuer.token_requests().len(), 0);
    team.database.server.start();
    until(|| gateway.get("/readyz").status == 200);
    until(|| gateway.get(&more).status == 200);
    assert_eq!(team.issuer.token_requests().len(), 1);
    let log = gateway.stop().err;
    assert!(!log.contains("MARKER"), "{log}");
}

#[test]
#[ignore = "needs PostgreSQL and PgBouncer"]
fn a_refresh_goes_through_a_pool_by_transaction() {
    let database = PostgresServer::shared().database();
    let pool = PgBouncer::start(&database.server);
    let url = pool.url(&database);
    let team = Team::at(database, url);
    team.seed(PROFILE, -10);
    let children: Vec<_> = (0..16)
        .map(|number| begin(&team, number % 2, &TOKEN))
        .collect();
    let all: Vec<_> = children.into_iter().map(end).collect();
    let (access, _) = team.tokens(PROFILE).unwrap();
    for ran in all {
        assert_eq!((ran.code, ran.out.trim()), (0, &*access), "{ran:?}");
    }
    assert_nothing_lost(&team);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_server_whose_certificate_nobody_knows_is_told_nothing() {
    let database = PostgresServer::with_tls().database();
    let url = format!("{}?sslmode=require", database.url());
    let team = Team::at(database, url);
    team.seed(PROFILE, 3_600);
    let refused = team.run(0, &TOKEN);
    assert_eq!(refused.code, 5, "{refused:?}");
    assert!(refused.err.contains("certificate"), "{refused:?}");
    team.assert_discreet(&refused);
    let authority = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/tls/authority.pem"
    );
    let mut command = team.command(0, &TOKEN);
    let ran = ran(command.env("SSL_CERT_FILE", authority).output().unwrap());
    assert_eq!(ran.code, 0, "{ran:?}");

    let database = PostgresServer::shared().database();
    let url = format!("{}?sslmode=require", database.url());
    let team = Team::at(database, url);
    let refused = team.run(0, &TOKEN);
    assert_eq!(refused.code, 5, "{refused:?}");
    assert!(refused.err.contains("TLS"), "{refused:?}");
}
