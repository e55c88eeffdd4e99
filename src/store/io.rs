//! The store on files, which every function of this room is given.

use std::path::Path;
use std::sync::Arc;

use crate::ports::files::{FileLock, Files, Sharing};
use crate::ports::host::Clock;
use crate::ports::lock::{self, LockError, Wait, lock_within};

use super::paths::StorePaths;

/// Says how many generations of a profile are to be kept; 0 for none.
pub type Limit = Box<dyn Fn() -> usize + Send + Sync>;

/// The ports.
#[derive(Clone)]
pub(super) struct Io {
    pub(super) files: Arc<dyn Files>,
    pub(super) clock: Arc<dyn Clock>,
}

/// The store on files: its ports, its places, and the one setting.
pub struct FileStore {
    pub(super) io: Io,
    pub(super) paths: StorePaths,
    pub(super) limit: Limit,
}

impl Io {
    /// What a lock file tells people about its holder.
    pub(super) fn note(&self) -> String {
        lock::owner_note(&*self.files, &*self.clock)
    }

    /// Who holds a lock, by its note.
    pub(super) fn owner(&self, path: &Path) -> Option<String> {
        lock::owner(&*self.files, &*self.clock, path)
    }

    /// Takes a kernel lock for ourselves.
    pub(super) fn lock(
        &self,
        path: &Path,
        wait: &Wait<'_>,
    ) -> Result<Box<dyn FileLock>, LockError> {
        lock_within(&*self.files, &*self.clock, path, Sharing::Exclusive, wait)
    }
}
