//! The store on files: each method of its traits is a function of this room.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::model::grant::{GrantDigest, GrantRecord};
use crate::model::id::AgentId;
use crate::model::inheritance::Inheritance;
use crate::model::profiles::AuthProfiles;
use crate::model::secret::Secret;
use crate::ports::dialog::Dialog;
use crate::ports::files::{FileError, Files};
use crate::ports::host::{Clock, Interrupt};
use crate::ports::store::{Detail, Documents, Journal, Location, Scope, StoreError};
use crate::ports::store_files::{StoreFiles, StorePlaces, Stray};
use crate::ports::vault::{NoVault, Vault};

use super::document;
use super::document_lock;
use super::error::at;
use super::history;
use super::inherit;
use super::io::{Io, Limit, Person};
use super::journal;
use super::later_release;
use super::leftovers;
use super::lock_path::PATIENCE;
use super::paths::StorePaths;
use super::read;
use super::render::{Layout, render};
use super::reseal;
use super::saved_answer;
use super::sealed::Sealing;
use super::strays;
use super::write;

pub use super::io::FileStore;

impl FileStore {
    /// A store at these places. Touches nothing.
    pub fn new(files: Arc<dyn Files>, clock: Arc<dyn Clock>, paths: StorePaths) -> Self {
        Self {
            io: Io { files, clock },
            vault: Arc::new(NoVault),
            person: None,
            paths,
            limit: Arc::new(|| history::DEFAULT_LIMIT),
        }
    }

    /// With a person, who is told of long waits and may end those that nothing depends on.
    #[must_use]
    pub fn telling(mut self, interrupt: Arc<dyn Interrupt>, dialog: Arc<dyn Dialog>) -> Self {
        self.person = Some(Arc::new(Person {
            interrupt,
            dialog,
            warned: Mutex::default(),
        }));
        self
    }

    /// With a vault, as which nothing is sealed.
    #[must_use]
    pub fn sealing_by(mut self, vault: Arc<dyn Vault>) -> Self {
        self.vault = vault;
        self
    }

    /// With another number of generations to keep of each profile. It is asked for when a
    /// credential is replaced, and never by a command that only reads the document.
    #[must_use]
    pub fn keeping(mut self, limit: Limit) -> Self {
        self.limit = limit;
        self
    }
}

impl Documents for FileStore {
    fn load(&self, agent: &AgentId, scope: Scope<'_>) -> Result<AuthProfiles, StoreError> {
        read::load(self, agent, scope)
    }

    fn look(
        &self,
        agent: &AgentId,
        scope: Scope<'_>,
        detail: Detail,
    ) -> Result<AuthProfiles, StoreError> {
        read::look(self, agent, scope, Some(detail))
    }

    fn update(
        &self,
        agent: &AgentId,
        change: &mut dyn FnMut(&mut AuthProfiles) -> bool,
    ) -> Result<AuthProfiles, StoreError> {
        let cx = self;
        later_release::check_generation(cx, agent)?;
        // Before the lock: a person may be asked.
        cx.sealing()?;
        let cx = &cx.asking_nobody();
        let locked = document_lock::lock(cx, agent, &cx.commit_wait(PATIENCE))?;
        let (mut found, is_new) = write::find_all(cx, &locked)?;
        // Under it: the vault may say something else by now, and whoever changed it writes this
        // document after us.
        let sealing = cx.sealing_of(&found.doc)?;
        let before = is_new.then(|| found.doc.clone());
        if change(&mut found.doc) {
            history::keep(cx, agent, &mut found.doc)?;
            write::write(cx, (&locked, &sealing), &mut found, None, change)?;
            // What another program had stored there meanwhile.
            history::keep(cx, agent, &mut found.doc)?;
            history::note_saved(cx, agent, &found.doc);
        } else if let Some(before) = before {
            found.doc = before;
            write::write(cx, (&locked, &sealing), &mut found, None, &mut |_| false)?;
        }
        Ok(found.doc)
    }

    fn check_writable(&self, agent: &AgentId) -> Result<(), StoreError> {
        later_release::check_generation(self, agent)?;
        if let Sealing::Closed(fault) = self.sealing()? {
            return Err(fault.into());
        }
        let _locked = document_lock::lock(self, agent, &self.wait(PATIENCE))?;
        drop(write::reserve(self, agent)?);
        Ok(())
    }

    fn agents(&self) -> Result<Vec<AgentId>, StoreError> {
        read::agents(self)
    }

    fn inheritance(&self, agent: &AgentId) -> Result<Inheritance, StoreError> {
        inherit::read(self, agent)
    }

    fn set_inheritance(
        &self,
        agent: &AgentId,
        inheritance: &Inheritance,
    ) -> Result<(), StoreError> {
        inherit::write(self, agent, inheritance)
    }

    fn location(&self, agent: &AgentId) -> Location {
        at(&self.paths.document(agent))
    }
}

impl Journal for FileStore {
    fn grant_record(&self, grant: &GrantDigest) -> Result<Option<GrantRecord>, StoreError> {
        Ok(journal::read(self, grant)?)
    }

    fn is_spent(&self, grant: &GrantDigest) -> Result<bool, StoreError> {
        Ok(journal::is_spent(self, grant)?)
    }

    fn record_login(&self, record: &GrantRecord) -> Result<(), StoreError> {
        Ok(journal::write(self, record)?)
    }

    fn pending_answers(&self) -> Result<Vec<GrantDigest>, StoreError> {
        Ok(saved_answer::grants(self)?)
    }
}

impl StoreFiles for FileStore {
    fn own(&self, state: &Path, name: &str) -> PathBuf {
        state.join(name)
    }

    fn document(&self, agent: &AgentId) -> Option<PathBuf> {
        Some(self.paths.document(agent))
    }

    fn split_state(&self, agent: &AgentId) -> Result<Option<PathBuf>, StoreError> {
        let split = self.paths.state_file(agent);
        Ok(self.io.files.stat(&split)?.map(|_| split))
    }

    fn places(&self, agent: &AgentId) -> Result<StorePlaces, StoreError> {
        let FileStore { io, paths, .. } = self;
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

    fn directories(&self) -> Vec<PathBuf> {
        let journals = [self.paths.refresh_locks(), self.paths.document_locks()];
        let old = std::iter::once(self.paths.oauth_dir.clone());
        old.chain(self.paths.rescue()).chain(journals).collect()
    }

    fn wide_modes(&self, agent: &AgentId) -> Vec<(PathBuf, u32)> {
        let modes = write::modes(self, agent).into_iter();
        modes.map(|(path, _, mode)| (path, mode)).collect()
    }

    fn to_text(&self, document: &AuthProfiles) -> Secret<Vec<u8>> {
        render(document, Layout::Single).credentials
    }

    fn parse_text(&self, text: &str) -> Result<AuthProfiles, String> {
        document::parse(text, Scope::All)
    }

    fn reseal(&self, agent: &AgentId) -> Result<Vec<PathBuf>, StoreError> {
        reseal::agent(self, agent)
    }

    fn reseal_trash(&self) -> Result<Vec<PathBuf>, StoreError> {
        reseal::trash(self)
    }

    fn reseal_answers(&self) -> Result<(Vec<PathBuf>, bool), StoreError> {
        reseal::answers(self)
    }

    fn leftovers(&self) -> Result<usize, StoreError> {
        Ok(leftovers::find(self)?.count())
    }

    fn remove_leftovers(&self) -> Result<usize, StoreError> {
        leftovers::remove(self)
    }

    fn waiting_answers(&self) -> Result<Vec<(GrantDigest, PathBuf)>, StoreError> {
        Ok(saved_answer::files(self)?)
    }

    fn strays(&self, agent: &AgentId, own: &AuthProfiles) -> Result<Vec<Stray>, StoreError> {
        strays::find(self, agent, own)
    }

    fn stray(&self, path: &Path) -> Result<Option<Stray>, StoreError> {
        strays::at_path(self, path)
    }

    fn directory(&self, agent: &AgentId) -> PathBuf {
        self.paths.directory(agent)
    }
}
