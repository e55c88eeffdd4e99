//! The store on files: each method of its traits is a function of this room.

use std::path::PathBuf;
use std::sync::Arc;

use crate::model::grant::{GrantDigest, GrantRecord};
use crate::model::id::{AgentId, ProfileId};
use crate::model::inheritance::Inheritance;
use crate::model::profiles::AuthProfiles;
use crate::ports::files::{FileError, Files};
use crate::ports::host::Clock;
use crate::ports::lock::Wait;
use crate::ports::store::{
    Documents, GrantLock, GrantLocks, History, HistoryListing, Journal, Location, Scope,
    StoreError, Waited,
};
use crate::ports::store_files::{StoreFiles, StorePlaces};

use super::document_lock;
use super::error::at;
use super::grant;
use super::history;
use super::inherit;
use super::io::{Io, Limit, StoreContext};
use super::journal;
use super::leftovers;
use super::paths::StorePaths;
use super::read;
use super::saved_answer;
use super::write;

/// The agents' documents on files.
pub struct FileStore(StoreContext);

impl FileStore {
    /// A store at these places. Touches nothing.
    pub fn new(files: Arc<dyn Files>, clock: Arc<dyn Clock>, paths: StorePaths) -> Self {
        Self(StoreContext {
            io: Io { files, clock },
            paths,
            limit: Box::new(|| history::DEFAULT_LIMIT),
        })
    }

    /// With another number of generations to keep of each profile. It is asked for when a
    /// credential is replaced, and never by a command that only reads the document.
    #[must_use]
    pub fn keeping(mut self, limit: Limit) -> Self {
        self.0.limit = limit;
        self
    }
}

impl Documents for FileStore {
    fn load(&self, agent: &AgentId, scope: Scope<'_>) -> Result<AuthProfiles, StoreError> {
        read::load(&self.0, agent, scope)
    }

    fn update(
        &self,
        agent: &AgentId,
        change: &mut dyn FnMut(&mut AuthProfiles) -> bool,
    ) -> Result<AuthProfiles, StoreError> {
        let cx = &self.0;
        read::check_generation(cx, agent)?;
        let locked = document_lock::lock(cx, agent)?;
        let mut found = write::find(cx, &locked)?;
        if change(&mut found.doc) {
            let replaced = history::keep(cx, agent, &mut found.doc)?;
            write::write(cx, &locked, &mut found, None)?;
            history::leave_out_present(cx, replaced);
        }
        Ok(found.doc)
    }

    fn check_writable(&self, agent: &AgentId) -> Result<(), StoreError> {
        read::check_generation(&self.0, agent)?;
        let _locked = document_lock::lock(&self.0, agent)?;
        drop(write::reserve(&self.0, agent)?);
        Ok(())
    }

    fn agents(&self) -> Result<Vec<AgentId>, StoreError> {
        read::agents(&self.0)
    }

    fn inheritance(&self, agent: &AgentId) -> Result<Inheritance, StoreError> {
        inherit::read(&self.0, agent)
    }

    fn set_inheritance(
        &self,
        agent: &AgentId,
        inheritance: &Inheritance,
    ) -> Result<(), StoreError> {
        inherit::write(&self.0, agent, inheritance)
    }

    fn location(&self, agent: &AgentId) -> Location {
        at(&self.0.paths.document(agent))
    }
}

impl GrantLocks for FileStore {
    fn try_lock_grant<'a>(&'a self, grant: &GrantDigest) -> Result<GrantLock<'a>, StoreError> {
        grant::try_lock(&self.0, grant)
    }

    fn await_grant(&self, grant: &GrantDigest, wait: &Wait<'_>) -> Result<Waited, StoreError> {
        grant::wait(&self.0, grant, wait)
    }
}

impl Journal for FileStore {
    fn grant_record(&self, grant: &GrantDigest) -> Result<Option<GrantRecord>, StoreError> {
        Ok(journal::read(&self.0, grant)?)
    }

    fn record_login(&self, record: &GrantRecord) -> Result<(), StoreError> {
        Ok(journal::write(&self.0, record)?)
    }

    fn pending_answers(&self) -> Result<Vec<GrantDigest>, StoreError> {
        Ok(saved_answer::grants(&self.0)?)
    }
}

impl History for FileStore {
    fn history(
        &self,
        agent: &AgentId,
        profile: Option<&ProfileId>,
    ) -> Result<HistoryListing, StoreError> {
        history::list(&self.0, agent, profile)
    }

    fn clear_history(
        &self,
        agent: &AgentId,
        profile: Option<&ProfileId>,
    ) -> Result<(), StoreError> {
        history::clear(&self.0, agent, profile)
    }
}

impl StoreFiles for FileStore {
    fn document(&self, agent: &AgentId) -> PathBuf {
        self.0.paths.document(agent)
    }

    fn state_path(&self, agent: &AgentId) -> Result<PathBuf, StoreError> {
        let split = self.0.paths.state_file(agent);
        Ok(match self.0.io.files.stat(&split)? {
            Some(_) => split,
            None => self.0.paths.document(agent),
        })
    }

    fn places(&self, agent: &AgentId) -> Result<StorePlaces, StoreError> {
        let StoreContext { io, paths, .. } = &self.0;
        let there = |path: PathBuf| Ok(io.files.stat(&path)?.map(|_| path));
        let (own, shared) = paths.legacy(agent);
        let legacy = [own].into_iter().chain(shared).map(there);
        let legacy = legacy.collect::<Result<Vec<_>, FileError>>()?;
        let legacy: Vec<PathBuf> = legacy.into_iter().flatten().collect();
        let Some(document) = there(paths.document(agent))? else {
            return Ok(StorePlaces {
                read: legacy,
                passed_over: Vec::new(),
            });
        };
        let state = there(paths.state_file(agent))?;
        Ok(StorePlaces {
            read: [document].into_iter().chain(state).collect(),
            passed_over: legacy,
        })
    }

    fn wide_modes(&self, agent: &AgentId) -> Vec<(PathBuf, u32)> {
        let modes = write::modes(&self.0, agent).into_iter();
        modes.map(|(path, _, mode)| (path, mode)).collect()
    }

    fn leftovers(&self) -> Result<usize, StoreError> {
        Ok(leftovers::find(&self.0)?.count())
    }

    fn remove_leftovers(&self) -> Result<usize, StoreError> {
        leftovers::remove(&self.0)
    }

    fn waiting_answers(&self) -> Result<Vec<PathBuf>, StoreError> {
        Ok(saved_answer::files(&self.0)?)
    }

    fn directory(&self, agent: &AgentId) -> PathBuf {
        self.0.paths.directory(agent)
    }
}
