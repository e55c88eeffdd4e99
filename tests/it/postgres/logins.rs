//! A login that is begun at one gateway of a database and goes on at another.

use std::thread::{JoinHandle, spawn};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::gateway::login::{CANCEL, FLOW, PROFILE, START, STATUS, code_of, paste, start};
use crate::login::browser::redirect;
use crate::login::unstored_login::saved;
use crate::support::browser::visit;
use crate::support::postgres_server::PostgresServer;
use crate::support::running_gateway::{Answer, Gateway, TOKEN};
use crate::support::team::Team;

#[track_caller]
pub(super) fn until(is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never came");
        std::thread::sleep(Duration::from_millis(10));
    }
}

pub(super) fn two() -> (Team, [Gateway; 2]) {
    let team = Team::new();
    let gateways = [0, 1].map(|machine| team.gateway(machine));
    (team, gateways)
}

pub(super) fn state_is(gateway: &Gateway, state: &str) -> Value {
    gateway.until(FLOW, |flow| {
        flow["state"] == state && (state != "waiting" || flow["auth_url"].is_string())
    })
}

/// Whether the port that the browser is redirected to is open.
fn is_open(redirected: &str) -> bool {
    let url = url::Url::parse(redirected).unwrap();
    std::net::TcpStream::connect(("127.0.0.1", url.port().unwrap())).is_ok()
}

/// Pastes on a thread of its own.
pub(super) fn pasting(address: &str, url: &str) -> JoinHandle<u16> {
    let body = json!({ "redirect_url": url });
    posting(address, "/v1/auth/openai/callback", &body)
}

/// Posts on a thread of its own.
pub(super) fn posting(address: &str, path: &str, body: &Value) -> JoinHandle<u16> {
    let body = body.to_string();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Authorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let address = address.to_owned();
    spawn(move || {
        use std::io::{Read, Write};
        let mut stream = std::net::TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        // One that is killed says no more.
        let _ = stream.read_to_string(&mut answer);
        let status = answer
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok());
        status.unwrap_or(0)
    })
}

fn assert_connected(answer: &Answer) {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["provider_id"], PROFILE, "{answer:?}");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_login_begun_at_one_gateway_is_completed_at_another() {
    let (team, [here, there]) = two();
    let url = start(&here);
    let waiting = state_is(&there, "waiting");
    assert_eq!(waiting["auth_url"], url, "{waiting}");
    assert_eq!(waiting["callback"], "manual", "{waiting}");
    // Whoever asks again is sent to the same page, and nobody else is.
    assert_eq!(start(&there), url);
    let other = json!({ "profile": "openai-codex:other" });
    let refused = there.post(START, &other);
    assert_eq!(
        (refused.status, &*code_of(&refused)),
        (409, "login_in_progress")
    );

    let redirected = redirect(&team.issuer, &url);
    assert!(is_open(&redirected));
    let wrong = redirected.replace("state=", "state=x");
    let answer = paste(&there, &wrong);
    assert_eq!((answer.status, &*code_of(&answer)), (400, "not_accepted"));
    state_is(&here, "waiting");
    assert_connected(&paste(&there, &redirected));
    assert_eq!(
        state_is(&here, "connected"),
        json!({ "state": "connected" })
    );
    until(|| !is_open(&redirected));
    for gateway in [&here, &there] {
        gateway.until(STATUS, |status| status["authenticated"] == true);
        let late = paste(gateway, &redirected);
        assert_eq!((late.status, &*code_of(&late)), (400, "no_login"));
    }
    assert_eq!(team.issuer.exchanges().len(), 1);

    // Each gateway writes what it did on its own, a while later.
    let outcomes = "SELECT action, outcome FROM openclaw.audit ORDER BY at";
    let told = [here.stop().err, there.stop().err].concat() + &team.database.dump();
    let rows = team.database.sql(outcomes);
    assert_eq!(
        rows,
        [["login started", "ok"], ["login ended", "connected"]]
    );
    let secret = |name: &str| {
        let (_, rest) = redirected.split_once(&format!("{name}=")).unwrap();
        rest.split('&').next().unwrap().to_owned()
    };
    for secret in [secret("state"), secret("code")] {
        assert!(!told.contains(&secret), "{secret}: {told}");
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_completes_a_login_is_sealed_while_it_waits_and_gone_once_it_is_taken() {
    let (team, [here, there]) = two();
    let url = start(&here);
    state_is(&there, "waiting");
    let challenge = url.split_once("code_challenge=").unwrap().1;
    let challenge = challenge.split('&').next().unwrap();
    let dump = team.database.dump();
    assert!(dump.contains("login_attempt"));
    let waiting = "SELECT step, length(sealed) < 300 FROM openclaw.login_attempt";
    assert_eq!(team.database.sql(waiting), [["waiting", "f"]]);
    assert!(!dump.contains(challenge) && !dump.contains("code_verifier"));
    team.issuer.hold();
    let redirected = redirect(&team.issuer, &url);
    let pasted = pasting(&there.address, &redirected);
    until(|| !team.issuer.exchanges().is_empty());
    // What is left of it says only who wanted it: the rest is too long for that.
    let taken = "SELECT step, length(sealed) < 300 FROM openclaw.login_attempt";
    assert_eq!(team.database.sql(taken), [["taken", "t"]]);
    // It cannot be had again: nobody takes it from the one that has it, and nobody ends it.
    state_is(&here, "exchanging");
    let cancelled = here.post_nothing(CANCEL);
    assert_eq!(
        (cancelled.status, &*code_of(&cancelled)),
        (409, "exchanging")
    );
    let waits_for_it = pasting(&here.address, &redirected);
    team.issuer.let_go();
    assert_eq!(pasted.join().unwrap(), 200);
    assert_eq!(waits_for_it.join().unwrap(), 200);
    assert_eq!(team.issuer.exchanges().len(), 1);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn an_answer_that_comes_everywhere_at_once_is_used_once() {
    let (team, [here, there]) = two();
    let url = start(&here);
    state_is(&there, "waiting");
    let redirected = redirect(&team.issuer, &url);
    let pasted: Vec<_> = [&there, &there, &here, &here]
        .map(|gateway| pasting(&gateway.address, &redirected))
        .into();
    for pasted in pasted {
        let status = pasted.join().unwrap();
        // Of two at one gateway one may be told that the other is looked at, or that it is over.
        assert!([200, 400, 409].contains(&status), "{status}");
    }
    state_is(&here, "connected");
    state_is(&there, "connected");
    assert_eq!(team.issuer.exchanges().len(), 1);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_login_is_cancelled_at_any_gateway() {
    let (team, [here, there]) = two();
    let redirected = redirect(&team.issuer, &start(&here));
    let cancelled = there.post_nothing(CANCEL);
    assert_eq!(cancelled.json(), json!({ "status": "cancelled" }));
    state_is(&here, "cancelled");
    until(|| !is_open(&redirected));
    for gateway in [&here, &there] {
        let late = paste(gateway, &redirected);
        assert_eq!((late.status, &*code_of(&late)), (400, "no_login"));
    }
    assert_eq!(team.issuer.exchanges().len(), 0);
    // The next one is another.
    let next = redirect(&team.issuer, &start(&there));
    assert_connected(&paste(&here, &next));
    here.stop();
    there.stop();
    // Each gateway writes its own when it comes to it.
    let outcomes =
        "SELECT action, outcome FROM openclaw.audit WHERE outcome <> 'ok' ORDER BY outcome";
    let rows = team.database.sql(outcomes);
    assert_eq!(
        rows,
        [["login ended", "cancelled"], ["login ended", "connected"]]
    );
}

#[test]
#[ignore = "needs PostgreSQL"]
fn the_browser_comes_back_to_the_gateway_that_listens_and_the_other_hears_of_it() {
    let (team, [here, there]) = two();
    let url = start(&here);
    state_is(&there, "waiting");
    assert_eq!(visit(&url).unwrap().status, 200);
    state_is(&there, "connected");
    team.issuer
        .refuse_consent("access_denied", "The person said no");
    let wish = json!({ "profile": "openai-codex:other" });
    let url = here.post(START, &wish).json()["auth_url"].clone();
    state_is(&there, "waiting");
    assert_eq!(visit(url.as_str().unwrap()).unwrap().status, 403);
    let refused = state_is(&there, "refused");
    assert_eq!(refused["code"], "access_denied", "{refused}");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_login_outlives_the_gateway_that_began_it() {
    let team = Team::new();
    let here = team.gateway(0);
    let url = start(&here);
    // By a signal, and by none.
    assert_eq!(here.stop().code, 0);
    let again = team.gateway(0);
    assert_eq!(start(&again), url);
    again.kill();
    let [here, there] = [0, 1].map(|machine| team.gateway(machine));
    assert_eq!(start(&there), url);
    assert_connected(&paste(&here, &redirect(&team.issuer, &url)));
    state_is(&there, "connected");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_gateway_killed_before_it_stored_a_login_of_another_stores_it_when_it_is_back() {
    let (team, [here, there]) = two();
    let url = start(&here);
    state_is(&there, "waiting");
    team.issuer.hold();
    let pasted = pasting(&there.address, &redirect(&team.issuer, &url));
    until(|| !team.issuer.exchanges().is_empty());
    // Nothing can be stored.
    let held = team
        .database
        .hold("LOCK TABLE openclaw.agent, openclaw.credential IN SHARE ROW EXCLUSIVE MODE");
    team.issuer.let_go();
    let world = &team.machines[1];
    let has_come = || {
        saved(world).iter().any(|path| {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            text.contains("access_token")
        })
    };
    until(has_come);
    there.kill();
    drop(held);
    assert_eq!(pasted.join().unwrap(), 0);
    assert!(team.tokens(PROFILE).is_none());
    state_is(&here, "exchanging");
    let back = team.gateway(1);
    for gateway in [&here, &back] {
        gateway.until(STATUS, |status| status["authenticated"] == true);
    }
    assert!(saved(world).is_empty());
    assert_eq!(team.issuer.exchanges().len(), 1);
    for gateway in [&here, &back] {
        state_is(gateway, "connected");
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_login_ends_by_the_clock_of_the_database() {
    let (team, [here, there]) = two();
    let left = "SELECT round(extract(epoch FROM expires_at - clock_timestamp()) / 10)::int * 10 \
        FROM openclaw.login_attempt";
    let redirected = redirect(&team.issuer, &start(&here));
    assert_eq!(team.database.value(left), "360");
    state_is(&there, "waiting");
    team.database
        .sql("UPDATE openclaw.login_attempt SET expires_at = clock_timestamp()");
    let late = paste(&there, &redirected);
    assert_eq!(late.status, 400, "{late:?}");
    assert!(["timed_out", "no_login"].contains(&&*code_of(&late)));
    for gateway in [&here, &there] {
        state_is(gateway, "timed_out");
    }
    until(|| !is_open(&redirected));
    assert_eq!(team.issuer.exchanges().len(), 0);
    let next = redirect(&team.issuer, &start(&there));
    assert_connected(&paste(&here, &next));
}

#[test]
#[ignore = "needs PostgreSQL"]
fn without_its_database_no_login_begins_and_none_is_lost() {
    let database = PostgresServer::durable().database();
    let url = database.url();
    let team = Team::at(database, url);
    let [here, there] = [0, 1].map(|machine| team.gateway(machine));
    let redirected = redirect(&team.issuer, &start(&here));
    state_is(&there, "waiting");
    team.database.server.stop();
    for answer in [
        paste(&here, &redirected),
        paste(&there, &redirected),
        here.post_nothing(CANCEL),
        there.post(START, &json!({ "profile": "openai-codex:other" })),
    ] {
        assert_eq!(
            (answer.status, &*code_of(&answer)),
            (503, "database_unavailable"),
            "{answer:?}"
        );
    }
    assert_eq!(team.issuer.exchanges().len(), 0);
    assert_eq!(here.get(FLOW).json()["state"], "waiting");
    team.database.server.start();
    for gateway in [&here, &there] {
        gateway.until("/readyz", |ready| ready["status"] == "ready");
    }
    assert_connected(&paste(&there, &redirected));
    state_is(&here, "connected");
    assert_eq!(team.issuer.exchanges().len(), 1);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_row_that_nobody_sealed_or_that_was_moved_completes_nothing() {
    let team = Team::new();
    let here = team.gateway(0);
    let redirected = redirect(&team.issuer, &start(&here));
    team.database.sql(
        "UPDATE openclaw.login_attempt SET provider = 'moved';
        INSERT INTO openclaw.login_attempt
            (tenant, provider, state_hash, node, sealed, expires_at)
            SELECT tenant, 'openai-codex', 'x' || state_hash, node, sealed, expires_at
            FROM openclaw.login_attempt",
    );
    let there = team.gateway(1);
    let refused = paste(&there, &redirected);
    assert_eq!((refused.status, &*code_of(&refused)), (400, "no_login"));
    assert_eq!(team.issuer.exchanges().len(), 0);
}
