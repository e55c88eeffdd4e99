//! Gateways on one database: whoever has a key may ask any of them, and none once it is revoked.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::postgres_node::Node;
use crate::support::postgres_server::{Database, PostgresServer};
use crate::support::running_gateway::Gateway;
use crate::support::{Ran, World, ran};

const STATUS: &str = "/v1/auth/openai/status";

/// Two machines that use one database.
struct Machines {
    database: Database,
    worlds: [World; 2],
}

impl Machines {
    fn new() -> Self {
        Self::on(Database::new())
    }

    fn on(database: Database) -> Self {
        Node::on(&database);
        let worlds = [(), ()].map(|()| {
            let world = World::new();
            world.write("database-url", &database.url());
            world.write("database.key", &"07".repeat(32));
            world
        });
        Self { database, worlds }
    }

    fn command(&self, machine: usize, args: &[&str]) -> Command {
        let world = &self.worlds[machine];
        let mut command = world.command(args);
        let file = |name: &str| world.state().join(name);
        command
            .env("OPENCLAW_DATABASE_URL_FILE", file("database-url"))
            .env("GOCLAW_ENCRYPTION_KEY_FILE", file("database.key"));
        command
    }

    fn run(&self, machine: usize, args: &[&str]) -> Ran {
        let ran = ran(self.command(machine, args).output().unwrap());
        assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
        ran
    }

    fn gateway(&self, machine: usize) -> Gateway {
        Gateway::of(self.command(machine, &["gateway", "run", "--listen", "127.0.0.1:0"]))
    }

    /// Makes a key: its text, and its id.
    fn add_key(&self, machine: usize, options: &[&str]) -> (String, String) {
        let args = [&["gateway", "key", "add", "--json"], options].concat();
        let made: Value = serde_json::from_str(&self.run(machine, &args).out).unwrap();
        let member = |name: &str| made[name].as_str().unwrap().to_owned();
        (member("key"), member("id"))
    }

    fn listed(&self, machine: usize) -> Value {
        let listed = self.run(machine, &["gateway", "key", "list", "--json"]);
        let mut listed: Value = serde_json::from_str(&listed.out).unwrap();
        listed["keys"].take()
    }
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
    let machines = Machines::new();
    let gateways = [0, 1].map(|machine| machines.gateway(machine));
    let (key, id) = machines.add_key(0, &["--name", "dashboard"]);
    // At once, and nobody was told.
    for gateway in &gateways {
        assert_eq!(status(gateway, &key), 200);
    }
    assert_eq!(machines.listed(1)[0]["name"], "dashboard");
    let file = |world: &World| world.state().join("gateway/keys.json");
    assert!(!machines.worlds.iter().any(|world| file(world).exists()));
    assert!(!machines.database.dump().contains(&key["ock_".len()..]));

    machines.run(1, &["gateway", "key", "revoke", &id]);
    for gateway in &gateways {
        until(gateway, &key, 401);
    }
    let listed = machines.listed(0);
    assert_eq!(listed[0]["state"], "revoked");
    // Once more is no failure, and does not move the time.
    machines.run(0, &["gateway", "key", "revoke", &id]);
    assert_eq!(machines.listed(0), listed);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_key_of_a_gateway_is_made_and_revoked_by_another() {
    let machines = Machines::new();
    let gateways = [0, 1].map(|machine| machines.gateway(machine));
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
    let machines = Machines::new();
    let gateway = machines.gateway(0);
    let (viewer, _) = machines.add_key(0, &["--role", "viewer"]);
    let (admin, id) = machines.add_key(0, &["--role", "admin"]);
    assert_eq!(status(&gateway, &viewer), 200);
    // The row of one key in the place of another, and one that nobody sealed.
    machines.database.sql(&format!(
        "INSERT INTO openclaw.access_key (tenant, id, sealed)
            SELECT tenant, 'moved', sealed FROM openclaw.access_key WHERE id = '{id}';
        INSERT INTO openclaw.access_key (tenant, id, sealed) VALUES ('main', 'made', '\\x01')"
    ));
    machines.run(0, &["gateway", "key", "revoke", &id]);
    until(&gateway, &admin, 401);
    assert_eq!(status(&gateway, &viewer), 200);
    let listed = machines.run(0, &["gateway", "key", "list"]);
    assert!(
        listed.err.contains("moved") && listed.err.contains("made"),
        "{listed:?}"
    );
    assert_eq!(machines.listed(0).as_array().unwrap().len(), 2);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_known_key_outlives_its_database_and_an_unknown_one_is_not_called_wrong() {
    // Its server is stopped.
    let machines = Machines::on(PostgresServer::durable().database());
    let server = &machines.database.server;
    let [here, other] = [0, 1].map(|machine| machines.gateway(machine));
    let (key, _) = machines.add_key(0, &[]);
    until(&here, &key, 200);
    server.stop();
    let (unknown, gone) = (format!("ock_{}", "0".repeat(64)), 503);
    until(&other, &unknown, gone);
    assert_ne!(status(&here, &key), 401);
    server.start();
    until(&other, &key, 200);
    until(&other, &unknown, 401);
    drop((here, other));
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_ended_long_ago_goes_when_a_key_is_made() {
    let machines = Machines::new();
    let (_, old) = machines.add_key(0, &[]);
    machines.add_key(0, &[]);
    machines.database.sql(&format!(
        "UPDATE openclaw.access_key SET stops_at = clock_timestamp() - interval '91 days'
            WHERE id = '{old}'"
    ));
    let (_, new) = machines.add_key(1, &[]);
    let listed = machines.listed(0);
    assert_eq!(listed.as_array().unwrap().len(), 2, "{listed}");
    assert_ne!(listed[0]["id"], old);
    assert_eq!(listed[1]["id"], new);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn keys_stay_good_under_another_key_of_the_database() {
    let machines = Machines::new();
    let (key, _) = machines.add_key(0, &[]);
    for world in &machines.worlds {
        world.write("new.key", &"08".repeat(32));
    }
    let new = machines.worlds[0].state().join("new.key");
    machines.run(
        0,
        &["gateway", "rekey", "--new-key-file", new.to_str().unwrap()],
    );
    for world in &machines.worlds {
        world.write("database.key", &"08".repeat(32));
    }
    assert_eq!(status(&machines.gateway(1), &key), 200);
}
