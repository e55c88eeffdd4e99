//! Machines that share a grant: only one may spend it, whatever becomes of that one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use openclaw::model::audit::AuditEntry;
use openclaw::model::grant::RefreshOutcome;
use openclaw::model::id::AgentId;
use openclaw::model::secret::Secret;
use openclaw::model::time::Timestamp;
use openclaw::ports::database::Database as _;
use openclaw::ports::lock::Wait;
use openclaw::ports::store::{
    GrantLock, GrantLocks as _, Journal as _, Reserved, Store, StoreError, Waited,
};

use super::{put, refresh_token, take};
use crate::support::memory_store::{
    ANSWER, PATIENCE, START, digest, held, oauth, pending, profile,
};
use crate::support::postgres_node::Node;
use crate::support::postgres_server::Database;

const NOW: Timestamp = Timestamp(START as i64);

/// A database with one login, and two machines that use it.
struct Shared {
    database: Database,
    here: Node,
    there: Node,
}

impl Shared {
    fn new() -> Self {
        let database = Database::new();
        let [here, there] = [(), ()].map(|()| Node::on(&database));
        put(&here.open(), "rt-1");
        Self {
            database,
            here,
            there,
        }
    }

    /// Lets the lease of every grant have ended by now.
    fn end_leases(&self) {
        self.database
            .sql("UPDATE openclaw.grant_lease SET until = clock_timestamp() - interval '1 s'");
    }
}

fn reserve<'a>(store: &'a impl Store) -> Box<dyn Reserved + 'a> {
    let lock = take(store, "rt-1");
    // What was never answered is removed.
    assert!(lock.saved().unwrap().is_none());
    lock.reserve(&pending(), &PATIENCE).unwrap()
}

fn answer() -> Secret<Vec<u8>> {
    Secret::new(ANSWER.to_vec())
}

fn is_taken(store: &impl Store) -> bool {
    let lock = store.try_lock_grant(&digest("rt-1")).unwrap();
    matches!(lock, GrantLock::Taken { .. })
}

fn is_spent(store: &impl Store) -> bool {
    match store.try_lock_grant(&digest("rt-1")).unwrap() {
        GrantLock::Spent { successor } => successor == digest("rt-2"),
        GrantLock::Held(_) | GrantLock::Taken { .. } => false,
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_grant_that_another_machine_holds_is_taken_until_it_lets_go() {
    let shared = Shared::new();
    let (here, there) = (shared.here.open(), shared.there.open());
    let lock = take(&here, "rt-1");
    match there.try_lock_grant(&digest("rt-1")).unwrap() {
        GrantLock::Taken { owner } => assert!(owner.unwrap().contains("pid")),
        GrantLock::Held(_) | GrantLock::Spent { .. } => panic!("it is taken"),
    }
    assert!(there.is_locked(&digest("rt-1")));
    let none = Wait::uninterrupted(Duration::ZERO);
    let waited = there.await_grant(&digest("rt-1"), &none).unwrap();
    assert!(matches!(waited, Waited::TimedOut { .. }), "{waited:?}");
    let woken = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let waited = there.await_grant(&digest("rt-1"), &PATIENCE).unwrap();
                assert_eq!(waited, Waited::Released);
                woken.fetch_add(1, Ordering::SeqCst);
            });
        }
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(woken.load(Ordering::SeqCst), 0);
        drop(lock);
    });
    assert_eq!(woken.load(Ordering::SeqCst), 4);
    drop(take(&there, "rt-1"));
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_lease_that_ended_is_free_and_its_holder_can_begin_nothing() {
    let shared = Shared::new();
    let (here, there) = (shared.here.open(), shared.there.open());
    let late = take(&here, "rt-1");
    assert!(is_taken(&there));
    shared.end_leases();
    assert!(!there.is_locked(&digest("rt-1")));
    let lock = take(&there, "rt-1");
    let refused = late.reserve(&pending(), &PATIENCE);
    assert!(matches!(refused, Err(StoreError::Conflict { .. })));
    // What the late one gave back was not its own any more.
    assert!(here.is_locked(&digest("rt-1")));
    let mut reserved = lock.reserve(&pending(), &PATIENCE).unwrap();
    reserved.save(&answer());
    reserved.commit(&oauth("rt-2"), NOW).unwrap();
    assert!(is_spent(&here));
    assert_eq!(refresh_token(&here).unwrap(), "rt-2");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_request_that_may_be_under_way_is_never_overtaken() {
    let shared = Shared::new();
    let (here, there) = (shared.here.open(), shared.there.open());
    let mut reserved = reserve(&here);
    shared.end_leases();
    assert!(is_taken(&there));
    // Long ago, and its machine is seen all the time.
    let ago = "UPDATE openclaw.grant_lease SET sent_at = clock_timestamp() - interval '1 h'";
    shared.database.sql(ago);
    assert!(is_taken(&there));
    // Its machine is gone, and it is not long ago.
    let (ago, gone) = (
        "UPDATE openclaw.grant_lease SET sent_at = clock_timestamp() - interval '9 min'",
        "UPDATE openclaw.node SET seen_at = clock_timestamp() - interval '1 h'",
    );
    shared.database.sql(ago);
    shared.database.sql(gone);
    assert!(is_taken(&there));
    assert!(there.is_locked(&digest("rt-1")));
    reserved.save(&answer());
    reserved.commit(&oauth("rt-2"), NOW).unwrap();
    assert!(is_spent(&there));
    assert_eq!(refresh_token(&there).unwrap(), "rt-2");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn an_answer_that_comes_after_the_machine_was_given_up_is_stored() {
    let shared = Shared::new();
    let (here, there) = (shared.here.open(), shared.there.open());
    let mut slept = reserve(&here);
    let database = &shared.database;
    database.sql("UPDATE openclaw.grant_lease SET sent_at = clock_timestamp() - interval '1 h'");
    assert!(is_taken(&there));
    database.sql("UPDATE openclaw.node SET seen_at = clock_timestamp() - interval '1 h'");
    let tried = take(&there, "rt-1");
    let record = there.grant_record(&digest("rt-1")).unwrap().unwrap();
    assert_eq!(record.attempt.unwrap().outcome, None);
    let tried = tried.reserve(&pending(), &PATIENCE).unwrap();
    let outcome = RefreshOutcome::Unknown {
        reason: "no answer".into(),
    };
    tried.settle(&outcome, NOW).unwrap();

    slept.save(&answer());
    assert_eq!(
        slept.commit(&oauth("rt-2"), NOW).unwrap(),
        [AgentId::main()]
    );
    assert!(is_spent(&there));
    assert_eq!(refresh_token(&there).unwrap(), "rt-2");
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_machine_that_comes_back_goes_on_where_it_was_killed() {
    let shared = Shared::new();
    let there = shared.there.open();
    let killed = shared.here.open();
    // Before an answer came, and after one was saved.
    for is_answered in [false, true] {
        let mut reserved = reserve(&killed);
        if is_answered {
            reserved.save(&answer());
        }
        // Killed: the kernel gives up its locks, and nothing is written.
        drop(reserved);
        assert!(is_taken(&there), "{is_answered}");
        assert_eq!(there.pending_answers().unwrap(), []);
    }
    let back = shared.here.open();
    assert_eq!(back.pending_answers().unwrap(), [digest("rt-1")]);
    let lock = take(&back, "rt-1");
    let saved = lock.saved().unwrap().unwrap();
    assert_eq!(saved.body.expose(), ANSWER);
    assert_eq!(saved.refresh.profile, profile());
    let resumed = lock.resume(&saved).unwrap();
    resumed.commit(&oauth("rt-2"), NOW).unwrap();
    assert!(is_spent(&there));
    assert_eq!(refresh_token(&there).unwrap(), "rt-2");
    assert_eq!(back.pending_answers().unwrap(), []);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_commit_outlives_its_connections() {
    let shared = Shared::new();
    let (here, there) = (shared.here.open(), shared.there.open());
    let mut reserved = reserve(&here);
    reserved.save(&answer());
    assert!(shared.database.kill_backends() > 0);
    let changed = reserved.commit(&oauth("rt-2"), NOW).unwrap();
    assert_eq!(changed, [AgentId::main()]);
    assert!(is_spent(&there));
    assert_eq!(refresh_token(&there).unwrap(), "rt-2");
}

/// A standby may take over that has not seen what its predecessor told of.
#[test]
#[ignore = "needs PostgreSQL"]
fn a_commit_that_a_failover_loses_is_done_again() {
    let shared = Shared::new();
    let (here, there) = (shared.here.open(), shared.there.open());
    let mut reserved = reserve(&here);
    reserved.save(&answer());
    let database = &shared.database;
    database.sql(
        "CREATE TABLE credential_before AS TABLE openclaw.credential;
         CREATE TABLE lease_before AS TABLE openclaw.grant_lease;
         CREATE TABLE agent_before AS TABLE openclaw.agent",
    );
    reserved.commit(&oauth("rt-2"), NOW).unwrap();
    assert_eq!(refresh_token(&there).unwrap(), "rt-2");
    database.sql(
        "DELETE FROM openclaw.credential; DELETE FROM openclaw.grant_lease;
         INSERT INTO openclaw.credential TABLE credential_before;
         INSERT INTO openclaw.grant_lease TABLE lease_before;
         UPDATE openclaw.agent a SET revision = b.revision FROM agent_before b WHERE a.id = b.id",
    );
    database.kill_backends();
    assert_eq!(refresh_token(&there).unwrap(), "rt-1");
    assert_eq!(here.pending_answers().unwrap(), [digest("rt-1")]);
    let lock = take(&here, "rt-1");
    let saved = lock.saved().unwrap().unwrap();
    assert_eq!(saved.body.expose(), ANSWER);
    let resumed = lock.resume(&saved).unwrap();
    resumed.commit(&oauth("rt-2"), NOW).unwrap();
    assert!(is_spent(&there));
    assert_eq!(refresh_token(&there).unwrap(), "rt-2");
    assert_eq!(here.pending_answers().unwrap(), []);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn nothing_begins_where_an_answer_could_not_be_saved() {
    let shared = Shared::new();
    let here = shared.here.open();
    let lock = take(&here, "rt-1");
    let before = here.grant_record(&digest("rt-1")).unwrap();
    let deployment = std::fs::read_dir(shared.here.rescue()).unwrap();
    let deployment = deployment.map(|entry| entry.unwrap().path());
    let [deployment] = deployment.collect::<Vec<_>>().try_into().unwrap();
    let rescue = deployment.join("rescue");
    let _ = std::fs::remove_dir_all(&rescue);
    std::fs::write(&rescue, "a file in the way of a directory").unwrap();
    let refused = lock.reserve(&pending(), &PATIENCE);
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    assert_eq!(here.grant_record(&digest("rt-1")).unwrap(), before);
    // Another machine can.
    let there = shared.there.open();
    let lock = held(there.try_lock_grant(&digest("rt-1")).unwrap());
    assert!(lock.is_some());
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_is_added_to_the_audit_again_is_there_once() {
    let shared = Shared::new();
    let store = shared.here.open();
    let entries = [AuditEntry::new(
        Timestamp(4_000_000_000_000),
        "gateway",
        "logged out",
    )];
    for name in ["one", "one", "other"] {
        store.append_audit(name, &entries).unwrap();
    }
    let count = "SELECT count(*) FROM openclaw.audit";
    assert_eq!(shared.database.value(count), "2");
}
