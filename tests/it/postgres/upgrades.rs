//! Tables that an earlier release made: what is stored stays, and whoever worked with them goes on.

use openclaw::model::tenant::TenantId;
use openclaw::ports::database::{Database as _, Tables};

use super::{put, refresh_token};
use crate::support::postgres_node::Node;
use crate::support::postgres_server::Database;

/// The tables as a release made them that knew no tenants but `main`.
fn of_before() -> Database {
    let database = Database::new();
    let mut made = "SET ROLE openclaw; CREATE SCHEMA openclaw;
        CREATE TABLE openclaw.schema_version (version bigint PRIMARY KEY, name text NOT NULL,
            checksum text NOT NULL, min_reader bigint NOT NULL, min_writer bigint NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT clock_timestamp());"
        .to_owned();
    for (version, statements) in [
        include_str!("../../../src/postgres/migrations/0001_first.sql"),
        include_str!("../../../src/postgres/migrations/0002_shared.sql"),
        include_str!("../../../src/postgres/migrations/0003_logins.sql"),
        include_str!("../../../src/postgres/migrations/0004_page.sql"),
    ]
    .iter()
    .enumerate()
    {
        made.push_str(statements);
        made.push_str(&format!(
            "INSERT INTO openclaw.schema_version VALUES ({}, 'before', 'x', 1, 1);",
            version + 1
        ));
    }
    database.sql(&made);
    database
}

/// The same with a login in it, and a machine of its owner.
fn used_before() -> (Database, Node) {
    let newer = Database::new();
    put(&Node::on(&newer).open(), "rt-1");
    let database = of_before();
    for table in ["deployment", "agent", "credential"] {
        let rows = newer.sql(&format!(
            "SELECT format('INSERT INTO openclaw.{table} SELECT * FROM \
            jsonb_populate_record(NULL::openclaw.{table}, %L)', to_jsonb(t)) FROM openclaw.{table} t"
        ));
        for row in rows {
            database.sql(&row[0]);
        }
    }
    let node = Node::unprepared(&database, database.url());
    (database, node)
}

/// A role that owns nothing and was given by hand what a gateway needed before there were tenants.
fn hand_made(database: &Database, name: &str) -> (String, Node) {
    let role = database.role(name);
    database.sql(&format!(
        "GRANT USAGE ON SCHEMA openclaw TO {role};
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA openclaw TO {role}"
    ));
    let url = database.url_of(&role, database.server.port);
    (role, Node::unprepared(database, url))
}

#[test]
#[ignore = "needs PostgreSQL"]
fn logins_of_before_there_were_tenants_are_those_of_main() {
    let (database, node) = used_before();
    let store = node.open();
    assert_eq!(store.standing().unwrap().tables, Tables::Behind(2));
    assert_eq!(store.migrate().unwrap(), ["tenants", "committed"]);
    assert_eq!(refresh_token(&node.open()).unwrap(), "rt-1");
    put(&node.open(), "rt-2");
    assert_eq!(refresh_token(&node.open()).unwrap(), "rt-2");
    // What a release of before writes goes on being that of `main`.
    database.sql("INSERT INTO openclaw.node (id, name) VALUES ('n', 'before')");
    let whose = "SELECT tenant FROM openclaw.node WHERE id = 'n'";
    assert_eq!(database.value(whose), "main");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_role_that_owns_nothing_goes_on_with_what_it_had() {
    let (database, owner) = used_before();
    // It may write to everything, and is no gateway.
    let backup = database.role("backup");
    database.sql(&format!("GRANT pg_write_all_data TO {backup}"));
    let (role, node) = hand_made(&database, "gateway");
    owner.open().migrate().unwrap();
    assert_eq!(refresh_token(&node.open()).unwrap(), "rt-1");
    put(&node.open(), "rt-2");
    assert_eq!(refresh_token(&owner.open()).unwrap(), "rt-2");
    let whose = "SELECT role FROM openclaw.tenant WHERE id = 'main'";
    assert_eq!(database.value(whose), role);
    // As the release before does it.
    let before = "INSERT INTO openclaw.node (id, name) VALUES ('n', 'before') \
        ON CONFLICT (id) DO UPDATE SET name = 'before'";
    for _ in 0..2 {
        database.sql_as(&role, before).unwrap();
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn no_role_of_several_is_made_blind() {
    let (database, owner) = used_before();
    let (one, node) = hand_made(&database, "one");
    let (other, _) = hand_made(&database, "other");
    let refused = owner.open().migrate().unwrap_err().to_string();
    assert!(refused.contains(&format!("{one}, {other}")), "{refused}");
    let logins = "SELECT count(*) FROM openclaw.credential";
    for role in [&one, &other] {
        assert_eq!(database.sql_as(role, logins).unwrap(), [["1"]]);
    }
    database.sql(&format!(
        "REVOKE ALL ON ALL TABLES IN SCHEMA openclaw FROM {other}"
    ));
    owner.open().migrate().unwrap();
    assert_eq!(refresh_token(&node.open()).unwrap(), "rt-1");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_migration_that_is_interrupted_leaves_no_role_without_its_rights() {
    let database = Database::new();
    let node = Node::on(&database);
    let role = database.role("team_a");
    let tenant = TenantId::parse("team-a").unwrap();
    node.open().add_tenant(&tenant, Some(&role)).unwrap();
    database.sql(
        "DROP TABLE openclaw.committed;
        DELETE FROM openclaw.schema_version WHERE name = 'committed';
        CREATE FUNCTION interrupt() RETURNS event_trigger LANGUAGE plpgsql
            AS $$ BEGIN RAISE EXCEPTION 'interrupted'; END $$;
        CREATE EVENT TRIGGER interrupt ON ddl_command_start WHEN TAG IN ('GRANT')
            EXECUTE FUNCTION interrupt()",
    );
    let interrupted = node.open().migrate().unwrap_err().to_string();
    assert!(interrupted.contains("interrupted"), "{interrupted}");
    database.sql("DROP EVENT TRIGGER interrupt");
    assert_eq!(node.open().migrate().unwrap(), ["committed"]);
    let write = "INSERT INTO openclaw.committed (tenant, name) VALUES ('team-a', 'x')";
    database.sql_as(&role, write).unwrap();
}
