//! A login with a device code, which one gateway of a database completes and all of them show.

use std::process::Stdio;

use serde_json::{Value, json};

use super::logins::until;
use crate::gateway::device_login::{PROFILE, PROVIDER, USER_CODE, path, start};
use crate::gateway::login::code_of;
use crate::login::unstored_login::saved;
use crate::support::builtin::manifest;
use crate::support::issuer::{Codes, Reply};
use crate::support::postgres_server::PostgresServer;
use crate::support::running_gateway::Gateway;
use crate::support::team::Team;

/// As if whoever shows the code had said nothing for a minute.
const LET_GO: &str = "UPDATE openclaw.login_attempt SET expires_at = clock_timestamp()";

/// As long as this is held, no credential is stored.
const NO_STORE: &str = "LOCK TABLE openclaw.agent, openclaw.credential IN SHARE ROW EXCLUSIVE MODE";

fn team() -> Team {
    prepared(Team::new())
}

/// Machines that know the provider, whose codes nobody enters yet.
fn prepared(team: Team) -> Team {
    for machine in &team.machines {
        let manifest = manifest(PROVIDER, team.issuer.url());
        machine.write(&format!("providers/{PROVIDER}.toml"), &manifest);
    }
    team.issuer.set_device_codes(Codes::not_entered());
    team
}

fn two() -> (Team, [Gateway; 2]) {
    let team = team();
    let gateways = [0, 1].map(|machine| team.gateway(machine));
    (team, gateways)
}

/// A login that the first of both gateways began, and the other one shows.
fn under_way() -> (Team, [Gateway; 2]) {
    let (team, [here, there]) = two();
    start(&here);
    state_is(&there, "waiting");
    (team, [here, there])
}

fn state_is(gateway: &Gateway, state: &str) -> Value {
    gateway.until(&path("flow"), |flow| flow["state"] == state)
}

fn is_stored(team: &Team) -> bool {
    team.tokens(PROFILE).is_some()
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_code_is_shown_at_every_gateway_and_all_hear_that_it_was_entered() {
    let (team, [here, there]) = two();
    let started = start(&here);
    let waiting = state_is(&there, "waiting");
    for member in ["auth_url", "user_code", "callback", "expires_at"] {
        assert_eq!(waiting[member], started[member], "{waiting}");
    }
    assert_eq!(start(&there), started);
    let pasted = json!({ "redirect_url": "http://localhost:1455/?code=x&state=x" });
    for gateway in [&here, &there] {
        let refused = gateway.post(&path("callback"), &pasted);
        assert_eq!(code_of(&refused), "takes_no_redirect", "{refused:?}");
    }
    // What is shown is sealed; what would complete it is in no row.
    let dump = team.database.dump();
    assert!(dump.contains("login_attempt"));
    for secret in [USER_CODE, "dc-MARKER"] {
        assert!(!dump.contains(secret), "{dump}");
    }
    team.issuer.enter_device_code(Vec::new());
    for gateway in [&here, &there] {
        state_is(gateway, "connected");
        gateway.until(&path("status"), |status| status["authenticated"] == true);
    }
    assert_eq!(team.issuer.device_requests().len(), 1);
    assert_eq!(team.issuer.polled_too_fast(), 0);
    here.stop();
    there.stop();
    let rows = team
        .database
        .sql("SELECT action, outcome FROM openclaw.audit ORDER BY at");
    assert_eq!(
        rows,
        [["login started", "ok"], ["login ended", "connected"]]
    );
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_login_is_refused_and_cancelled_for_all_gateways() {
    let (team, [here, there]) = under_way();
    team.issuer.enter_device_code(vec![Reply::Denied]);
    for gateway in [&here, &there] {
        assert_eq!(state_is(gateway, "refused")["code"], "access_denied");
    }
    start(&here);
    state_is(&there, "waiting");
    let cancelled = there.post_nothing(&path("cancel"));
    assert_eq!(cancelled.json(), json!({ "status": "cancelled" }));
    for gateway in [&here, &there] {
        state_is(gateway, "cancelled");
    }
    start(&here);
    let logged_out = there.post_nothing(&path("logout"));
    assert_eq!(logged_out.status, 200, "{logged_out:?}");
    state_is(&here, "cancelled");
    // Its thread has ended: nobody asks for the grant any more.
    until(|| saved(&team.machines[0]).is_empty());
    team.issuer.enter_device_code(Vec::new());
    assert!(!is_stored(&team));
    here.stop();
    there.stop();
    let rows = team.database.sql(
        "SELECT outcome, count(*) FROM openclaw.audit WHERE action = 'login ended' \
        GROUP BY outcome ORDER BY outcome",
    );
    assert_eq!(rows, [["cancelled", "2"], ["refused", "1"]]);
    let rows = team
        .database
        .sql("SELECT key, provider FROM openclaw.audit WHERE action = 'login cancelled'");
    assert_eq!(rows, [["gateway", PROVIDER]]);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_command_that_logs_out_ends_a_login_of_its_profile() {
    let (team, [here, there]) = two();
    start(&here);
    team.issuer.enter_device_code(Vec::new());
    state_is(&there, "connected");
    for machine in [0, 1] {
        let wish = json!({ "profile": PROFILE, "another": true });
        let started = here.post(&path("start"), &wish);
        assert_eq!(started.json()["user_code"], USER_CODE, "{started:?}");
        state_is(&there, "waiting");
        let ran = team.run(machine, &["models", "auth", "logout", PROFILE, "--yes"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        for gateway in [&here, &there] {
            state_is(gateway, "cancelled");
        }
        let undone = team.run(machine, &["models", "auth", "undo", PROFILE]);
        assert_eq!(undone.code, 0, "{undone:?}");
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_login_ends_with_the_gateway_that_shows_its_code() {
    let (team, [here, there]) = under_way();
    // By a signal.
    assert_eq!(here.stop().code, 0);
    let failed = state_is(&there, "failed").to_string();
    assert!(failed.contains("was stopped"), "{failed}");
    // By none: after a minute of silence, or when it is back.
    let here = team.gateway(0);
    start(&here);
    state_is(&there, "waiting");
    here.kill();
    team.database.sql(LET_GO);
    let failed = state_is(&there, "failed").to_string();
    assert!(failed.contains("is gone"), "{failed}");
    start(&there);
    let here = team.gateway(0);
    state_is(&here, "waiting");
    there.kill();
    let back = team.gateway(1);
    for gateway in [&here, &back] {
        let failed = state_is(gateway, "failed").to_string();
        assert!(
            failed.contains("before the provider confirmed it"),
            "{failed}"
        );
    }
    // The next one is another.
    start(&here);
    state_is(&back, "waiting");
    team.issuer.enter_device_code(Vec::new());
    state_is(&back, "connected");
    assert!(is_stored(&team));
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_gateway_that_was_taken_for_gone_completes_its_login() {
    let (team, [here, there]) = under_way();
    here.suspend();
    team.database.sql(LET_GO);
    state_is(&there, "failed");
    here.resume();
    state_is(&there, "waiting");
    team.issuer.enter_device_code(Vec::new());
    for gateway in [&here, &there] {
        state_is(gateway, "connected");
    }
    assert!(is_stored(&team));
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_gateway_killed_before_it_stored_a_grant_stores_it_when_it_is_back() {
    let (team, [here, there]) = under_way();
    // Nothing can be stored.
    let held = team.database.hold(NO_STORE);
    team.issuer.enter_device_code(Vec::new());
    state_is(&there, "exchanging");
    let refused = there.post_nothing(&path("cancel"));
    assert_eq!((refused.status, &*code_of(&refused)), (409, "exchanging"));
    here.kill();
    drop(held);
    assert!(!is_stored(&team));
    let back = team.gateway(0);
    for gateway in [&back, &there] {
        gateway.until(&path("status"), |status| status["authenticated"] == true);
        state_is(gateway, "connected");
    }
    assert!(saved(&team.machines[0]).is_empty());
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_grant_that_came_without_its_database_is_stored_when_that_is_back() {
    let database = PostgresServer::durable().database();
    let url = database.url();
    let team = prepared(Team::at(database, url));
    let [here, there] = [0, 1].map(|machine| team.gateway(machine));
    start(&here);
    state_is(&there, "waiting");
    team.database.server.stop();
    team.issuer.enter_device_code(Vec::new());
    let failed = state_is(&here, "failed").to_string();
    assert!(failed.contains("the login is saved"), "{failed}");
    assert_eq!(saved(&team.machines[0]).len(), 1);
    team.database.server.start();
    for gateway in [&here, &there] {
        gateway.until("/readyz", |ready| ready["status"] == "ready");
    }
    // By any command of the machine, or by the gateway itself a while later.
    until(|| {
        team.run(0, &["models", "auth", "list"]);
        saved(&team.machines[0]).is_empty()
    });
    assert!(is_stored(&team));
    for gateway in [&here, &there] {
        state_is(gateway, "connected");
    }
}

/// Starts a login at the first of both gateways, and kills that one when the grant has come and nobody
/// could be told so.
fn killed_with_a_grant() -> (Team, Gateway) {
    let (team, [here, there]) = under_way();
    let held = team
        .database
        .hold("LOCK TABLE openclaw.login_attempt IN SHARE ROW EXCLUSIVE MODE");
    team.issuer.enter_device_code(Vec::new());
    until(|| {
        saved(&team.machines[0]).iter().any(|path| {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            text.contains("access_token")
        })
    });
    here.kill();
    drop(held);
    (team, there)
}

fn cancel(gateway: &Gateway) {
    let cancelled = gateway.post_nothing(&path("cancel"));
    assert_eq!(cancelled.json(), json!({ "status": "cancelled" }));
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_grant_that_came_while_nobody_could_be_told_is_stored_unless_its_login_was_ended_before() {
    for (is_cancelled, state) in [(false, "connected"), (true, "cancelled")] {
        let (team, there) = killed_with_a_grant();
        if is_cancelled {
            cancel(&there);
        }
        let back = team.gateway(0);
        until(|| saved(&team.machines[0]).is_empty());
        assert_eq!(is_stored(&team), !is_cancelled);
        state_is(&there, state);
        back.stop();
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_login_is_ended_although_its_gateway_was_silent_for_long() {
    for (action, answer) in [
        ("cancel", json!({ "status": "cancelled" })),
        ("logout", json!({ "status": "logged out" })),
    ] {
        let (team, there) = killed_with_a_grant();
        team.database.sql(LET_GO);
        state_is(&there, "failed");
        assert_eq!(there.post_nothing(&path(action)).json(), answer);
        state_is(&there, "cancelled");
        let _back = team.gateway(0);
        until(|| saved(&team.machines[0]).is_empty());
        assert!(!is_stored(&team), "{action}");
        state_is(&there, "cancelled");
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_login_that_was_being_stored_is_stored_although_another_one_stands_in_its_place() {
    let (team, [here, there]) = under_way();
    let held = team.database.hold(NO_STORE);
    team.issuer.enter_device_code(Vec::new());
    state_is(&there, "exchanging");
    here.kill();
    drop(held);
    team.database.sql(LET_GO);
    state_is(&there, "failed");
    team.issuer.set_device_codes(Codes::not_entered());
    start(&there);
    let back = team.gateway(0);
    until(|| saved(&team.machines[0]).is_empty());
    assert!(is_stored(&team));
    for gateway in [&back, &there] {
        state_is(gateway, "waiting");
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_login_that_was_ended_is_not_stored_although_another_one_stands_in_its_place() {
    let (team, there) = killed_with_a_grant();
    cancel(&there);
    team.issuer.set_device_codes(Codes::not_entered());
    start(&there);
    let back = team.gateway(0);
    until(|| saved(&team.machines[0]).is_empty());
    assert!(!is_stored(&team));
    // The other one goes on.
    for gateway in [&back, &there] {
        state_is(gateway, "waiting");
    }
    cancel(&there);
    assert!(!is_stored(&team));
}

#[test]
#[ignore = "needs PostgreSQL"]
fn nobody_is_told_that_a_login_is_cancelled_while_a_gateway_that_is_back_stores_it() {
    let (team, there) = killed_with_a_grant();
    // It was silent for longer than a minute, which ends no login.
    team.database.sql(LET_GO);
    state_is(&there, "failed");
    let held = team.database.hold(NO_STORE);
    let mut back = team.command(0, &["models", "auth", "list"]);
    let mut back = back.stdout(Stdio::null()).spawn().unwrap();
    state_is(&there, "exchanging");
    let refused = there.post_nothing(&path("cancel"));
    assert_eq!((refused.status, &*code_of(&refused)), (409, "exchanging"));
    drop(held);
    assert!(back.wait().unwrap().success());
    state_is(&there, "connected");
    assert!(is_stored(&team));
}
