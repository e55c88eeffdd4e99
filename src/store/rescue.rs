//! The answers to refreshes that this machine saved, for a backend whose documents lie elsewhere; and
//! the lock of each grant among the processes of this machine.
//!
//! The same files as those of the store on files, in a directory of their own. The kernel frees a lock
//! whose process has died, so whoever gets it knows that no process of this machine is at work on the
//! grant any more.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::model::grant::GrantDigest;
use crate::model::saved_response::ROOM;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::ports::dialog::Dialog;
use crate::ports::files::{FileLock, Files, Sharing};
use crate::ports::host::{Clock, Interrupt};
use crate::ports::store::{GrantLocks as _, Location, PendingRefresh, SavedAnswer, StoreError};
use crate::ports::vault::Vault;

use super::answer_slot::{self, Answer};
use super::io::FileStore;
use super::paths::StorePaths;
use super::saved_answer;

/// What stands behind the name of an answer that is stored, and kept for a while.
const STORED: &str = ".stored";

/// An answer that is stored, and kept for a while: a database that fails over may lose what it said was
/// committed.
pub struct Kept {
    /// The grant that was spent for it.
    pub grant: GrantDigest,
    /// When it came.
    pub at: Timestamp,
    path: PathBuf,
}

/// The files of this machine.
pub struct RescueFiles(FileStore);

/// What became of the answer to one refresh.
pub struct RescueAnswer<'a> {
    answer: Answer<'a>,
    files: &'a RescueFiles,
}

impl RescueFiles {
    /// Those below a directory, which belong to the store that `identity` names: whatever the directory
    /// is called the next time, they are found to be its own.
    pub fn new(
        (files, clock): (Arc<dyn Files>, Arc<dyn Clock>),
        (interrupt, dialog): (Arc<dyn Interrupt>, Arc<dyn Dialog>),
        vault: Arc<dyn Vault>,
        (directory, spare): (&Path, Option<PathBuf>),
        identity: &str,
    ) -> Self {
        let paths = StorePaths {
            identity: identity.into(),
            spare,
            ..StorePaths::below(directory)
        };
        let store = FileStore::new(files, clock, paths);
        Self(store.sealing_by(vault).telling(interrupt, dialog))
    }

    /// Takes the lock of a grant among the processes of this machine; `None` if one of them has it.
    ///
    /// # Errors
    /// What the disk says.
    pub fn try_lock(&self, grant: &GrantDigest) -> Result<Option<Box<dyn FileLock>>, StoreError> {
        let FileStore { io, paths, .. } = &self.0;
        io.files.create_dirs(&paths.grant_locks())?;
        let lock = io
            .files
            .try_lock(&paths.grant_lock(grant), Sharing::Exclusive)?;
        Ok(lock.map(|mut lock| {
            lock.note(&io.note());
            lock
        }))
    }

    /// Whether a process of this machine has the lock of a grant.
    pub fn is_locked(&self, grant: &GrantDigest) -> bool {
        self.0.is_locked(grant)
    }

    /// Which one, if that is known.
    pub fn owner(&self, grant: &GrantDigest) -> Option<String> {
        self.0.io.owner(&self.0.paths.grant_lock(grant))
    }

    /// The grants for which answers are saved.
    ///
    /// # Errors
    /// What the disk says.
    pub fn grants(&self) -> Result<Vec<GrantDigest>, StoreError> {
        Ok(saved_answer::grants(&self.0)?)
    }

    /// The last answer to a refresh of a grant; what was never answered is removed. Only for the
    /// holder of its lock.
    ///
    /// # Errors
    /// What the disk says; if it is sealed under another key.
    pub fn of_grant(&self, grant: &GrantDigest) -> Result<Option<SavedAnswer>, StoreError> {
        Ok(saved_answer::of_grant(&self.0, grant)?.pop())
    }

    /// Makes a file ready for the answer to a refresh, before it is sent.
    ///
    /// # Errors
    /// What the disk says. If an answer to a refresh of the grant lies there that cannot be read: it
    /// is spent.
    pub fn prepare(
        &self,
        grant: &GrantDigest,
        refresh: &PendingRefresh,
    ) -> Result<RescueAnswer<'_>, StoreError> {
        saved_answer::check_readable(&self.0, grant)?;
        let sealing = self.0.sealing()?;
        let slot = answer_slot::prepare(&self.0, sealing, grant, refresh)?;
        Ok(self.answer(Answer::Awaited(slot)))
    }

    /// One that was saved before.
    pub fn resume(&self, saved: &SavedAnswer) -> RescueAnswer<'_> {
        self.answer(Answer::Saved(saved.at.clone()))
    }

    fn answer<'a>(&'a self, answer: Answer<'a>) -> RescueAnswer<'a> {
        RescueAnswer {
            answer,
            files: self,
        }
    }

    /// Removes every answer to a refresh of a grant, now that its successor is stored.
    ///
    /// # Errors
    /// What the disk says.
    pub fn discard(&self, grant: &GrantDigest) -> Result<(), StoreError> {
        Ok(saved_answer::discard(&self.0, grant)?)
    }

    /// Keeps the answers to refreshes of a grant for a while after they are stored, out of the way of
    /// those that are not.
    ///
    /// # Errors
    /// What the disk says.
    pub fn keep(&self, grant: &GrantDigest) -> Result<(), StoreError> {
        let files = &self.0.io.files;
        for path in saved_answer::files_of(&self.0, grant)? {
            let mut stored = path.clone().into_os_string();
            stored.push(STORED);
            files.rename(&path, Path::new(&stored))?;
        }
        Ok(())
    }

    /// The answers that are kept so.
    ///
    /// # Errors
    /// What the disk says.
    pub fn kept(&self) -> Result<Vec<Kept>, StoreError> {
        let FileStore { io, paths, .. } = &self.0;
        let mut kept = Vec::new();
        for directory in paths.rescue() {
            for name in io.files.list(&directory)? {
                let answer = name.strip_suffix(STORED);
                let path = directory.join(&name);
                let (Some(grant), Some(stat)) = (
                    answer.and_then(saved_answer::grant_of),
                    io.files.stat(&path)?,
                ) else {
                    continue;
                };
                let at = stat.modified;
                kept.push(Kept { grant, at, path });
            }
        }
        Ok(kept)
    }

    /// Makes one an answer again that is to be stored.
    ///
    /// # Errors
    /// What the disk says.
    pub fn take_up(&self, kept: &Kept) -> Result<(), StoreError> {
        let path = kept.path.with_extension("");
        Ok(self.0.io.files.rename(&kept.path, &path)?)
    }

    /// Removes one.
    ///
    /// # Errors
    /// What the disk says.
    pub fn forget(&self, kept: &Kept) -> Result<(), StoreError> {
        Ok(self.0.io.files.remove(&kept.path)?)
    }

    /// Shows that a file for an answer can be made now, by making one.
    ///
    /// # Errors
    /// What the disk says.
    pub fn check_writable(&self) -> Result<(), StoreError> {
        let FileStore { io, paths, .. } = &self.0;
        io.files.create_dirs(&paths.grant_locks())?;
        for directory in paths.rescue().take(1) {
            io.files.create_dirs(&directory)?;
            let probe = directory.join(format!("probe-{}", std::process::id()));
            let made = io.files.prepare(&probe, b"", ROOM).map(drop);
            io.files.remove(&probe)?;
            made?;
        }
        Ok(())
    }
}

impl RescueAnswer<'_> {
    /// Saves the answer that has come where it was prepared; where that fails it is held.
    pub fn save(&mut self, answer: &Secret<Vec<u8>>) {
        self.answer.save(answer);
    }

    /// Whether none has come.
    pub fn is_awaited(&self) -> bool {
        matches!(self.answer, Answer::Awaited(_))
    }

    /// Where it lies, saved elsewhere if it does not yet; `None` if it is lost, or has not come.
    pub fn keep(&self) -> Option<Location> {
        self.answer.keep(&self.files.0)
    }
}
