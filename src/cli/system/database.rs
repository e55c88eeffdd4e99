//! What a system stores in: files, or the database that an option or a variable names.

use std::path::PathBuf;
use std::sync::Arc;

use crate::app::context::Dirs;
use crate::app::database::source::{self, Asked, Source, Surroundings};
use crate::app::failure::Failure;
#[cfg(not(feature = "postgres"))]
use crate::app::failure::Kind;
use crate::model::seal::DataKey;
use crate::model::tenant::TenantId;
use crate::ports::access_keys::AccessKeyStore;
use crate::ports::database::Database;
use crate::ports::dialog::Dialog;
use crate::ports::files::Files;
use crate::ports::host::{Clock, Interrupt};
use crate::ports::login_attempts::LoginAttempts;
use crate::ports::page_passes::PagePasses;
use crate::ports::store::Store;
use crate::ports::store_files::StoreFiles;
use crate::store::database_files::DatabaseFiles;
use crate::store::file::FileStore;
use crate::store::io::Limit;
use crate::sys::env::SystemEnv;

/// Which database a system works on.
pub(super) enum Wanted<'a> {
    /// The one that is meant by options and variables, if any.
    Asked(&'a Asked),
    /// One that is in use already.
    #[cfg_attr(not(feature = "gateway"), expect(dead_code))]
    Opened(Opened),
}

/// The store of a system.
pub(super) struct Backend {
    pub(super) store: Arc<dyn Store>,
    pub(super) store_files: Arc<dyn StoreFiles>,
    pub(super) access_keys: Arc<dyn AccessKeyStore>,
    /// The store on files of the state directory, even if another one is in use.
    pub(super) files: Arc<FileStore>,
    pub(super) opened: Option<Opened>,
}

impl Backend {
    /// The store on files, unless a database is open.
    pub(super) fn new(files: FileStore, opened: Option<Opened>) -> Self {
        let files = Arc::new(files);
        let access_keys: Arc<dyn AccessKeyStore> = match &opened {
            None => Arc::clone(&files) as _,
            Some(opened) => Arc::clone(&opened.access_keys),
        };
        let (store, store_files): (Arc<dyn Store>, Arc<dyn StoreFiles>) = match &opened {
            None => (Arc::clone(&files) as _, Arc::clone(&files) as _),
            Some(opened) => {
                let own = (opened.tenant.clone(), opened.directory.clone());
                let beside = DatabaseFiles::new(Arc::clone(&files), own);
                (Arc::clone(&opened.store), Arc::new(beside))
            }
        };
        Self {
            store,
            store_files,
            access_keys,
            files,
            opened,
        }
    }
}

/// The key of a database, if the variables of this process alone name one.
///
/// # Errors
/// As [`source::named_key`].
pub(super) fn named_key(files: &dyn Files, dirs: &Dirs) -> Result<Option<DataKey>, Failure> {
    let env = &SystemEnv;
    source::named_key(Surroundings { env, files, dirs })
}

/// A database that is in use.
#[derive(Clone)]
pub(in crate::cli) struct Opened {
    store: Arc<dyn Store>,
    access_keys: Arc<dyn AccessKeyStore>,
    /// What only commands about it ask.
    pub(in crate::cli) database: Arc<dyn Database>,
    /// The logins under way at its gateways.
    pub(in crate::cli) attempts: Arc<dyn LoginAttempts>,
    /// The sessions of the page of its gateways.
    #[cfg_attr(not(feature = "gateway"), expect(dead_code))]
    pub(in crate::cli) passes: Arc<dyn PagePasses>,
    /// Whose logins are meant.
    tenant: TenantId,
    /// Where this machine keeps what it must not lose.
    pub(super) directory: PathBuf,
    #[cfg_attr(not(feature = "gateway"), expect(dead_code))]
    pub(super) key: DataKey,
}

/// What a store in a database needs of this machine.
#[cfg_attr(not(feature = "postgres"), expect(dead_code))]
pub(super) struct Machine<'a> {
    pub(super) files: &'a Arc<dyn Files>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) interrupt: &'a Arc<dyn Interrupt>,
    pub(super) dialog: &'a Arc<dyn Dialog>,
    pub(super) dirs: &'a Dirs,
    pub(super) spare: Option<PathBuf>,
    pub(super) limit: Limit,
}

impl Machine<'_> {
    /// The database that is meant, if one is. Connects to nothing.
    ///
    /// # Errors
    /// As [`source::find`].
    pub(super) fn open(self, asked: &Asked) -> Result<Option<Opened>, Failure> {
        let near = Surroundings {
            // Where things lie is for the process's own variables to say.
            env: &SystemEnv,
            files: &**self.files,
            dirs: self.dirs,
        };
        let found = source::find(near, asked)?;
        found.map(|found| self.open_found(found)).transpose()
    }

    #[cfg(feature = "postgres")]
    #[expect(clippy::unnecessary_wraps, reason = "a build without databases fails")]
    fn open_found(self, source: Source) -> Result<Opened, Failure> {
        use crate::postgres::settings::{Ports, Settings};
        use crate::postgres::store::PostgresStore;
        use crate::sys::http;
        use crate::sys::random::OsRandom;

        let settings = Settings {
            url: source.url,
            tenant: source.tenant.clone(),
            key: source.key.clone(),
            directory: source.directory.clone(),
            spare: self.spare,
            limit: self.limit,
        };
        let ports = Ports {
            files: Arc::clone(self.files),
            clock: self.clock,
            random: Arc::new(OsRandom),
            interrupt: Arc::clone(self.interrupt),
            dialog: Arc::clone(self.dialog),
            tls: Arc::new(|| http::tls(&SystemEnv)),
        };
        let store = Arc::new(PostgresStore::new(settings, ports));
        Ok(Opened {
            store: Arc::clone(&store) as _,
            access_keys: Arc::clone(&store) as _,
            attempts: Arc::clone(&store) as _,
            passes: Arc::clone(&store) as _,
            database: store,
            tenant: source.tenant,
            directory: source.directory,
            key: source.key,
        })
    }

    #[cfg(not(feature = "postgres"))]
    fn open_found(self, _: Source) -> Result<Opened, Failure> {
        let message = "this build of openclaw cannot use a database";
        let hint = "install one with the feature postgres, or unset OPENCLAW_DATABASE_URL_FILE";
        Err(Failure::new(Kind::Usage, message).hint(hint))
    }
}
