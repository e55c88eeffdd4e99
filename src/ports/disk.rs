//! What a disk is asked to prove: beside [`Files`](super::files::Files), the questions that only
//! `doctor` has.
//!
//! An implementation owes: plain answers of the system, without the tolerance that the store has
//! for file systems that cannot do everything.

use std::path::{Path, PathBuf};

use super::files::FileError;

/// What a rival says that got the lock.
pub const HELD: &str = "held";
/// What a rival says that did not.
pub const BUSY: &str = "busy";

/// The file system below a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Its kind, by the name that `mount` has for it.
    pub kind: Kind,
    /// Bytes that this user may still write.
    pub free: u64,
    /// Files that may still be made; `None` where there is no such limit.
    pub free_files: Option<u64>,
}

/// A kind of file system, as far as it matters what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// On a disk of this machine: `ext4`, `xfs`, `btrfs`, …
    Local(&'static str),
    /// In memory.
    Memory(&'static str),
    /// The layers of a container.
    Overlay,
    /// On another machine.
    Network(&'static str),
    /// Served by a program, which decides what works.
    Served(&'static str),
    /// Without owners and permissions.
    Foreign(&'static str),
    /// One that we do not know, by its number; `None` where the system gives none.
    Unknown(Option<u64>),
}

/// Whose a file or directory is, as seen by the user of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// This user's, who may be root.
    User,
    /// Root's, who is not this user.
    Root,
    /// Another user's.
    Another,
}

/// Another process of this program that tried to take a lock. Dropping it ends it.
pub trait LockContender: Send {
    /// Whether it got the lock, and holds it now.
    fn has_lock(&self) -> bool;

    /// Kills it as a crash would, and waits until it is gone.
    ///
    /// # Errors
    /// If it cannot be killed.
    fn kill(self: Box<Self>) -> Result<(), FileError>;
}

/// A disk that is put to the test.
pub trait Disk: Send + Sync {
    /// The file system below `path`.
    ///
    /// # Errors
    /// If it cannot be asked.
    fn volume(&self, path: &Path) -> Result<Volume, FileError>;

    /// Whose `path` is.
    ///
    /// # Errors
    /// If that cannot be found out.
    fn owner(&self, path: &Path) -> Result<Owner, FileError>;

    /// Lists what lies below a directory and belongs to root, if the directory does not.
    ///
    /// # Errors
    /// If the directory cannot be read.
    fn strangers(&self, directory: &Path) -> Result<Vec<PathBuf>, FileError>;

    /// Gives that to the owner of the directory, and returns how many files and directories it was.
    /// Only root may.
    ///
    /// # Errors
    /// If one of them cannot be given away.
    fn adopt(&self, directory: &Path) -> Result<usize, FileError>;

    /// Makes a file or a directory durable.
    ///
    /// # Errors
    /// Whatever the system says, that it cannot do this included.
    fn sync(&self, path: &Path) -> Result<(), FileError>;

    /// Allocates `size` bytes for the file at `path`; false if this file system cannot do that
    /// ahead of writing.
    ///
    /// # Errors
    /// If the space is not there.
    fn allocate(&self, path: &Path, size: u64) -> Result<bool, FileError>;

    /// Starts another process that tries once to take the exclusive lock at `path`.
    ///
    /// # Errors
    /// If it cannot be started, or could not try.
    fn rival(&self, path: &Path) -> Result<Box<dyn LockContender>, FileError>;
}
