//! The page at several gateways of a database: whoever signed in at one is signed in at all.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::gateway::session::{exchange, opened};
use crate::support::postgres_server::PostgresServer;
use crate::support::running_gateway::{Gateway, TOKEN};
use crate::support::team::Team;

/// What a browser got for a session: the value of its cookie, and the header that stands beside it.
pub(super) struct Session {
    cookie: String,
    csrf: String,
}

impl Session {
    pub(super) fn open(gateway: &Gateway, shown: &Value) -> Self {
        let (cookie, csrf) = opened(&exchange(gateway, shown));
        let cookie = cookie.trim_end().rsplit('=').next().unwrap().to_owned();
        Self { cookie, csrf }
    }

    /// The status of a request with it. Each port has a cookie of its own; behind a proxy, and at one
    /// public URL, all gateways have one.
    pub(super) fn ask(&self, gateway: &Gateway, method: &str) -> u16 {
        let port = gateway.address.rsplit(':').next().unwrap();
        let headers = format!(
            "Cookie: openclaw-{port}={}\r\n{}Origin: http://{}\r\n",
            self.cookie, self.csrf, gateway.address
        );
        gateway.ask(method, "/v1/session", &headers, "").status
    }

    fn until(&self, gateway: &Gateway, status: u16) {
        let begun = Instant::now();
        while self.ask(gateway, "GET") != status {
            assert!(begun.elapsed() < Duration::from_secs(60), "it never came");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn add_key(team: &Team) -> (String, String) {
    let made = team.run(0, &["gateway", "key", "add", "--json"]);
    let made: Value = serde_json::from_str(&made.out).unwrap();
    let member = |name: &str| made[name].as_str().unwrap().to_owned();
    (member("key"), member("id"))
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_session_opened_at_one_gateway_is_good_at_each_until_it_is_closed_at_any() {
    let team = Team::new();
    let [here, there] = [0, 1].map(|machine| team.gateway(machine));
    let session = Session::open(&here, &json!({ "bearer": TOKEN }));
    let other = Session::open(&there, &json!({ "bearer": TOKEN }));
    for gateway in [&here, &there] {
        assert_eq!(session.ask(gateway, "GET"), 200);
        let mixed = Session {
            cookie: session.cookie.clone(),
            csrf: other.csrf.clone(),
        };
        assert_eq!(mixed.ask(gateway, "GET"), 401);
    }
    let dump = team.database.dump();
    let csrf = session.csrf.trim_end().rsplit(' ').next().unwrap();
    assert!(dump.contains("page_pass"));
    assert!(!dump.contains(&session.cookie) && !dump.contains(csrf));
    assert_eq!(session.ask(&there, "DELETE"), 204);
    assert_eq!(session.ask(&there, "GET"), 401);
    session.until(&here, 401);
    // A gateway that is started again asks nobody anew.
    here.kill();
    assert_eq!(other.ask(&team.gateway(0), "GET"), 200);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_link_is_used_once_among_all_gateways() {
    let team = Team::new();
    let [here, there] = [0, 1].map(|machine| team.gateway(machine));
    let made = here.post("/v1/links", &json!({})).json();
    let code = made["url"].as_str().unwrap().split_once("#k=").unwrap().1;
    let shown = json!({ "one_time_code": code });
    let statuses = std::thread::scope(|scope| {
        let both = [&here, &there].map(|gateway| {
            let shown = &shown;
            scope.spawn(move || exchange(gateway, shown).status)
        });
        let mut statuses = both.map(|one| one.join().unwrap());
        statuses.sort_unstable();
        statuses
    });
    assert_eq!(statuses, [200, 401]);
    assert_eq!(exchange(&here, &shown).status, 401);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_session_ends_with_the_key_that_it_was_opened_with() {
    let team = Team::new();
    let [here, there] = [0, 1].map(|machine| team.gateway(machine));
    let (key, id) = add_key(&team);
    let session = Session::open(&here, &json!({ "bearer": key }));
    assert_eq!(session.ask(&there, "GET"), 200);
    assert_eq!(team.run(1, &["gateway", "key", "revoke", &id]).code, 0);
    for gateway in [&here, &there] {
        session.until(gateway, 401);
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn whoever_can_write_to_the_database_alone_is_signed_in_as_nobody() {
    let team = Team::new();
    let gateway = team.gateway(0);
    let (key, _) = add_key(&team);
    let admin = Session::open(&gateway, &json!({ "bearer": TOKEN }));
    let own = Session::open(&gateway, &json!({ "bearer": key }));
    assert_eq!(own.ask(&gateway, "GET"), 200);
    // The rights of one session for the cookie of another.
    team.database.sql(
        "UPDATE openclaw.page_pass SET sealed =
            (SELECT sealed FROM openclaw.page_pass WHERE kind = 'session' ORDER BY position LIMIT 1)
            WHERE kind = 'session'",
    );
    own.until(&gateway, 401);
    assert_eq!(admin.ask(&gateway, "GET"), 200);
    team.database
        .sql("UPDATE openclaw.page_pass SET expires_at = clock_timestamp()");
    admin.until(&gateway, 401);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn whoever_is_signed_in_stays_so_while_the_database_is_gone() {
    let database = PostgresServer::durable().database();
    let url = database.url();
    let team = Team::at(database, url);
    let [here, there] = [0, 1].map(|machine| team.gateway(machine));
    let session = Session::open(&here, &json!({ "bearer": TOKEN }));
    assert_eq!(session.ask(&here, "GET"), 200);
    team.database.server.stop();
    session.until(&there, 503);
    // Longer than a gateway trusts what it saw without another look.
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(session.ask(&here, "GET"), 200);
    let refused = exchange(&here, &json!({ "bearer": TOKEN }));
    assert_eq!(refused.status, 503, "{refused:?}");
    // One that starts now makes no link, and runs.
    let late = team.gateway(1);
    assert_eq!(late.get("/livez").status, 200);
    team.database.server.start();
    session.until(&there, 200);
    session.until(&late, 200);
}
