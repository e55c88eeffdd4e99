//! What can be wrong with a disk.

use crate::ports::disk::{Kind, Owner};

/// One way in which a disk is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Quirk {
    /// Locks have any number of holders.
    LocksExcludeNobody,
    /// Locks exclude, but not another process.
    LocksEndAtTheProcess,
    /// Locks are all exclusive.
    LocksCannotBeShared,
    /// Locks stay when their process is killed.
    LocksStay,
    /// There are no locks.
    NoLocks,
    /// No other process can be started.
    NoRival,
    /// Every file is open to everybody.
    WideModes,
    /// What exists can be made again.
    CreatesTwice,
    /// For a moment of a replace there is no file.
    RenameLeavesAGap,
    /// For a moment of a replace there is half a file.
    RenameTears,
    /// Nothing can be made durable.
    NoSync,
    /// A directory cannot be made durable.
    NoDirectorySync,
    /// Space cannot be allocated ahead.
    NoAllocation,
    /// Files keep no times.
    NoTimes,
    /// It has this owner.
    Owner(Owner),
    /// Others may write to it who are not to.
    OpenToOthers,
    /// The directory that is looked at has this mode.
    Mode(u32),
    /// It has this kind.
    Kind(Kind),
    /// This much is free.
    Free(u64),
    /// No further file can be made.
    NoMoreFiles,
    /// Syncing never returns.
    Hangs,
}
