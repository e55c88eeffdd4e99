//! What every backend of the store owes, whatever it rests on. Written once: a backend is a
//! [`Backend`], and `contract!` makes the tests of it. Run on files in memory and on the disk.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use openclaw::model::credential::Credential;
use openclaw::model::grant::{Binding, RefreshOutcome};
use openclaw::model::history::Cause;
use openclaw::model::id::{AgentId, ProfileId, ProviderId};
use openclaw::model::profiles::AuthProfiles;
use openclaw::model::secret::Secret;
use openclaw::model::time::Timestamp;
use openclaw::ports::lock::Wait;
use openclaw::ports::store::{
    Documents as _, GrantLock, GrantLocks as _, Held, History as _, Journal as _, PendingRefresh,
    Reserved, Scope, Store, StoreError, Waited,
};
use openclaw::store::file::FileStore;
use openclaw::store::paths::StorePaths;
use openclaw::sys::clock::SystemClock;
use openclaw::sys::files::SystemFiles;
use openclaw::testing::files::MemoryFiles;

use crate::support::memory_store::{self, ANSWER, Still, digest, oauth, profile, store_with};

/// Something that stores can be opened on.
trait Backend {
    type Store: Store;

    /// A store with nothing in it.
    fn new() -> Self;

    /// A store as another process would open it on the same data.
    fn open(&self) -> Self::Store;
}

const NOW: Timestamp = Timestamp(1_790_000_000_000);
const SOON: Wait<'static> = Wait::uninterrupted(Duration::from_secs(20));

fn main() -> AgentId {
    AgentId::main()
}

fn put(store: &impl Store, agent: &AgentId, profile: &ProfileId, refresh: &str) {
    let mut change = |doc: &mut AuthProfiles| {
        assert!(doc.put(profile.clone(), Credential::OAuth(oauth(refresh))));
        true
    };
    store.update(agent, &mut change).unwrap();
}

/// The refresh token of a profile.
fn held(store: &impl Store, agent: &AgentId, profile: &ProfileId) -> Option<String> {
    let doc = store.load(agent, Scope::Profile(profile)).unwrap();
    let oauth = doc.get(profile)?.as_oauth()?;
    Some(oauth.refresh_token()?.expose().clone())
}

fn take<'a>(store: &'a impl Store, refresh: &str) -> Box<dyn Held<'a> + 'a> {
    let lock = store.try_lock_grant(&digest(refresh)).unwrap();
    memory_store::held(lock).expect("nobody holds it")
}

fn reserve<'a>(held: Box<dyn Held<'a> + 'a>) -> Result<Box<dyn Reserved + 'a>, StoreError> {
    let provider = ProviderId::parse("openai-codex").unwrap();
    let binding = Binding {
        token_endpoint: "https://auth.example/token".into(),
        client_id: "client".into(),
    };
    let pending = PendingRefresh {
        agent: main(),
        provider,
        profile: profile(),
        binding,
        begun_at: NOW,
    };
    held.reserve(&pending, &SOON)
}

fn load_takes_no_lock<B: Backend>() {
    let backend = B::new();
    let (store, other) = (backend.open(), backend.open());
    put(&store, &main(), &profile(), "rt-1");
    let lock = take(&store, "rt-1");
    store
        .update(&main(), &mut |doc| {
            // In the middle of a write everybody reads what was there before.
            assert!(doc.put(profile(), Credential::OAuth(oauth("rt-2"))));
            assert_eq!(held(&other, &main(), &profile()).unwrap(), "rt-1");
            true
        })
        .unwrap();
    drop(lock);
    assert_eq!(held(&other, &main(), &profile()).unwrap(), "rt-2");
}

fn update_reads_again_and_is_all_or_nothing<B: Backend>() {
    let backend = B::new();
    let (store, other) = (backend.open(), backend.open());
    store.load(&main(), Scope::All).unwrap();
    put(&other, &main(), &profile(), "rt-1");
    let calls = Cell::new(0);
    let written = store.update(&main(), &mut |doc| {
        calls.set(calls.get() + 1);
        // Called again or not: it sees the document as it is, and not what it made of it.
        let id = ProfileId::parse("openai-codex:second").unwrap();
        assert!(doc.get(&profile()).is_some());
        assert!(doc.get(&id).is_none());
        assert!(doc.put(id, Credential::OAuth(oauth("rt-2"))));
        true
    });
    assert!(calls.get() >= 1);
    assert_eq!(written.unwrap().profiles().count(), 2);
    assert_eq!(
        other.load(&main(), Scope::All).unwrap().profiles().count(),
        2
    );

    let kept = store.update(&main(), &mut |doc| {
        doc.remove(&profile());
        false
    });
    kept.unwrap();
    assert_eq!(held(&other, &main(), &profile()).unwrap(), "rt-1");
    store.check_writable(&main()).unwrap();
    assert_eq!(held(&other, &main(), &profile()).unwrap(), "rt-1");
}

fn two_updaters_lose_nothing<B: Backend>() {
    let backend = B::new();
    let stores = [backend.open(), backend.open()];
    std::thread::scope(|scope| {
        for (number, store) in stores.iter().enumerate() {
            scope.spawn(move || {
                for n in 0..10 {
                    let id = ProfileId::parse(&format!("openai-codex:{number}-{n}")).unwrap();
                    put(store, &main(), &id, "rt");
                }
            });
        }
    });
    let doc = stores[0].load(&main(), Scope::All).unwrap();
    assert_eq!(doc.profiles().count(), 20);
}

fn a_grant_lock_excludes_and_a_drop_frees_it_and_wakes_all<B: Backend>() {
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

fn a_commit_moves_every_copy_and_a_spent_grant_names_its_successor<B: Backend>() {
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
    let new = other.grant_record(&digest("rt-2")).unwrap().unwrap();
    assert_eq!(new.proven_at, Some(NOW));
    match other.try_lock_grant(&digest("rt-1")).unwrap() {
        GrantLock::Spent { successor } => assert_eq!(successor, digest("rt-2")),
        GrantLock::Held(_) | GrantLock::Taken { .. } => panic!("it is spent"),
    }
    drop(take(&other, "rt-2"));
}

fn a_saved_answer_outlives_its_process_and_is_committed_once<B: Backend>() {
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

fn a_settled_refresh_touches_no_document<B: Backend>() {
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

fn a_newer_wish_wins_over_a_refresh<B: Backend>() {
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

fn history_grows_by_updates_alone<B: Backend>() {
    let backend = B::new();
    let store = backend.open();
    let all = || store.history(&main(), None).unwrap().histories;
    let saved = || all().remove(0).saved.unwrap().grant();
    put(&store, &main(), &profile(), "rt-1");
    assert_eq!(
        (all()[0].generations.len(), saved()),
        (0, Some(digest("rt-1")))
    );
    let before = all();
    store.update(&main(), &mut |_| false).unwrap();
    store.check_writable(&main()).unwrap();
    assert_eq!(all(), before);
    put(&store, &main(), &profile(), "rt-2");
    assert_eq!(saved(), Some(digest("rt-2")));
    let kept = all().remove(0).generations.remove(0);
    assert_eq!(
        (kept.cause, kept.grant),
        (Cause::Login, Some(digest("rt-1")))
    );
    store.clear_history(&main(), Some(&profile())).unwrap();
    assert_eq!(all(), []);
    assert_eq!(held(&store, &main(), &profile()).unwrap(), "rt-2");
}

macro_rules! contract {
    ($name:ident, $backend:ty, $($test:ident)*) => {
        mod $name {
            $(#[test]
            fn $test() {
                super::$test::<$backend>();
            })*
        }
    };
    ($name:ident, $backend:ty) => {
        contract! { $name, $backend,
            load_takes_no_lock
            update_reads_again_and_is_all_or_nothing
            two_updaters_lose_nothing
            a_grant_lock_excludes_and_a_drop_frees_it_and_wakes_all
            a_commit_moves_every_copy_and_a_spent_grant_names_its_successor
            a_saved_answer_outlives_its_process_and_is_committed_once
            a_settled_refresh_touches_no_document
            a_newer_wish_wins_over_a_refresh
            history_grows_by_updates_alone
        }
    };
}

impl Backend for MemoryFiles {
    type Store = FileStore;

    fn new() -> Self {
        Self::new()
    }

    fn open(&self) -> FileStore {
        store_with(self, Arc::new(Still))
    }
}

impl Backend for tempfile::TempDir {
    type Store = FileStore;

    fn new() -> Self {
        tempfile::tempdir().unwrap()
    }

    fn open(&self) -> FileStore {
        let state: &Path = self.path();
        let places = StorePaths::below(state);
        FileStore::new(Arc::new(SystemFiles), Arc::new(SystemClock::new()), places)
    }
}

contract!(in_memory, openclaw::testing::files::MemoryFiles);
contract!(on_disk, tempfile::TempDir);
