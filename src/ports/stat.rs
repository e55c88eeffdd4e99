//! What a file system tells of a path without reading it.

use crate::model::time::Timestamp;

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// A directory, and not a file.
    pub is_dir: bool,
    /// A regular file, and no device, pipe or socket.
    pub is_file: bool,
    /// Permission bits, `0o777` at most.
    pub mode: u32,
    /// Last modification.
    pub modified: Timestamp,
    /// Device and inode: tells whether it is still the same thing.
    pub identity: (u64, u64),
    /// Size in bytes.
    pub size: u64,
    /// How many names it has; a directory has one for each that is in it, too.
    pub links: u64,
}
