//! What can go wrong with a file system, and when.

use rustix::io::Errno;

/// What goes wrong from a given operation on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// That operation fails, whatever it is, and no other.
    Once(Errno),
    /// That operation and all that follow fail, as far as a file system in that state lets them: a
    /// full disk still removes, a read-only one still reads.
    From(Errno),
    /// The process dies before that operation: it and all that follow have no effect. What a dead
    /// process leaves behind lies there until [`super::MemoryFiles::next_process`].
    Death,
}

/// A step that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Read,
    Stat,
    List,
    Resolve,
    MakeDir,
    Create,
    /// Into space that is not there yet.
    Write,
    /// Into space that was reserved.
    Overwrite,
    Sync,
    Rename,
    SyncDirectory,
    Remove,
    Mode,
    Touch,
    Lock,
}

impl Fault {
    /// The error of the `now`-th step if this fault begins with the `first`-th.
    pub(super) fn strikes(self, step: Step, now: usize, first: usize) -> Option<Errno> {
        match self {
            Fault::Once(errno) => (now == first).then_some(errno),
            Fault::From(errno) => (now >= first && stops(errno, step)).then_some(errno),
            Fault::Death => (now >= first).then_some(Errno::IO),
        }
    }
}

/// Whether a file system that is in this state fails at this step.
fn stops(errno: Errno, step: Step) -> bool {
    use Step::{
        Create, List, Lock, MakeDir, Mode, Overwrite, Read, Remove, Rename, Sync, Touch, Write,
    };
    match errno {
        Errno::NOSPC | Errno::DQUOT => matches!(step, MakeDir | Create | Write | Sync),
        // An open file is not opened again.
        Errno::MFILE | Errno::NFILE => matches!(step, Read | List | Create | Lock),
        Errno::ROFS => matches!(
            step,
            MakeDir | Create | Write | Overwrite | Rename | Remove | Mode | Touch | Lock
        ),
        Errno::ACCESS | Errno::PERM => matches!(
            step,
            MakeDir | Create | Rename | Remove | Mode | Touch | Lock
        ),
        _ => true,
    }
}
