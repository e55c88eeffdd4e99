//! What lies in the tables: nothing that could be read without the key, and nothing that a wrong
//! program, key or place would take for its own.

use openclaw::model::credential::Credential;
use openclaw::model::id::{AgentId, ProfileId};
use openclaw::model::profiles::AuthProfiles;
use openclaw::model::secret::Secret;
use openclaw::ports::database::{Database as _, Tables};
use openclaw::ports::store::{Documents as _, History as _, Scope, Store, StoreError};
use openclaw::postgres::store::PostgresStore;

use super::{REFUSED, put, refresh_token, take};
use crate::support::memory_store::{PATIENCE, oauth, pending, profile};
use crate::support::postgres_node::Node;
use crate::support::postgres_server::Database;

fn load(store: &impl Store) -> Result<AuthProfiles, StoreError> {
    store.load(&AgentId::main(), Scope::All)
}

/// A database with one login, and a machine that uses it.
fn with_login() -> (Database, Node) {
    let database = Database::new();
    let node = Node::on(&database);
    put(&node.open(), "rt-1");
    (database, node)
}

#[test]
#[ignore = "needs PostgreSQL"]
fn no_secret_is_in_a_dump_or_in_a_file_of_the_machine() {
    let (database, node) = with_login();
    let store = node.open();
    for refresh in ["rt-MARKER-1", "rt-MARKER-2"] {
        put(&store, refresh);
    }
    let history = store.history(&AgentId::main(), None).unwrap();
    assert_eq!(history.histories[0].generations.len(), 2);
    let held = take(&store, "rt-MARKER-2");
    let mut reserved = held.reserve(&pending(), &PATIENCE).unwrap();
    let answer = Secret::new(br#"{"access_token":"at-MARKER"}"#.to_vec());
    reserved.save(&answer);

    let dump = database.dump();
    assert!(dump.contains(profile().as_str()), "{dump}");
    assert!(!dump.contains("MARKER"), "{dump}");
    let mut saved = 0;
    for path in files_below(&node.rescue()) {
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(6).any(|part| part == b"MARKER"), "{path:?}");
        saved += usize::from(path.extension().is_some_and(|it| it == "answer"));
    }
    assert_eq!(saved, 1);
}

fn files_below(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => files_below(&path),
            false => vec![path],
        })
        .collect()
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_row_opens_nowhere_but_in_its_place() {
    for moved in [
        "UPDATE openclaw.credential SET profile = 'openai-codex:other'",
        "UPDATE openclaw.credential SET agent = 'work'",
        "UPDATE openclaw.credential SET sealed = sealed || '\\x00'::bytea",
        "UPDATE openclaw.credential SET sealed = 'aes-gcm:'::bytea || sealed",
        "UPDATE openclaw.credential SET sealed = '{\"type\":\"oauth\"}'::bytea",
    ] {
        let (database, node) = with_login();
        let store = node.open();
        let work = AgentId::normalise("work");
        store
            .update(&work, &mut |doc| {
                doc.order.push(("acme".into(), vec![]));
                true
            })
            .unwrap();
        database.sql(moved);
        let agent = match moved.contains("'work'") {
            true => work,
            false => AgentId::main(),
        };
        let doc = store.load(&agent, Scope::All).unwrap();
        assert_eq!(
            (doc.profiles().count(), doc.entries().len()),
            (0, 1),
            "{moved}"
        );
        // It stays what it is beside what others store.
        let sealed = "SELECT sealed FROM openclaw.credential ORDER BY position LIMIT 1";
        let before = database.value(sealed);
        let added = ProfileId::parse("openai-codex:added").unwrap();
        let change = store.update(&agent, &mut |doc| {
            doc.put(added.clone(), Credential::OAuth(oauth("rt-9")))
        });
        assert_eq!(change.unwrap().profiles().count(), 1, "{moved}");
        assert_eq!(database.value(sealed), before, "{moved}");
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn another_key_reads_and_changes_nothing() {
    let (database, node) = with_login();
    let before = database.dump();
    let store = node.open_with(8);
    let error = load(&store).unwrap_err();
    assert!(error.to_string().contains("another key"), "{error}");
    let change = &mut |doc: &mut AuthProfiles| doc.remove(&profile()).is_some();
    assert!(store.update(&AgentId::main(), change).is_err());
    assert!(store.check_writable(&AgentId::main()).is_err());
    assert_eq!(store.check().unwrap().is_key_right, Some(false));
    assert_eq!(database.dump(), before);
    assert_eq!(refresh_token(&node.open()).unwrap(), "rt-1");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn tables_of_a_later_release_are_used_only_if_it_allows_that() {
    let later = |lowest: u8| {
        format!(
            "INSERT INTO openclaw.schema_version (version, name, checksum, min_reader, min_writer) \
             VALUES (1000, 'later', 'x', {lowest}, {lowest})"
        )
    };
    let (database, node) = with_login();
    database.sql(&later(1));
    assert_eq!(node.open().check().unwrap().tables, Tables::Ready);
    put(&node.open(), "rt-2");
    assert_eq!(refresh_token(&node.open()).unwrap(), "rt-2");

    let (database, node) = with_login();
    database.sql(&later(100));
    let before = database.dump();
    let store = node.open();
    assert_eq!(store.check().unwrap().tables, Tables::Ahead);
    let error = load(&store).unwrap_err().to_string();
    assert!(error.contains("a later release"), "{error}");
    assert!(store.migrate().is_err());
    assert_eq!(database.dump(), before);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn migrations_are_applied_once_however_many_begin() {
    let database = Database::new();
    let nodes: Vec<Node> = (0..8)
        .map(|_| Node::unprepared(&database, database.url()))
        .collect();
    let error = load(&nodes[0].open()).unwrap_err();
    assert!(error.to_string().contains("no tables"), "{error}");
    assert_eq!(nodes[0].open().check().unwrap().tables, Tables::Missing);
    let stores: Vec<PostgresStore> = nodes.iter().map(Node::open).collect();
    let mut applied = std::thread::scope(|scope| {
        let migrations = stores.iter().map(|store| scope.spawn(|| store.migrate()));
        let begun: Vec<_> = migrations.collect();
        let ended = begun.into_iter().map(|migration| migration.join().unwrap());
        ended.map(Result::unwrap).collect::<Vec<_>>()
    });
    applied.sort_by_key(Vec::len);
    let (last, others) = applied.split_last().unwrap();
    assert!(!last.is_empty());
    let by_others: usize = others.iter().map(Vec::len).sum();
    let count = "SELECT count(*) FROM openclaw.schema_version";
    assert_eq!(database.value(count), (last.len() + by_others).to_string());
    assert_eq!(stores[0].migrate().unwrap(), Vec::<String>::new());
    put(&stores[1], "rt-1");
    assert_eq!(refresh_token(&stores[2]).unwrap(), "rt-1");
    assert_eq!(
        database.value("SELECT count(*) FROM openclaw.deployment"),
        "1"
    );
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_change_is_made_again_on_what_somebody_else_stored_meanwhile() {
    let (_database, node) = with_login();
    let (store, other) = (node.open(), node.open());
    let mut seen = Vec::new();
    let changed = store.update(&AgentId::main(), &mut |doc| {
        let now = doc.get(&profile()).and_then(Credential::as_oauth).unwrap();
        seen.push(now.refresh_token().unwrap().expose().clone());
        if seen.len() == 1 {
            put(&other, "rt-2");
        }
        doc.extra.set(
            "times",
            openclaw::model::json::Verbatim::new(seen.len().to_string()),
        );
        true
    });
    changed.unwrap();
    assert_eq!(seen, ["rt-1", "rt-2"]);
    let doc = load(&other).unwrap();
    assert_eq!(doc.extra.get("times"), Some("2"));
    assert_eq!(refresh_token(&other).unwrap(), "rt-2");
}

/// Nobody can write who may not: what the role of the program lacks is told with what to do.
#[test]
#[ignore = "needs PostgreSQL"]
fn a_role_that_may_only_read_is_told_so_before_anything_is_spent() {
    let (database, node) = with_login();
    database.sql("REVOKE INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA openclaw FROM openclaw");
    let store = node.open();
    assert!(store.check_writable(&AgentId::main()).is_err());
    let error = store.update(&AgentId::main(), &mut |doc| {
        doc.put(profile(), Credential::OAuth(oauth("rt-2")))
    });
    let error = error.unwrap_err().to_string();
    assert!(error.contains(REFUSED), "{error}");
    let kept = database.value("SELECT count(*) FROM openclaw.credential");
    assert_eq!(kept, "1");
}
