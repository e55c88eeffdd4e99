//! A machine that uses a database: the directory where it keeps what it must not lose.

use std::path::PathBuf;
use std::sync::Arc;

use openclaw::model::seal::DataKey;
use openclaw::model::secret::Secret;
use openclaw::model::tenant::TenantId;
use openclaw::ports::database::Database as _;
use openclaw::ports::dialog::{Dialog, DialogError, Notice, Question};
use openclaw::ports::host::{Interrupt, Signal};
use openclaw::postgres::settings::{Ports, Settings};
use openclaw::postgres::store::PostgresStore;
use openclaw::sys::clock::SystemClock;
use openclaw::sys::files::SystemFiles;
use openclaw::sys::random::OsRandom;

use super::postgres_server::Database;

/// The byte that the key of every test is made of.
pub(crate) const KEY: u8 = 7;

/// A machine of its own, and the address of the database.
pub(crate) struct Node {
    directory: tempfile::TempDir,
    url: String,
    /// It is there as long as anybody uses it.
    _database: Database,
}

impl Node {
    /// A machine of a database whose tables are made.
    pub(crate) fn on(database: &Database) -> Self {
        Self::through(database, database.url())
    }

    /// The same, by another address.
    pub(crate) fn through(database: &Database, url: String) -> Self {
        let node = Self::unprepared(database, url);
        node.open().migrate().unwrap();
        node
    }

    /// A machine of a database that nobody has used yet.
    pub(crate) fn unprepared(database: &Database, url: String) -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            url,
            _database: database.clone(),
        }
    }

    /// The store, as each process of this machine opens it.
    pub(crate) fn open(&self) -> PostgresStore {
        self.open_with(KEY)
    }

    /// The same under a key that is this byte again and again.
    pub(crate) fn open_with(&self, key: u8) -> PostgresStore {
        self.open_for(TenantId::main(), key)
    }

    /// The same for that tenant.
    pub(crate) fn open_of(&self, tenant: &str) -> PostgresStore {
        self.open_for(TenantId::parse(tenant).unwrap(), KEY)
    }

    fn open_for(&self, tenant: TenantId, key: u8) -> PostgresStore {
        let key = DataKey::new(Secret::new(vec![key; 32])).unwrap();
        let settings = Settings {
            url: Secret::new(self.url.clone()),
            key,
            directory: tenant.below(&self.rescue()),
            tenant,
            spare: None,
            limit: Arc::new(|| 5),
        };
        PostgresStore::new(settings, ports())
    }

    /// Where it keeps answers that are in no row yet, below the id of the deployment.
    pub(crate) fn rescue(&self) -> PathBuf {
        self.directory.path().join("postgres")
    }
}

fn ports() -> Ports {
    Ports {
        files: Arc::new(SystemFiles),
        clock: Arc::new(SystemClock::new()),
        random: Arc::new(OsRandom),
        interrupt: Arc::new(Nobody),
        dialog: Arc::new(Nobody),
        tls: Arc::new(|| Err("these tests speak no TLS".to_owned())),
    }
}

/// Nobody is told anything, and nobody interrupts.
struct Nobody;

impl Interrupt for Nobody {
    fn defer(&self) {}

    fn pending(&self) -> Option<Signal> {
        None
    }
}

impl Dialog for Nobody {
    fn notice(&self, _: &Notice) {}

    fn ask(&self, _: &Question, _: &dyn Fn() -> bool) -> Result<Secret<String>, DialogError> {
        Err(DialogError::NobodyThere)
    }

    fn can_ask(&self) -> bool {
        false
    }
}
