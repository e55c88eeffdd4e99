//! A login whose answer one gateway of a database has: what the others know of it, and what a process
//! may do again.

use std::slice;
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime};

use openclaw::model::id::ProviderId;
use openclaw::model::seal::DataKey;
use openclaw::model::secret::Secret;
use openclaw::model::state_digest::StateDigest;
use openclaw::ports::database::Database as _;
use openclaw::ports::login_attempts::{Life, LoginAttempts as _, Step};
use serde_json::json;

use super::logins::{pasting, posting, state_is, two, until};
use crate::gateway::login::{CANCEL, FLOW, PROFILE, START, start, waiting};
use crate::login::browser::redirect;
use crate::login::unstored_login::saved;
use crate::support::postgres_node::Node;
use crate::support::postgres_server::{Database, PostgresServer};
use crate::support::ran;
use crate::support::running_gateway::Gateway;
use crate::support::team::Team;

/// As if whoever has its answer had said nothing for a minute.
const LET_GO: &str =
    "UPDATE openclaw.login_attempt SET expires_at = clock_timestamp() WHERE step = 'taken'";

#[test]
#[ignore = "needs PostgreSQL"]
fn a_login_that_another_gateway_completes_is_known_to_one_that_starts_and_a_logout_waits_for_it() {
    let (team, [here, there]) = two();
    let redirected = redirect(&team.issuer, &start(&here));
    state_is(&there, "waiting");
    team.issuer.hold();
    let pasted = pasting(&there.address, &redirected);
    until(|| !team.issuer.exchanges().is_empty());
    here.kill();
    let back = team.gateway(0);
    state_is(&back, "exchanging");
    for path in [START, CANCEL] {
        let refused = back.post_nothing(path);
        assert_eq!(refused.status, 409, "{refused:?}");
    }
    let logged_out = posting(&back.address, "/v1/auth/openai/logout", &json!({}));
    team.issuer.let_go();
    assert_eq!(pasted.join().unwrap(), 200);
    assert_eq!(logged_out.join().unwrap(), 200);
    assert!(team.tokens(PROFILE).is_none());
    state_is(&back, "connected");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_gateway_killed_before_it_had_an_answer_says_so_when_it_is_back() {
    let (team, [here, there]) = two();
    let redirected = redirect(&team.issuer, &start(&here));
    let (there, _) = exchanging(&team, there, &redirected);
    state_is(&here, "exchanging");
    there.kill();
    team.issuer.let_go();
    let back = team.gateway(1);
    for gateway in [&here, &back] {
        let failed = state_is(gateway, "failed").to_string();
        assert!(failed.contains("before it had an answer"), "{failed}");
    }
    assert_eq!(team.issuer.exchanges().len(), 1);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn that_a_killed_gateway_had_no_answer_is_told_once_the_database_is_back() {
    let database = PostgresServer::durable().database();
    let url = database.url();
    let team = Team::at(database, url);
    let [here, there] = [0, 1].map(|machine| team.gateway(machine));
    let redirected = redirect(&team.issuer, &start(&here));
    let (there, _) = exchanging(&team, there, &redirected);
    there.kill();
    team.database.server.stop();
    let refused = team.run(1, &["models", "auth", "refresh", "--profile", PROFILE]);
    assert_eq!(refused.code, 5, "{refused:?}");
    let [left] = &saved(&team.machines[1])[..] else {
        panic!("{refused:?}");
    };
    // What was tried in vain rests for a minute.
    let left = std::fs::File::options().write(true).open(left).unwrap();
    left.set_modified(SystemTime::now()).unwrap();
    team.database.server.start();
    let back = team.gateway(1);
    for gateway in [&here, &back] {
        let failed = state_is(gateway, "failed").to_string();
        assert!(failed.contains("before it had an answer"), "{failed}");
    }
    assert!(saved(&team.machines[1]).is_empty());
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_logout_waits_for_a_gateway_that_is_gone_until_it_counts_as_gone() {
    let (team, [here, there]) = two();
    let redirected = redirect(&team.issuer, &start(&here));
    let (there, _) = exchanging(&team, there, &redirected);
    state_is(&here, "exchanging");
    there.kill();
    let logged_out = posting(&here.address, "/v1/auth/openai/logout", &json!({}));
    team.database.sql(LET_GO);
    assert_eq!(logged_out.join().unwrap(), 200);
    let failed = state_is(&here, "failed").to_string();
    assert!(failed.contains("has not said what came of it"), "{failed}");
    // The next one begins beside nothing.
    start(&here);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_gateway_that_was_taken_for_gone_says_what_came_of_a_login_when_it_goes_on() {
    let (team, [here, there]) = two();
    let redirected = redirect(&team.issuer, &start(&here));
    let (there, pasted) = exchanging(&team, there, &redirected);
    there.suspend();
    until(|| {
        // Again if it was held at the last moment.
        team.database.sql(LET_GO);
        here.get(FLOW).json()["state"] == "failed"
    });
    there.resume();
    state_is(&here, "exchanging");
    team.issuer.let_go();
    assert_eq!(pasted.join().unwrap(), 200);
    state_is(&here, "connected");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_login_is_held_while_another_one_waits_for_the_word_of_the_database() {
    let team = Team::new();
    let second = team.issuer.manifest().replace("replaces = true\n", "");
    let second = second.replace("id = \"openai-codex\"", "id = \"second\"");
    team.machines[0].write("providers/second.toml", &second);
    let here = team.gateway(0);
    let redirected = redirect(&team.issuer, &start(&here));
    let (here, pasted) = exchanging(&team, here, &redirected);
    let second = here.post_nothing("/v1/auth/second/start").json()["auth_url"].clone();
    let redirected = redirect(&team.issuer, second.as_str().unwrap());
    let held = team
        .database
        .hold("SELECT FROM openclaw.login_attempt WHERE provider = 'second' FOR UPDATE");
    let body = json!({ "redirect_url": redirected });
    let undecided = posting(&here.address, "/v1/auth/second/callback", &body);
    let value = |text: &str| team.database.value(text);
    let waits = "SELECT count(*) FROM pg_stat_activity \
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    until(|| value(waits) != "0");
    let is_held = "SELECT expires_at > clock_timestamp() FROM openclaw.login_attempt \
        WHERE provider = 'openai-codex'";
    // The first one may be on its way already.
    for _ in 0..3 {
        team.database.sql(LET_GO);
        until(|| value(is_held) == "t");
    }
    assert!(!undecided.is_finished());
    drop(held);
    team.issuer.let_go();
    assert_eq!(undecided.join().unwrap(), 200);
    assert_eq!(pasted.join().unwrap(), 200);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_logout_of_the_command_line_waits_for_a_login_that_a_gateway_completes() {
    let (team, [here, there]) = two();
    let redirected = redirect(&team.issuer, &start(&here));
    let (_there, pasted) = exchanging(&team, there, &redirected);
    team.seed(PROFILE, 3_000);
    let mut command = team.command(0, &["models", "auth", "logout", PROFILE, "--yes"]);
    let waits = waiting(&mut command);
    team.issuer.let_go();
    assert_eq!(pasted.join().unwrap(), 200);
    let logged_out = ran(waits.wait_with_output().unwrap());
    assert_eq!(logged_out.code, 0, "{logged_out:?}");
    assert!(team.tokens(PROFILE).is_none());
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_logout_of_the_command_line_ends_a_login_of_its_profile_that_waits_at_a_gateway() {
    let (team, [here, _there]) = two();
    team.seed(PROFILE, -10);
    let wish = json!({ "profile": PROFILE });
    assert_eq!(here.post(START, &wish).status, 200);
    state_is(&here, "waiting");
    let logged_out = team.run(1, &["models", "auth", "logout", PROFILE, "--yes"]);
    assert_eq!(logged_out.code, 0, "{logged_out:?}");
    state_is(&here, "cancelled");
}

/// Brings a gateway so far that it has sent its code and waits for the answer.
fn exchanging(team: &Team, gateway: Gateway, redirected: &str) -> (Gateway, JoinHandle<u16>) {
    state_is(&gateway, "waiting");
    team.issuer.hold();
    let pasted = pasting(&gateway.address, redirected);
    until(|| !team.issuer.exchanges().is_empty());
    (gateway, pasted)
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_becomes_of_a_login_elsewhere_is_told_after_the_database_was_gone() {
    let database = PostgresServer::durable().database();
    let url = database.url();
    let team = Team::at(database, url);
    let [here, there] = [0, 1].map(|machine| team.gateway(machine));
    let redirected = redirect(&team.issuer, &start(&here));
    state_is(&there, "waiting");
    team.issuer.hold();
    let pasted = pasting(&there.address, &redirected);
    until(|| !team.issuer.exchanges().is_empty());
    state_is(&here, "exchanging");
    let waits_for_it = pasting(&here.address, &redirected);
    team.database.server.stop();
    assert_eq!(waits_for_it.join().unwrap(), 503);
    assert_eq!(here.get(FLOW).json()["state"], "exchanging");
    team.database.server.start();
    for gateway in [&here, &there] {
        gateway.until("/readyz", |ready| ready["status"] == "ready");
    }
    team.issuer.let_go();
    assert_eq!(pasted.join().unwrap(), 200);
    state_is(&here, "connected");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_login_is_taken_and_ended_by_one_process_however_often_it_asks() {
    let database = Database::new();
    let (node, other) = (Node::on(&database), Node::on(&database));
    let (store, other) = (node.open(), other.open());
    let provider = ProviderId::parse("openai-codex").unwrap();
    let [state, next] = ["one", "next"].map(|it| StateDigest::of(&Secret::from(it)));
    let note = Secret::from("{}");
    let begin = |state| {
        let life = Life::AtMost(Duration::from_secs(60));
        store.begin(&provider, state, &note, life).unwrap()
    };
    // As where the end of a commit is not heard.
    assert!(begin(&state) && begin(&state));
    assert!(!begin(&next));
    assert!(store.take(&state, &note).unwrap());
    assert!(!other.take(&state, &note).unwrap());
    assert!(store.take(&state, &note).unwrap());
    // Longer than a login is stored again and again while the database is gone.
    let is_long = || {
        let left = "SELECT expires_at > clock_timestamp() + interval '40 s' \
            FROM openclaw.login_attempt";
        database.value(left) == "t"
    };
    assert!(is_long());
    database.sql(LET_GO);
    other.hold(slice::from_ref(&state)).unwrap();
    assert!(!is_long());
    store.hold(&[next.clone(), state.clone()]).unwrap();
    assert!(is_long());
    assert!(!begin(&state));
    let new = DataKey::new(Secret::new(vec![8; 32])).unwrap();
    let refused = store.rekey(&new).unwrap_err().to_string();
    assert!(
        refused.contains("is completing a login to openai-codex"),
        "{refused}"
    );
    assert!(store.end(&state, Step::Taken, &note).unwrap());
    assert!(store.end(&state, Step::Taken, &note).unwrap());
    assert!(!other.end(&state, Step::Taken, &note).unwrap());
    assert!(!begin(&state));
    assert!(begin(&next));
    // Nobody could complete it, or cancel it.
    database.sql("UPDATE openclaw.login_attempt SET sealed = '\\x01', expires_at = 'infinity'");
    assert!(store.attempts().unwrap().is_empty());
    assert!(begin(&state));
    assert_eq!(store.attempts().unwrap().len(), 1);
}
