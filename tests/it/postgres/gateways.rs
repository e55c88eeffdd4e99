//! Gateways on one database: whoever has a key may ask any of them, and none once it is revoked.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::postgres_server::PostgresServer;
use crate::support::running_gateway::Gateway;
use crate::support::team::Team;
use crate::support::{Ran, World, setup_token};

const STATUS: &str = "/v1/auth/openai/status";

/// Runs a command that has to succeed.
fn ok(team: &Team, machine: usize, args: &[&str]) -> Ran {
    let ran = team.run(machine, args);
    assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
    ran
}

/// Makes a key: its text, and its id.
fn add_key(team: &Team, machine: usize, options: &[&str]) -> (String, String) {
    let args = [&["gateway", "key", "add", "--json"], options].concat();
    let made: Value = serde_json::from_str(&ok(team, machine, &args).out).unwrap();
    let member = |name: &str| made[name].as_str().unwrap().to_owned();
    (member("key"), member("id"))
}

fn keys_seen_by(team: &Team, machine: usize) -> Value {
    let listed = ok(team, machine, &["gateway", "key", "list", "--json"]);
    let mut listed: Value = serde_json::from_str(&listed.out).unwrap();
    listed["keys"].take()
}

fn status(gateway: &Gateway, key: &str) -> u16 {
    let bearer = format!("Authorization: Bearer {key}\r\n");
    gateway.ask("GET", STATUS, &bearer, "").status
}

/// Asks until the answer has this status.
fn until(gateway: &Gateway, key: &str, expected: u16) {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(60) {
        if status(gateway, key) == expected {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("it is still {}", status(gateway, key));
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_key_made_on_one_machine_is_good_at_every_gateway_until_it_is_revoked_on_any() {
    let team = Team::new();
    let gateways = [0, 1].map(|machine| team.gateway(machine));
    let (key, id) = add_key(&team, 0, &["--name", "dashboard"]);
    // At once, and nobody was told.
    for gateway in &gateways {
        assert_eq!(status(gateway, &key), 200);
    }
    assert_eq!(keys_seen_by(&team, 1)[0]["name"], "dashboard");
    let file = |world: &World| world.state().join("gateway/keys.json");
    assert!(!team.machines.iter().any(|world| file(world).exists()));
    assert!(!team.database.dump().contains(&key["ock_".len()..]));

    ok(&team, 1, &["gateway", "key", "revoke", &id]);
    for gateway in &gateways {
        until(gateway, &key, 401);
    }
    let listed = keys_seen_by(&team, 0);
    assert_eq!(listed[0]["state"], "revoked");
    // Once more is no failure, and does not move the time.
    ok(&team, 0, &["gateway", "key", "revoke", &id]);
    assert_eq!(keys_seen_by(&team, 0), listed);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_key_of_a_gateway_is_made_and_revoked_by_another() {
    let team = Team::new();
    let gateways = [0, 1].map(|machine| team.gateway(machine));
    let made = gateways[0].post("/v1/keys", &serde_json::json!({ "role": "viewer" }));
    assert_eq!(made.status, 200, "{made:?}");
    let made = made.json();
    let (key, id) = (made["key"].as_str().unwrap(), made["id"].as_str().unwrap());
    assert_eq!(status(&gateways[1], key), 200);
    let bearer = format!(
        "Authorization: Bearer {}\r\n",
        crate::support::running_gateway::TOKEN
    );
    let revoked = gateways[1].ask("DELETE", &format!("/v1/keys/{id}"), &bearer, "");
    assert_eq!(revoked.status, 200, "{revoked:?}");
    until(&gateways[0], key, 401);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn whoever_can_write_to_the_database_alone_has_no_key() {
    let team = Team::new();
    let gateway = team.gateway(0);
    let (viewer, _) = add_key(&team, 0, &["--role", "viewer"]);
    let (admin, id) = add_key(&team, 0, &["--role", "admin"]);
    assert_eq!(status(&gateway, &viewer), 200);
    // The row of one key in the place of another, and one that nobody sealed.
    team.database.sql(&format!(
        "INSERT INTO openclaw.access_key (tenant, id, sealed)
            SELECT tenant, 'moved', sealed FROM openclaw.access_key WHERE id = '{id}';
        INSERT INTO openclaw.access_key (tenant, id, sealed) VALUES ('main', 'made', '\\x01')"
    ));
    ok(&team, 0, &["gateway", "key", "revoke", &id]);
    until(&gateway, &admin, 401);
    assert_eq!(status(&gateway, &viewer), 200);
    let listed = ok(&team, 0, &["gateway", "key", "list"]);
    assert!(
        listed.err.contains("moved") && listed.err.contains("made"),
        "{listed:?}"
    );
    assert_eq!(keys_seen_by(&team, 0).as_array().unwrap().len(), 2);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_known_key_outlives_its_database_and_an_unknown_one_is_not_called_wrong() {
    // Its server is stopped.
    let database = PostgresServer::durable().database();
    let url = database.url();
    let team = Team::at(database, url);
    let server = &team.database.server;
    let [here, other] = [0, 1].map(|machine| team.gateway(machine));
    let (key, _) = add_key(&team, 0, &[]);
    until(&here, &key, 200);
    server.stop();
    let (unknown, gone) = (format!("ock_{}", "0".repeat(64)), 503);
    until(&other, &unknown, gone);
    assert_ne!(status(&here, &key), 401);
    server.start();
    until(&other, &key, 200);
    until(&other, &unknown, 401);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_ended_long_ago_goes_when_a_key_is_made() {
    let team = Team::new();
    let (_, old) = add_key(&team, 0, &[]);
    add_key(&team, 0, &[]);
    team.database.sql(&format!(
        "UPDATE openclaw.access_key SET stops_at = clock_timestamp() - interval '91 days'
            WHERE id = '{old}'"
    ));
    let (_, new) = add_key(&team, 1, &[]);
    let listed = keys_seen_by(&team, 0);
    assert_eq!(listed.as_array().unwrap().len(), 2, "{listed}");
    assert_ne!(listed[0]["id"], old);
    assert_eq!(listed[1]["id"], new);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn keys_stay_good_under_another_key_of_the_database() {
    let team = Team::new();
    let (key, _) = add_key(&team, 0, &[]);
    for world in &team.machines {
        world.write("new.key", &"08".repeat(32));
    }
    let new = team.machines[0].state().join("new.key");
    ok(
        &team,
        0,
        &["gateway", "rekey", "--new-key-file", new.to_str().unwrap()],
    );
    for world in &team.machines {
        world.write("database-key", &"08".repeat(32));
    }
    assert_eq!(status(&team.gateway(1), &key), 200);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_was_done_at_any_gateway_is_in_one_table_without_secrets() {
    let team = Team::new();
    let (key, id) = add_key(&team, 0, &["--role", "operator"]);
    let bearer = format!("Authorization: Bearer {key}\r\nContent-Type: application/json\r\n");
    let gateways = [0, 1].map(|machine| team.gateway(machine));
    let body = serde_json::json!({ "token": setup_token() }).to_string();
    for gateway in &gateways {
        let stored = gateway.ask("POST", "/v1/auth/anthropic/credential", &bearer, &body);
        assert_eq!(stored.status, 200, "{stored:?}");
    }
    let [here, there] = gateways;
    // The end of a gateway is the end of its queue.
    assert_eq!(there.stop().code, 0);
    let out = here.ask("POST", "/v1/auth/anthropic/logout", &bearer, "{}");
    assert_eq!(out.status, 200, "{out:?}");
    assert_eq!(here.stop().code, 0);
    let told = "SELECT key, action, provider, outcome FROM openclaw.audit ORDER BY position";
    let by = |action: &str, outcome: &str| {
        [&*id, action, "anthropic", outcome]
            .map(str::to_owned)
            .to_vec()
    };
    let rows = team.database.sql(told);
    assert_eq!(rows.len(), 3, "{rows:?}");
    assert_eq!(
        rows[..2],
        [by("credential stored", "ok"), by("credential stored", "ok")]
    );
    assert_eq!(rows[2][..3], by("logged out", "")[..3]);
    let nodes = "SELECT count(DISTINCT node) FROM openclaw.audit";
    assert_eq!(team.database.value(nodes), "2");
    let dump = team.database.dump();
    assert!(!dump.contains(&setup_token()) && !dump.contains(&key["ock_".len()..]));
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_was_done_long_ago_is_forgotten() {
    let team = Team::new();
    team.database.sql(
        "INSERT INTO openclaw.audit (tenant, node, at, key, action, outcome)
            SELECT 'main', 'gone', clock_timestamp() - days * interval '1 day', 'k', 'old', 'ok'
            FROM unnest(ARRAY[89, 91]) AS days",
    );
    let gateway = team.gateway(0);
    let made = gateway.post("/v1/keys", &serde_json::json!({ "role": "viewer" }));
    assert_eq!(made.status, 200, "{made:?}");
    assert_eq!(gateway.stop().code, 0);
    let actions = "SELECT action FROM openclaw.audit ORDER BY at";
    assert_eq!(team.database.sql(actions), [["old"], ["key added"]]);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn the_keys_of_a_machine_come_along_into_the_database() {
    let team = Team::new();
    let world = &team.machines[0];
    let made = world.run(&["gateway", "key", "add"]);
    let key = made.out.trim_end();
    let gone: Value =
        serde_json::from_str(&world.run(&["gateway", "key", "add", "--json"]).out).unwrap();
    let revoked = world.run(&["gateway", "key", "revoke", gone["id"].as_str().unwrap()]);
    assert_eq!(revoked.code, 0, "{revoked:?}");
    let planned = ok(&team, 0, &["gateway", "import", "--dry-run"]);
    assert!(
        planned.out.contains("Keys to the gateway: 1 would"),
        "{planned:?}"
    );
    assert_eq!(keys_seen_by(&team, 1), serde_json::json!([]));
    ok(&team, 0, &["gateway", "import"]);
    assert_eq!(keys_seen_by(&team, 1).as_array().unwrap().len(), 1);
    assert_eq!(status(&team.gateway(1), key), 200);
}
