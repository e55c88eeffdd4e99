//! What is long over goes, and holds up nobody.

use openclaw::ports::database::Database as _;

use super::logins::until;
use super::put;
use crate::support::postgres_node::Node;
use crate::support::postgres_server::Database;

#[test]
#[ignore = "needs PostgreSQL"]
fn whoever_writes_takes_away_the_names_that_nobody_looks_for() {
    let database = Database::new();
    let store = Node::on(&database).open();
    put(&store, "rt-0");
    database.sql(
        "INSERT INTO openclaw.committed (tenant, name, at) \
        SELECT 'main', 'old-' || n, now() - interval '2 days' FROM generate_series(1, 20) n",
    );
    for number in 1..5 {
        put(&store, &format!("rt-{number}"));
    }
    let count = |which: &str| {
        database.value(&format!(
            "SELECT count(*) FROM openclaw.committed WHERE name {which} 'old-%'"
        ))
    };
    assert_eq!(count("LIKE"), "0");
    assert_ne!(count("NOT LIKE"), "0");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn changes_are_noted_while_what_is_over_cannot_be_removed() {
    let database = Database::new();
    let store = Node::on(&database).open();
    put(&store, "rt-0");
    let _held = database.hold("LOCK TABLE openclaw.grant_journal IN ACCESS EXCLUSIVE MODE");
    assert_eq!(store.revision().unwrap(), 0);
    until(|| store.revision().unwrap() > 0);
}
