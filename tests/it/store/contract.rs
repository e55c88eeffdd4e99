//! What every backend of the store owes, whatever it rests on. Written once: a backend is a
//! [`Backend`], and `contract!` makes the tests of it. Run on files in memory and on the disk, on a
//! database, and on one behind a pool.

mod documents;
mod grants;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use openclaw::model::credential::Credential;
use openclaw::model::id::{AgentId, ProfileId};
use openclaw::model::profiles::AuthProfiles;
use openclaw::model::time::Timestamp;
use openclaw::ports::lock::Wait;
use openclaw::ports::store::{Held, Reserved, Scope, Store, StoreError};
use openclaw::store::file::FileStore;
use openclaw::store::paths::StorePaths;
use openclaw::sys::clock::SystemClock;
use openclaw::sys::files::SystemFiles;
use openclaw::testing::files::MemoryFiles;

use crate::support::memory_store::{self, Still, digest, oauth, store_with};
#[cfg(feature = "postgres")]
use crate::support::{pgbouncer::PgBouncer, postgres_node::Node, postgres_server::Database};

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
    held.reserve(&memory_store::pending(), &SOON)
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

#[cfg(feature = "postgres")]
impl Backend for Node {
    type Store = openclaw::postgres::store::PostgresStore;

    fn new() -> Self {
        Self::on(&Database::new())
    }

    fn open(&self) -> Self::Store {
        self.open()
    }
}

/// A database of which nothing outlives a transaction.
#[cfg(feature = "postgres")]
struct Pooled(
    Node,
    #[expect(dead_code, reason = "it runs until it is dropped")] PgBouncer,
);

#[cfg(feature = "postgres")]
impl Backend for Pooled {
    type Store = openclaw::postgres::store::PostgresStore;

    fn new() -> Self {
        let database = Database::new();
        let pool = PgBouncer::start(&database.server);
        Self(Node::through(&database, pool.url(&database)), pool)
    }

    fn open(&self) -> Self::Store {
        self.0.open()
    }
}

macro_rules! contract {
    (#$attribute:tt $name:ident, $backend:ty, $($room:ident::$test:ident)*) => {
        mod $name {
            $(#[test]
            #$attribute
            fn $test() {
                super::$room::$test::<$backend>();
            })*
        }
    };
    ($name:ident, $backend:ty) => {
        contract! { #[cfg(test)] $name, $backend }
    };
    (#$attribute:tt $name:ident, $backend:ty) => {
        contract! { #$attribute $name, $backend,
            documents::load_takes_no_lock
            documents::update_reads_again_and_is_all_or_nothing
            documents::two_updaters_lose_nothing
            documents::everything_of_a_document_comes_back
            documents::a_scope_narrows_what_is_loaded
            documents::what_is_removed_is_gone_and_the_rest_keeps_its_place
            documents::agents_have_documents_and_inheritance_of_their_own
            documents::what_proves_that_it_can_write_writes_nothing
            documents::history_grows_by_updates_alone
            grants::a_grant_lock_excludes_and_a_drop_frees_it_and_wakes_all
            grants::a_commit_moves_every_copy_and_a_spent_grant_names_its_successor
            grants::a_saved_answer_outlives_its_process_and_is_committed_once
            grants::a_settled_refresh_touches_no_document
            grants::a_newer_wish_wins_over_a_refresh
            grants::a_login_is_written_down
            grants::an_exclusion_ends_when_it_is_dropped
        }
    };
}

contract!(in_memory, openclaw::testing::files::MemoryFiles);
contract!(on_disk, tempfile::TempDir);
#[cfg(feature = "postgres")]
contract!(
    #[ignore = "needs PostgreSQL"]
    postgres,
    crate::support::postgres_node::Node
);
#[cfg(feature = "postgres")]
contract!(
    #[ignore = "needs PostgreSQL and PgBouncer"]
    postgres_by_pgbouncer,
    super::Pooled
);
