//! How refreshes end that meet something else, and what keeps a key from being changed.

use std::time::{Duration, Instant};

use openclaw::model::credential::{Credential, OAuth};
use openclaw::model::grant::GrantRecord;
use openclaw::model::id::{AgentId, ProviderId};
use openclaw::model::seal::DataKey;
use openclaw::model::secret::Secret;
use openclaw::model::time::Timestamp;
use openclaw::ports::database::{Database as _, Rekeyed};
use openclaw::ports::store::{
    Documents as _, GrantLock, GrantLocks as _, Journal as _, Reserved, Scope, Store, StoreError,
};

use super::{put, refresh_token, take};
use crate::support::memory_store::{ANSWER, PATIENCE, START, digest, oauth, pending, profile};
use crate::support::postgres_node::{KEY, Node};
use crate::support::postgres_server::Database;

const NOW: Timestamp = Timestamp(START as i64);

fn answered(store: &impl Store) -> Box<dyn Reserved + '_> {
    let lock = take(store, "rt-1");
    let mut reserved = lock.reserve(&pending(), &PATIENCE).unwrap();
    reserved.save(&Secret::new(ANSWER.to_vec()));
    reserved
}

fn with_access(access: &str) -> OAuth {
    OAuth {
        access: Some(Secret::from(access)),
        ..oauth("rt-1")
    }
}

fn access(store: &impl Store) -> String {
    let doc = store.load(&AgentId::main(), Scope::All).unwrap();
    let login = doc.get(&profile()).unwrap().as_oauth().unwrap();
    login.access.as_ref().unwrap().expose().clone()
}

fn key(byte: u8) -> DataKey {
    DataKey::new(Secret::new(vec![byte; 32])).unwrap()
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_grant_that_does_not_rotate_is_stored_once() {
    let database = Database::new();
    let [here, there] = [(), ()].map(|()| Node::on(&database));
    put(&here.open(), "rt-1");
    let store = here.open();
    answered(&store).commit(&with_access("at-2"), NOW).unwrap();
    let other = there.open();
    answered(&other).commit(&with_access("at-3"), NOW).unwrap();
    // The next commands of each machine.
    for node in [&here, &there, &here] {
        let store = node.open();
        assert_eq!(store.pending_answers().unwrap(), []);
        assert_eq!(access(&store), "at-3");
    }
}

/// A record as somebody read it, with where its grant came from written into it.
fn bound(read: Option<GrantRecord>) -> GrantRecord {
    let binding = Some(pending().binding);
    let provider = ProviderId::parse("openai-codex").unwrap();
    let read = read.unwrap_or_else(|| GrantRecord::new(digest("rt-1"), &provider, &profile()));
    GrantRecord { binding, ..read }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_record_that_is_older_than_what_is_known_is_not_written() {
    let database = Database::new();
    let [here, there] = [(), ()].map(|()| Node::on(&database));
    put(&here.open(), "rt-1");
    let (store, other) = (here.open(), there.open());
    let record = || other.grant_record(&digest("rt-1")).unwrap();
    let is_refused = |record: &GrantRecord| {
        let written = other.record_login(record);
        matches!(written, Err(StoreError::Conflict { .. }))
    };
    let unsent = bound(record());
    other.record_login(&unsent).unwrap();
    let reserved = answered(&store);
    assert!(
        is_refused(&unsent),
        "the request that is under way is forgotten"
    );
    assert_ne!(record().unwrap().attempt, None);
    let sent = bound(record());
    other.record_login(&sent).unwrap();
    reserved.commit(&oauth("rt-2"), NOW).unwrap();
    assert!(is_refused(&sent), "a grant that is spent looks unspent");
    assert!(other.is_spent(&digest("rt-1")).unwrap());
    assert_eq!(record().unwrap().successor(), Some(digest("rt-2")));
}

#[test]
#[ignore = "needs PostgreSQL"]
fn an_answer_that_cannot_be_stored_yet_keeps_other_machines_away() {
    let database = Database::new();
    let [here, there] = [(), ()].map(|()| Node::on(&database));
    put(&here.open(), "rt-1");
    let (store, other) = (here.open(), there.open());
    // Killed with its answer.
    drop(answered(&store));
    database.sql(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'not now'; END $$;
         CREATE TRIGGER refuse BEFORE UPDATE ON openclaw.credential
            FOR EACH ROW EXECUTE FUNCTION refuse()",
    );
    for _ in 0..2 {
        let lock = take(&store, "rt-1");
        let answer = lock.saved().unwrap().unwrap();
        let stored = lock.resume(&answer).unwrap().commit(&oauth("rt-2"), NOW);
        assert!(
            matches!(stored, Err(StoreError::NotStored { .. })),
            "{stored:?}"
        );
        let lock = other.try_lock_grant(&digest("rt-1")).unwrap();
        assert!(matches!(lock, GrantLock::Taken { .. }), "it is spent");
    }
    database.sql("DROP TRIGGER refuse ON openclaw.credential");
    let lock = take(&store, "rt-1");
    let answer = lock.saved().unwrap().unwrap();
    let stored = lock.resume(&answer).unwrap().commit(&oauth("rt-2"), NOW);
    assert_eq!(stored.unwrap(), [AgentId::main()]);
    assert_eq!(refresh_token(&other).unwrap(), "rt-2");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_login_that_is_removed_while_a_commit_waits_is_not_stored() {
    let database = Database::new();
    let here = Node::on(&database);
    put(&here.open(), "rt-1");
    let store = here.open();
    let reserved = answered(&store);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            database.sql(
                "BEGIN; SELECT 1 FROM openclaw.agent FOR UPDATE; SELECT pg_sleep(1);
                 DELETE FROM openclaw.credential;
                 UPDATE openclaw.agent SET revision = revision + 1; COMMIT",
            )
        });
        let sleeps = "SELECT count(*) FROM pg_stat_activity \
            WHERE query LIKE '%pg_sleep(1)%' AND wait_event = 'PgSleep'";
        let begun = Instant::now();
        while database.value(sleeps) == "0" {
            assert!(begun.elapsed() < Duration::from_secs(60));
        }
        assert_eq!(reserved.commit(&oauth("rt-2"), NOW).unwrap(), []);
    });
    assert_eq!(refresh_token(&store), None);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn to_look_at_a_new_database_says_no_key_for_it() {
    let database = Database::new();
    let node = Node::on(&database);
    let looked = node.open_with(KEY + 1).check().unwrap();
    assert_eq!((looked.is_key_right, looked.is_notified), (None, None));
    put(&node.open(), "rt-1");
    let looked = node.open_with(KEY + 1).check().unwrap();
    assert_eq!(
        (looked.is_key_right, looked.is_notified),
        (Some(false), None)
    );
    assert_eq!(node.open().check().unwrap().is_notified, Some(true));
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_is_lost_or_damaged_keeps_no_key_from_being_changed() {
    let database = Database::new();
    let node = Node::on(&database);
    let store = node.open();
    put(&store, "rt-1");
    drop(take(&store, "rt-1").reserve(&pending(), &PATIENCE).unwrap());
    let named = store.rekey(&key(9)).unwrap_err().to_string();
    assert!(named.contains("openai-codex:default"), "{named}");
    // The login was replaced, and its machine never comes back.
    put(&node.open(), "rt-9");
    database.sql(
        "INSERT INTO openclaw.history (tenant, agent, profile, sealed)
            VALUES ('main', 'main', 'odd:one', '\\x01')",
    );
    assert!(store.rekey(&key(9)).unwrap().rows > 0);
    // As a command that was not told that it is done.
    assert_eq!(node.open().rekey(&key(9)).unwrap(), Rekeyed::default());
    assert!(node.open().load(&AgentId::main(), Scope::All).is_err());
    assert_eq!(refresh_token(&node.open_with(9)).unwrap(), "rt-9");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_damaged_row_locks_no_other_login_out_and_stays_until_it_is_replaced() {
    let database = Database::new();
    let node = Node::on(&database);
    put(&node.open(), "rt-1");
    let add = |name: &str| {
        let id = openclaw::model::id::ProfileId::parse(name).unwrap();
        let change = node.open().update(&AgentId::main(), &mut |doc| {
            doc.put(id.clone(), Credential::OAuth(oauth(name)))
        });
        change.unwrap();
    };
    add("openai-codex:second");
    database.sql("UPDATE openclaw.credential SET sealed = '\\x01' WHERE profile LIKE '%second'");
    assert_eq!(refresh_token(&node.open()).unwrap(), "rt-1");
    add("openai-codex:third");
    let sealed = "SELECT sealed FROM openclaw.credential WHERE profile LIKE '%second'";
    assert_eq!(database.value(sealed), "\\x01");
    add("openai-codex:second");
    let doc = node.open().load(&AgentId::main(), Scope::All).unwrap();
    assert_eq!(doc.profiles().count(), 3);
}
