//! What is owed about grants: their locks, their journal, and answers that are in no document yet.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use openclaw::model::grant::{GrantRecord, RefreshOutcome};
use openclaw::model::id::{AgentId, ProviderId};
use openclaw::model::secret::Secret;
use openclaw::ports::lock::Wait;
use openclaw::ports::store::{GrantLock, GrantLocks as _, Journal as _, Store, StoreError, Waited};

use super::{Backend, NOW, SOON, held, main, put, reserve, take};
use crate::support::memory_store::{self, ANSWER, digest, oauth, profile};

pub(super) fn a_grant_lock_excludes_and_a_drop_frees_it_and_wakes_all<B: Backend>() {
    let backend = B::new();
    let (store, other) = (backend.open(), backend.open());
    put(&store, &main(), &profile(), "rt-1");
    let lock = take(&store, "rt-1");
    let again = other.try_lock_grant(&digest("rt-1")).unwrap();
    assert!(matches!(again, GrantLock::Taken { .. }));
    drop(take(&other, "rt-2"));
    let none = Wait::uninterrupted(Duration::ZERO);
    let waited = other.await_grant(&digest("rt-1"), &none).unwrap();
    assert!(matches!(waited, Waited::TimedOut { .. }), "{waited:?}");

    let woken = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let waited = backend_wait(&other);
                assert_eq!(waited, Waited::Released);
                woken.fetch_add(1, Ordering::SeqCst);
            });
        }
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(woken.load(Ordering::SeqCst), 0);
        drop(lock);
    });
    assert_eq!(woken.load(Ordering::SeqCst), 4);
    drop(take(&other, "rt-1"));
}

fn backend_wait(store: &impl Store) -> Waited {
    store.await_grant(&digest("rt-1"), &SOON).unwrap()
}

pub(super) fn a_commit_moves_every_copy_and_a_spent_grant_names_its_successor<B: Backend>() {
    let backend = B::new();
    let (store, other) = (backend.open(), backend.open());
    let work = AgentId::normalise("work");
    for agent in [&main(), &work] {
        put(&store, agent, &profile(), "rt-1");
    }
    let mut reserved = reserve(take(&store, "rt-1")).unwrap();
    let begun = other.grant_record(&digest("rt-1")).unwrap().unwrap();
    let attempt = begun.attempt.expect("written down before it is sent");
    assert_eq!((attempt.begun_at, attempt.outcome), (NOW, None));
    assert!(matches!(
        other.try_lock_grant(&digest("rt-1")).unwrap(),
        GrantLock::Taken { .. }
    ));
    reserved.save(&Secret::new(ANSWER.to_vec()));
    assert_eq!(other.pending_answers().unwrap(), [digest("rt-1")]);
    let changed = reserved.commit(&oauth("rt-2"), NOW).unwrap();

    assert_eq!(changed, [main(), work.clone()]);
    assert_eq!(held(&other, &main(), &profile()).unwrap(), "rt-2");
    assert_eq!(held(&other, &work, &profile()).unwrap(), "rt-2");
    assert_eq!(other.pending_answers().unwrap(), []);
    let old = other.grant_record(&digest("rt-1")).unwrap().unwrap();
    assert_eq!(old.successor(), Some(digest("rt-2")));
    assert!(other.is_spent(&digest("rt-1")).unwrap());
    assert!(!other.is_spent(&digest("rt-2")).unwrap());
    let new = other.grant_record(&digest("rt-2")).unwrap().unwrap();
    assert_eq!(new.proven_at, Some(NOW));
    match other.try_lock_grant(&digest("rt-1")).unwrap() {
        GrantLock::Spent { successor } => assert_eq!(successor, digest("rt-2")),
        GrantLock::Held(_) | GrantLock::Taken { .. } => panic!("it is spent"),
    }
    drop(take(&other, "rt-2"));
}

pub(super) fn a_saved_answer_outlives_its_process_and_is_committed_once<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    put(&store, &main(), &profile(), "rt-1");
    let mut reserved = reserve(take(&store, "rt-1")).unwrap();
    reserved.save(&Secret::new(ANSWER.to_vec()));
    // Killed here.
    drop(reserved);

    let next = backend.open();
    assert_eq!(next.pending_answers().unwrap(), [digest("rt-1")]);
    for _ in 0..2 {
        let lock = next.try_lock_grant(&digest("rt-1")).unwrap();
        let Some(held) = memory_store::held(lock) else {
            // The second time round.
            break;
        };
        let answer = held.saved().unwrap().unwrap();
        assert_eq!(answer.body.expose(), ANSWER);
        assert_eq!(
            (&answer.refresh.agent, &answer.refresh.profile),
            (&main(), &profile())
        );
        let resumed = held.resume(&answer).unwrap();
        assert_eq!(resumed.commit(&oauth("rt-2"), NOW).unwrap(), [main()]);
    }
    assert_eq!(held(&next, &main(), &profile()).unwrap(), "rt-2");
    assert_eq!(next.pending_answers().unwrap(), []);
}

pub(super) fn a_settled_refresh_touches_no_document<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    put(&store, &main(), &profile(), "rt-1");
    let reserved = reserve(take(&store, "rt-1")).unwrap();
    let outcome = RefreshOutcome::Passing {
        reason: "down".into(),
        retry_at: None,
    };
    reserved.settle(&outcome, NOW).unwrap();
    let other = backend.open();
    let record = other.grant_record(&digest("rt-1")).unwrap().unwrap();
    let attempt = record.attempt.unwrap();
    assert_eq!((attempt.outcome, attempt.failures), (Some(outcome), 1));
    assert_eq!(held(&other, &main(), &profile()).unwrap(), "rt-1");
    assert_eq!(other.pending_answers().unwrap(), []);
    drop(take(&other, "rt-1"));
}

pub(super) fn a_newer_wish_wins_over_a_refresh<B: Backend>() {
    let backend = B::new();
    let (store, other) = (backend.open(), backend.open());
    put(&store, &main(), &profile(), "rt-1");
    let reserved = reserve(take(&store, "rt-1")).unwrap();
    put(&other, &main(), &profile(), "rt-9");
    assert_eq!(reserved.commit(&oauth("rt-2"), NOW).unwrap(), []);
    assert_eq!(held(&other, &main(), &profile()).unwrap(), "rt-9");

    put(&store, &main(), &profile(), "rt-3");
    let lock = take(&store, "rt-3");
    put(&other, &main(), &profile(), "rt-10");
    assert!(matches!(reserve(lock), Err(StoreError::Conflict { .. })));
}

pub(super) fn a_login_is_written_down<B: Backend>() {
    let backend = B::new();
    let (store, other) = (backend.open(), backend.open());
    assert_eq!(other.grant_record(&digest("rt-1")).unwrap(), None);
    assert!(!other.is_spent(&digest("rt-1")).unwrap());
    let provider = ProviderId::parse("openai-codex").unwrap();
    let mut record = GrantRecord::new(digest("rt-1"), &provider, &profile());
    record.binding = Some(memory_store::pending().binding);
    record.proven_at = Some(NOW);
    store.record_login(&record).unwrap();
    assert_eq!(other.grant_record(&digest("rt-1")).unwrap(), Some(record));
    assert!(!other.is_spent(&digest("rt-1")).unwrap());
    drop(take(&other, "rt-1"));
}

pub(super) fn an_exclusion_ends_when_it_is_dropped<B: Backend>() {
    let backend = B::new();
    let (store, other) = (backend.open(), backend.open());
    put(&store, &main(), &profile(), "rt-1");
    let lock = take(&store, "rt-1");
    assert!(other.is_locked(&digest("rt-1")));
    let exclusion = lock.exclude(&memory_store::pending(), &SOON).unwrap();
    drop(exclusion);
    drop(lock);
    assert!(!other.is_locked(&digest("rt-1")));
    assert_eq!(held(&other, &main(), &profile()).unwrap(), "rt-1");
    drop(reserve(take(&other, "rt-1")).unwrap());
}
