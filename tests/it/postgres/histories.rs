//! What the profiles held before, while rows are damaged and others change them.

use std::sync::atomic::{AtomicUsize, Ordering};

use openclaw::model::credential::Credential;
use openclaw::model::history::Generation;
use openclaw::model::id::AgentId;
use openclaw::ports::store::{Documents as _, History as _, HistoryListing, Store};

use super::put;
use crate::support::memory_store::{digest, oauth, profile};
use crate::support::postgres_node::Node;
use crate::support::postgres_server::Database;

fn listed(store: &impl Store) -> HistoryListing {
    store.history(&AgentId::main(), None).unwrap()
}

fn has(generations: &[Generation], refresh: &str) -> bool {
    let grant = Some(digest(refresh));
    generations.iter().any(|one| one.grant == grant)
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_history_that_cannot_be_read_is_set_aside_and_holds_up_no_login() {
    for damaged in ["sealed || '\\x00'::bytea", "'plain'::bytea", "''::bytea"] {
        let database = Database::new();
        let node = Node::on(&database);
        let store = node.open();
        put(&store, "rt-1");
        database.sql(&format!("UPDATE openclaw.history SET sealed = {damaged}"));
        let kept = listed(&store);
        assert!(kept.histories.is_empty(), "{damaged}");
        assert_eq!(kept.faults.len(), 1, "{damaged}: {:?}", kept.faults);
        assert!(kept.faults[0].contains(profile().as_str()), "{damaged}");

        let written = store.update(&AgentId::main(), &mut |doc| {
            doc.put(profile(), Credential::OAuth(oauth("rt-2")))
        });
        let faults = written.unwrap().faults;
        assert_eq!(faults.len(), 1, "{damaged}: {faults:?}");
        assert!(faults[0].contains("was set aside"), "{damaged}: {faults:?}");
        let kept = listed(&store);
        let saved = kept.histories[0].saved.as_ref().unwrap();
        assert_eq!(saved.grant(), Some(digest("rt-2")), "{damaged}");
        assert!(has(&kept.histories[0].generations, "rt-1"), "{damaged}");

        let aside = "SELECT count(*) FROM openclaw.history_set_aside";
        assert_eq!(database.value(aside), "1", "{damaged}");
        let main = AgentId::main();
        store.clear_history(&main, Some(&profile())).unwrap();
        assert_eq!(database.value(aside), "0", "{damaged}");
        assert!(listed(&store).histories.is_empty(), "{damaged}");
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_went_to_another_machine_leaves_every_history() {
    let database = Database::new();
    let node = Node::on(&database);
    let store = node.open();
    for refresh in ["rt-1", "rt-2", "rt-3"] {
        put(&store, refresh);
    }
    let main = AgentId::main();
    store.strip_history(&main, &[digest("rt-9")]).unwrap();
    let before = listed(&store).histories.remove(0);
    assert!(before.generations.iter().all(|one| !one.is_bare));
    assert!(before.saved.is_some());
    let gone = [digest("rt-1"), digest("rt-3")];
    store.strip_history(&main, &gone).unwrap();
    let after = listed(&store).histories.remove(0);
    assert_eq!(after.saved, None);
    let bare: Vec<_> = after.generations.iter().map(|one| one.is_bare).collect();
    assert_eq!(bare, [false, true]);
}

/// A change that read a history before it was cleared must not bring it back.
#[test]
#[ignore = "needs PostgreSQL"]
fn what_was_cleared_stays_away_while_others_change_the_profile() {
    const LAST: usize = 60;
    let database = Database::new();
    let node = Node::on(&database);
    let (store, other) = (node.open(), node.open());
    put(&store, "rt-0");
    let stored = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for number in 1..=LAST {
                put(&store, &format!("rt-{number}"));
                stored.store(number, Ordering::SeqCst);
            }
        });
        while !writer.is_finished() {
            let replaced = stored.load(Ordering::SeqCst);
            other.clear_history(&AgentId::main(), None).unwrap();
            for history in listed(&other).histories {
                for number in 0..replaced {
                    let refresh = format!("rt-{number}");
                    assert!(!has(&history.generations, &refresh), "{refresh} is back");
                }
            }
        }
    });
}

/// A machine that is stopped holds its locks until the server ends its transaction: others wait for
/// that, and are not refused.
#[test]
#[ignore = "needs PostgreSQL"]
fn a_change_outwaits_a_lock_that_is_held_for_long() {
    let database = Database::new();
    let node = Node::on(&database);
    let store = node.open();
    put(&store, "rt-1");
    let held = "SELECT count(*) FROM pg_locks WHERE granted AND mode = 'ExclusiveLock' \
        AND relation = 'openclaw.agent'::regclass";
    std::thread::scope(|scope| {
        // Longer than a statement waits for a lock.
        let stop = "BEGIN; LOCK openclaw.agent IN EXCLUSIVE MODE; SELECT pg_sleep(4); COMMIT";
        let stopped = scope.spawn(|| database.sql(stop));
        while database.value(held) == "0" && !stopped.is_finished() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        store.clear_history(&AgentId::main(), None).unwrap();
        put(&store, "rt-2");
    });
    let generations = listed(&store).histories.remove(0).generations;
    assert!(has(&generations, "rt-1"));
}
