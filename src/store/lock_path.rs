//! Where a lock of OpenClaw is, what it is made of, and how one is known again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::time::Timestamp;
use crate::ports::files::{FileError, Files, Stat};

/// A store lock of OpenClaw is stale when it is older than this.
pub(super) const STORE_STALE: Duration = Duration::from_secs(30);
/// A refresh lock of OpenClaw is stale when it is older than this.
pub(super) const REFRESH_STALE: Duration = Duration::from_secs(180);
/// How long anybody waits for a lock; matches OpenClaw's own patience.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// What a lock of OpenClaw is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LockFormat {
    /// An empty directory. A file inside would make it impossible for OpenClaw to remove.
    Directory,
    /// A file with pid and creation time.
    File,
}

/// Where a lock is to be, and what it is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LockPath {
    pub(super) path: PathBuf,
    pub(super) flavour: LockFormat,
    /// When one that lies there is stale.
    pub(super) stale: Duration,
    /// A name beside it, under which we prepare it unseen.
    pub(super) draft: PathBuf,
}

impl LockPath {
    /// A lock at `path`. `who` is part of the draft's name: of those who may prepare this lock at
    /// once, each has another.
    pub(super) fn new(path: PathBuf, flavour: LockFormat, stale: Duration, who: &str) -> Self {
        let mut draft = path.clone().into_os_string();
        draft.push(".");
        draft.push(who);
        Self {
            path,
            flavour,
            stale,
            draft: draft.into(),
        }
    }

    /// A name beside it, for what we remember of one whose time is in the future.
    pub(super) fn seen(&self) -> PathBuf {
        let mut seen = self.path.clone().into_os_string();
        seen.push(".seen");
        seen.into()
    }

    /// The same, prepared under a name that nobody else of us uses at the moment.
    pub(super) fn apart(&self) -> Self {
        let mut draft = self.draft.clone().into_os_string();
        draft.push(format!(".{}", std::process::id()));
        Self {
            draft: draft.into(),
            ..self.clone()
        }
    }
}

/// What a lock of ours looks like on the disk: the inode, which may be given out again, and the
/// time that we gave it, which nobody else will.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LockFingerprint {
    pub(super) identity: (u64, u64),
    pub(super) modified: Timestamp,
}

impl LockFingerprint {
    pub(super) fn of(stat: &Stat) -> Self {
        Self {
            identity: stat.identity,
            modified: stat.modified,
        }
    }

    /// Whether this is what lies at `path`.
    pub(super) fn is_at(self, files: &dyn Files, path: &Path) -> Result<bool, FileError> {
        let stat = files.stat(path)?;
        Ok(stat.is_some_and(|stat| Self::of(&stat) == self))
    }
}
