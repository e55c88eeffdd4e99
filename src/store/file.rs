//! [`Store`] on files: where everything lies, and who may write it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::model::grant::{GrantDigest, GrantRecord};
use crate::model::id::{AgentId, ProfileId, printable};
use crate::model::inheritance::Inheritance;
use crate::model::profiles::AuthProfiles;
use crate::ports::files::{FileError, Files, Reservation, Sharing};
use crate::ports::host::Clock;
use crate::ports::lock::{self, LockError, Wait};
use crate::ports::store::{
    Change, Held, HistoryListing, Scope, Store, StoreError, StorePlaces, Waited,
};

use super::grant::HeldGrant;
use super::history::{self, Limit};
use super::journal;

/// The name of a document, in its directory.
pub(super) const DOCUMENT: &str = "auth-profiles.json";

/// Room for what a document may grow by until it is written.
const HEADROOM: u64 = 64 * 1024;

/// Where the store lies.
#[derive(Clone, Debug)]
pub struct Locations {
    /// The state directory.
    pub state: PathBuf,
    /// The directory of the main agent.
    pub main_dir: PathBuf,
    /// Directories that the configuration gives to other agents.
    pub agent_dirs: Vec<(AgentId, PathBuf)>,
    /// The directory of the legacy `oauth.json`.
    pub oauth_dir: PathBuf,
    /// The release of OpenClaw that wrote the configuration last, as far as that is known.
    pub written_by: Option<String>,
    /// Another disk's directory, for what cannot be saved in the state directory.
    pub spare: Option<PathBuf>,
}

/// The agents' documents on files.
pub struct FileStore {
    pub(super) files: Arc<dyn Files>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) places: Locations,
    pub(super) limit: Limit,
}

impl FileStore {
    /// A store at these places. Touches nothing.
    pub fn new(files: Arc<dyn Files>, clock: Arc<dyn Clock>, places: Locations) -> Self {
        Self {
            files,
            clock,
            places,
            limit: Box::new(|| history::DEFAULT_LIMIT),
        }
    }

    /// With another number of generations to keep of each profile. It is asked for when a
    /// credential is replaced, and never by a command that only reads the document.
    #[must_use]
    pub fn keeping(mut self, limit: Limit) -> Self {
        self.limit = limit;
        self
    }

    pub(super) fn directory(&self, agent: &AgentId) -> PathBuf {
        if agent.is_main() {
            return self.places.main_dir.clone();
        }
        let mut configured = self.places.agent_dirs.iter();
        match configured.find(|(id, _)| id == agent) {
            Some((_, directory)) => directory.clone(),
            None => self
                .places
                .state
                .join("agents")
                .join(agent.as_str())
                .join("agent"),
        }
    }

    pub(super) fn document(&self, agent: &AgentId) -> PathBuf {
        self.directory(agent).join(DOCUMENT)
    }

    pub(super) fn state_file(&self, agent: &AgentId) -> PathBuf {
        self.directory(agent).join("auth-state.json")
    }

    /// The database in which a later release keeps the credentials of an agent, if there is one:
    /// all of them in one, or each in its own.
    pub(super) fn database(&self, agent: &AgentId) -> Result<Option<PathBuf>, FileError> {
        let shared = self.places.state.join("state/openclaw.sqlite");
        let own = self.directory(agent).join("openclaw-agent.sqlite");
        for path in [shared, own] {
            if self.files.stat(&path)?.is_some() {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    /// The files of earlier releases, which are read where there is no document: `auth.json` of
    /// the agent, and for main `oauth.json` of all.
    pub(super) fn legacy(&self, agent: &AgentId) -> (PathBuf, Option<PathBuf>) {
        let shared = self.places.oauth_dir.join("oauth.json");
        let own = self.directory(agent).join("auth.json");
        (own, agent.is_main().then_some(shared))
    }

    pub(super) fn refresh_locks(&self) -> PathBuf {
        self.places.state.join("locks/oauth-refresh")
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.refresh_locks().join("journal")
    }

    /// Asked before anything is created in a directory that another release owns.
    fn check_generation(&self, agent: &AgentId) -> Result<(), StoreError> {
        if self.files.stat(&self.document(agent))?.is_some() {
            return Ok(());
        }
        match self.database(agent)? {
            Some(database) => Err(self.later_generation(database)),
            None => Ok(()),
        }
    }

    /// Names the database, and the release that it belongs to.
    pub(super) fn later_generation(&self, path: PathBuf) -> StoreError {
        let header = self.files.read(&path).ok().flatten().unwrap_or_default();
        let schema = schema_of(&header).map(|schema| format!("its schema is number {schema}"));
        let release = self.places.written_by.as_ref();
        let release = release.map(|release| {
            format!(
                "OpenClaw {} wrote the configuration",
                printable(release, 40)
            )
        });
        let known: Vec<String> = schema.into_iter().chain(release).collect();
        StoreError::LaterGeneration {
            path,
            detail: match known.is_empty() {
                true => "its version is not known".to_owned(),
                false => known.join(", and "),
            },
        }
    }

    /// Space for the next content of an agent's document.
    pub(super) fn reserve_document(
        &self,
        agent: &AgentId,
    ) -> Result<Box<dyn Reservation + '_>, FileError> {
        let path = self.document(agent);
        let size = self.files.stat(&path)?.map_or(0, |stat| stat.size);
        self.files.reserve(&path, size.saturating_add(HEADROOM))
    }

    /// Path, whether it is a directory, and mode of what is open to others.
    pub(super) fn modes(&self, agent: &AgentId) -> Vec<(PathBuf, bool, u32)> {
        let paths = [
            self.directory(agent),
            self.document(agent),
            self.histories(agent),
        ];
        let found = paths.into_iter().filter_map(|path| {
            let stat = self.files.stat(&path).ok().flatten()?;
            let allowed = if stat.is_dir { 0o700 } else { 0o600 };
            (stat.mode & !allowed != 0).then_some((path, stat.is_dir, stat.mode))
        });
        found.collect()
    }

    /// What a lock file tells people about its holder.
    pub(super) fn note(&self) -> String {
        lock::owner_note(&*self.files, &*self.clock)
    }

    fn grant_lock(&self, grant: &GrantDigest) -> Result<PathBuf, StoreError> {
        let directory = self.refresh_locks().join("openclaw-rs");
        self.files.create_dirs(&directory)?;
        Ok(directory.join(format!("{grant}.lock")))
    }
}

/// `user_version` in the header of an SQLite database (its file format, section 1.3.12).
fn schema_of(database: &[u8]) -> Option<u32> {
    let header = database.strip_prefix(b"SQLite format 3\0")?;
    let bytes = header.get(44..48)?.try_into().ok()?;
    Some(u32::from_be_bytes(bytes))
}

impl Store for FileStore {
    fn load(&self, agent: &AgentId, scope: Scope<'_>) -> Result<AuthProfiles, StoreError> {
        let found = self.find(agent, scope, || self.is_locked_by_peer(agent))?;
        found.check(&self.document(agent))?;
        Ok(found.doc)
    }

    fn update(
        &self,
        agent: &AgentId,
        change: &mut dyn FnMut(&mut AuthProfiles) -> Change,
    ) -> Result<AuthProfiles, StoreError> {
        self.check_generation(agent)?;
        let locked = self.lock_document(agent)?;
        let mut found = locked.find()?;
        if change(&mut found.doc) == Change::Write {
            let replaced = self.keep(agent, &mut found.doc)?;
            locked.write(&mut found, None)?;
            self.leave_out_present(replaced);
        }
        Ok(found.doc)
    }

    fn check_writable(&self, agent: &AgentId) -> Result<(), StoreError> {
        self.check_generation(agent)?;
        let _locked = self.lock_document(agent)?;
        drop(self.reserve_document(agent)?);
        Ok(())
    }

    fn try_lock_grant<'a>(
        &'a self,
        grant: &GrantDigest,
    ) -> Result<Option<Box<dyn Held<'a> + 'a>>, StoreError> {
        let path = self.grant_lock(grant)?;
        let Some(mut lock) = self.files.try_lock(&path, Sharing::Exclusive)? else {
            return Ok(None);
        };
        lock.note(&self.note());
        Ok(Some(Box::new(HeldGrant::new(self, grant.clone(), lock))))
    }

    fn await_grant(&self, grant: &GrantDigest, wait: &Wait<'_>) -> Result<Waited, StoreError> {
        let path = self.grant_lock(grant)?;
        if self.files.try_lock(&path, Sharing::Shared)?.is_some() {
            return Ok(Waited::Released);
        }
        let start = self.clock.monotonic();
        let (sender, receiver) = channel();
        let (files, awaited) = (Arc::clone(&self.files), path.clone());
        // The kernel wakes all waiters at once; polling would let a stampede queue up. A waiter
        // that gave up leaves its thread behind until the holder lets go.
        std::thread::spawn(move || {
            let result = files.lock(&awaited, Sharing::Shared).map(drop);
            drop(sender.send(result));
        });
        loop {
            match receiver.recv_timeout(Duration::from_millis(20)) {
                Ok(result) => return Ok(result.map(|()| Waited::Released)?),
                Err(RecvTimeoutError::Disconnected) => return Ok(Waited::Released),
                Err(RecvTimeoutError::Timeout) => {}
            }
            match wait.is_over(self.clock.monotonic().saturating_sub(start)) {
                Ok(false) => {}
                Err(LockError::Interrupted(signal)) => return Ok(Waited::Stopped(signal)),
                Err(error) => return Err(error.into()),
                Ok(true) => {
                    let owner = lock::owner(&*self.files, &path);
                    return Ok(Waited::TimedOut { owner });
                }
            }
        }
    }

    fn grant_record(&self, grant: &GrantDigest) -> Result<Option<GrantRecord>, StoreError> {
        Ok(journal::read(&*self.files, &self.journal(), grant)?)
    }

    fn record_login(&self, record: &GrantRecord) -> Result<(), StoreError> {
        Ok(journal::write(&*self.files, &self.journal(), record)?)
    }

    fn waiting_answers(&self) -> Result<Vec<PathBuf>, StoreError> {
        Ok(self.files_with_answers()?)
    }

    fn pending_answers(&self) -> Result<Vec<GrantDigest>, StoreError> {
        Ok(self.grants_with_answers()?)
    }

    fn history(
        &self,
        agent: &AgentId,
        profile: Option<&ProfileId>,
    ) -> Result<HistoryListing, StoreError> {
        self.read_histories(agent, profile)
    }

    fn clear_history(
        &self,
        agent: &AgentId,
        profile: Option<&ProfileId>,
    ) -> Result<(), StoreError> {
        self.remove_histories(agent, profile)
    }

    fn inheritance(&self, agent: &AgentId) -> Result<Inheritance, StoreError> {
        self.read_inheritance(agent)
    }

    fn set_inheritance(
        &self,
        agent: &AgentId,
        inheritance: &Inheritance,
    ) -> Result<(), StoreError> {
        self.write_inheritance(agent, inheritance)
    }

    fn agents(&self) -> Result<Vec<AgentId>, StoreError> {
        let mut agents = vec![AgentId::main()];
        agents.extend(self.places.agent_dirs.iter().map(|(id, _)| id.clone()));
        let directory = self.places.state.join("agents");
        for name in self.files.list(&directory)? {
            let id = AgentId::normalise(&name);
            let stat = self.files.stat(&directory.join(&name))?;
            if id.as_str() == name && stat.is_some_and(|stat| stat.is_dir) {
                agents.push(id);
            }
        }
        agents.sort();
        agents.dedup();
        Ok(agents)
    }

    fn places(&self, agent: &AgentId) -> Result<StorePlaces, StoreError> {
        let [document, state] = [self.document(agent), self.state_file(agent)];
        let there = |path: PathBuf| Ok(self.files.stat(&path)?.map(|_| path));
        let (own, shared) = self.legacy(agent);
        let legacy = [own].into_iter().chain(shared).map(there);
        let legacy = legacy.collect::<Result<Vec<_>, FileError>>()?;
        let legacy: Vec<PathBuf> = legacy.into_iter().flatten().collect();
        let Some(document) = there(document)? else {
            return Ok(StorePlaces {
                read: legacy,
                passed_over: Vec::new(),
            });
        };
        Ok(StorePlaces {
            read: [document].into_iter().chain(there(state)?).collect(),
            passed_over: legacy,
        })
    }

    fn path(&self, agent: &AgentId) -> PathBuf {
        self.document(agent)
    }

    fn state_path(&self, agent: &AgentId) -> Result<PathBuf, StoreError> {
        let split = self.state_file(agent);
        Ok(match self.files.stat(&split)? {
            Some(_) => split,
            None => self.document(agent),
        })
    }

    fn wide_modes(&self, agent: &AgentId) -> Vec<(PathBuf, u32)> {
        let modes = self.modes(agent).into_iter();
        modes.map(|(path, _, mode)| (path, mode)).collect()
    }
}
