//! Files, durably, and locks that cannot go stale.
//!
//! An implementation owes: a replace that leaves either the old or the new content whole after a
//! crash at any point (temp file in the same directory, 0600 from the start, write, fsync, rename,
//! fsync of the directory; a symlink is resolved first so that it survives; where a rename is
//! refused because the file is a mount point, a durable copy beside it, then in place); directories
//! 0700; locks of the kernel, freed when their owner dies.
//!
//! The store and the configuration are written against this trait, so that a test can fail any
//! operation of theirs.

use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;

use crate::model::time::Timestamp;

pub use super::file_error::{FileError, InPlace, Outgrown, SpecialFile, TooLarge, Untrusted};
pub use super::pieces::Pieces;
pub use super::stat::Stat;

/// What another program wrote in the place of a file, now that ours is there.
#[derive(Clone, PartialEq, Eq)]
pub struct Displaced {
    /// Where it lies. Whoever has merged it removes it.
    pub path: PathBuf,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Displaced {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Displaced({}, {} bytes)",
            self.path.display(),
            self.bytes.len()
        )
    }
}

/// What became of a replace of what had been read before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Replaced {
    /// It is in place, and nobody had written there meanwhile.
    Done,
    /// It is in place, and this came out.
    Displaced(Displaced),
    /// It is not in place: this is there now, or nothing is.
    Changed(Option<Vec<u8>>),
}

/// What a file says that decides what this program does.
pub struct Judged {
    /// Its content.
    pub bytes: Vec<u8>,
    /// Whether it belongs to a user in whose directory root works. It is followed, but the commands
    /// that it names are not run with the rights of root.
    pub is_anothers: bool,
}

/// Whether a lock keeps everybody else out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// One holder.
    Exclusive,
    /// Any number of holders, none of them exclusive.
    Shared,
}

/// A lock that is held until this is dropped, or its process dies.
pub trait FileLock: Send {
    /// Replaces the note in the lock file. It tells people who holds the lock, and what the next
    /// holder must know if this one dies. Who reads it meanwhile may find a part of the old note
    /// behind the new one.
    fn note(&mut self, text: &str);

    /// Lets others share what was held alone. Only where nobody else is about to take it: the kernel
    /// lets go for a moment.
    ///
    /// # Errors
    /// Whatever the system says.
    fn share(&mut self) -> Result<(), FileError>;

    /// Removes the file and lets go. Only for who holds the lock for itself: whoever takes a lock
    /// looks afterwards whether the file still bears its name, and begins anew where it does not.
    ///
    /// # Errors
    /// Whatever the system says; the lock is let go all the same.
    fn remove(self: Box<Self>) -> Result<(), FileError>;
}

/// Where a lock arrives that is waited for.
pub type LockQueue = Receiver<Result<Box<dyn FileLock>, FileError>>;

/// Space for one later replace, allocated now, so that the replace cannot fail for want of it.
pub trait Reservation: Send {
    /// Makes `bytes` the content of the path that was reserved for. Same promise as
    /// [`Files::replace`].
    ///
    /// # Errors
    /// As for [`Files::replace`].
    fn fill(self: Box<Self>, bytes: &[u8]) -> Result<(), FileError>;

    /// The same, with the promise of [`Files::replace_over`].
    ///
    /// # Errors
    /// As for [`Files::replace_over`].
    fn fill_over(self: Box<Self>, seen: Option<&[u8]>, bytes: &[u8])
    -> Result<Replaced, FileError>;
}

/// A file that lies ready for one short write, so that this write cannot fail for want of a name,
/// of space, or of a file descriptor.
pub trait Prepared: Send {
    /// Writes `bytes` behind what the file begins with, and makes them durable.
    ///
    /// # Errors
    /// If either fails.
    fn append(&mut self, bytes: &[u8]) -> Result<(), FileError>;
}

/// The file system.
pub trait Files: Send + Sync {
    /// The whole content, or `None` if nothing is there.
    ///
    /// # Errors
    /// If it is there and cannot be read; a device, a pipe or a socket is not read, nor what neither
    /// this user nor root owns ([`Untrusted`]).
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, FileError>;

    /// The same for reading it piece by piece.
    ///
    /// # Errors
    /// As [`Files::read`].
    fn open(&self, path: &Path) -> Result<Option<Box<dyn Pieces>>, FileError>;

    /// The same of a file that decides what this program does: nobody else may have been able to
    /// write it.
    ///
    /// # Errors
    /// As [`Files::read`], and [`Untrusted`] if others may write to the file, or to a directory of
    /// this user that names it.
    fn read_settings(&self, path: &Path) -> Result<Option<Vec<u8>>, FileError> {
        Ok(self.read_judged(path)?.map(|judged| judged.bytes))
    }

    /// The same, with whose it is.
    ///
    /// # Errors
    /// As [`Files::read_settings`].
    fn read_judged(&self, path: &Path) -> Result<Option<Judged>, FileError> {
        let bytes = self.read(path)?;
        Ok(bytes.map(|bytes| Judged {
            bytes,
            is_anothers: false,
        }))
    }

    /// Judges what decides, or names what decides, what this program does, without reading it.
    ///
    /// # Errors
    /// As [`Files::read_settings`].
    fn check_settings(&self, _path: &Path) -> Result<(), FileError> {
        Ok(())
    }

    /// Judges a directory that secrets lie in; one that is not there is nobody's.
    ///
    /// # Errors
    /// [`Untrusted`] if neither this user nor root owns it.
    fn check_directory(&self, _path: &Path) -> Result<(), FileError> {
        Ok(())
    }

    /// The same of a file that a person named as input of one command: it may be a pipe, which is
    /// waited for.
    ///
    /// # Errors
    /// As [`Files::read`]; what comes from a pipe has a limit.
    fn read_input(&self, path: &Path) -> Result<Option<Vec<u8>>, FileError> {
        self.read(path)
    }

    /// Reads a file that holds a secret and nobody else can read: of this user, by one name, and of
    /// at most so many bytes.
    ///
    /// # Errors
    /// As [`Files::read`], and [`Untrusted`] if it is one of somebody else, or open to others.
    fn read_private(&self, path: &Path, _longest: u64) -> Result<Option<Vec<u8>>, FileError> {
        self.read(path)
    }

    /// Reads a key: as what decides, and closed to others if it is this user's own. One that root gave
    /// to a service, or a container, is as open as root made it.
    ///
    /// # Errors
    /// As [`Files::read_settings`], and [`Untrusted`] if it is open to others.
    fn read_key(&self, path: &Path) -> Result<Option<Vec<u8>>, FileError> {
        self.read_settings(path)
    }

    /// What is at `path`, a symlink followed, or `None` if nothing is.
    ///
    /// # Errors
    /// If that cannot be found out.
    fn stat(&self, path: &Path) -> Result<Option<Stat>, FileError>;

    /// The names in a directory, sorted; none if it does not exist.
    ///
    /// # Errors
    /// If it cannot be read.
    fn list(&self, directory: &Path) -> Result<Vec<String>, FileError>;

    /// The path with every symlink resolved; where the last component does not exist, its parent's
    /// resolved path with that component.
    ///
    /// # Errors
    /// If a directory on the way is missing or unreadable, or the links form a loop.
    fn resolve(&self, path: &Path) -> Result<PathBuf, FileError>;

    /// Creates a directory and its parents, 0700 each; one that exists stays as it is.
    ///
    /// # Errors
    /// If one of them cannot be created, and [`Untrusted`] if the directory, or the one that it would
    /// be created in, belongs to neither this user nor root.
    fn create_dirs(&self, path: &Path) -> Result<(), FileError>;

    /// Makes `bytes` the content of `path`, durably and at once; mode 0600. The directory exists.
    ///
    /// # Errors
    /// If any step fails; what was there before is untouched then, unless it
    /// [`is_in_place`](FileError::is_in_place).
    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), FileError>;

    /// Replaces a file whose content was `seen` (`None` for none), and loses nothing that another
    /// program writes there meanwhile: it comes out in one step with the replace, and lies beside the
    /// file, durably, under a name that [`swap`](super::swap) knows. Where the file system has no such
    /// step, the content is compared right before the replace.
    ///
    /// # Errors
    /// As for [`Files::replace`].
    fn replace_over(
        &self,
        path: &Path,
        seen: Option<&[u8]>,
        bytes: &[u8],
    ) -> Result<Replaced, FileError>;

    /// Replaces a file whose content may be lost in a power failure: that it
    /// [`is_in_place`](FileError::is_in_place) is no error.
    ///
    /// # Errors
    /// If any other step fails; what was there before is untouched then.
    fn replace_relaxed(&self, path: &Path, bytes: &[u8]) -> Result<(), FileError> {
        match self.replace(path, bytes) {
            Err(error) if error.is_in_place() => Ok(()),
            other => other,
        }
    }

    /// Prepares a replace of `path` by up to `size` bytes.
    ///
    /// # Errors
    /// If the directory is not writable or the space is not there.
    fn reserve(&self, path: &Path, size: u64) -> Result<Box<dyn Reservation + '_>, FileError>;

    /// Creates a file that was not there, mode 0600, that begins with `head` and has `room` bytes
    /// allocated behind it; its name is durable. Where space cannot be allocated ahead, the room is zeros.
    ///
    /// # Errors
    /// If any step fails; nothing is left behind then.
    fn prepare(
        &self,
        path: &Path,
        head: &[u8],
        room: u64,
    ) -> Result<Box<dyn Prepared + '_>, FileError>;

    /// Adds `bytes` to the end of a file, durably. Where there is none it is made, mode 0600. For who
    /// holds a lock: nobody else adds to it meanwhile.
    ///
    /// # Errors
    /// If any step fails. A part of the bytes may be there then, as after a crash in the middle.
    fn append(&self, path: &Path, bytes: &[u8]) -> Result<(), FileError>;

    /// Creates a file that was not there, mode `mode`, without any promise of durability.
    ///
    /// # Errors
    /// `AlreadyExists` if it was there; else whatever the system says.
    fn create_new(&self, path: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError>;

    /// Creates one directory that was not there, mode from the umask.
    ///
    /// # Errors
    /// `AlreadyExists` if it was there; else whatever the system says.
    fn create_dir_new(&self, path: &Path) -> Result<(), FileError>;

    /// Sets access and modification time.
    ///
    /// # Errors
    /// Whatever the system says.
    fn touch(&self, path: &Path, time: Timestamp) -> Result<(), FileError>;

    /// Moves a directory to a name that nothing bears; where that lies on another file system, the
    /// original goes when a copy is durable. Left unfinished, it can be done again.
    ///
    /// # Errors
    /// Whatever the system says; the original is as it was, unless it was removed in part after the
    /// copy was whole.
    fn move_dir(&self, from: &Path, to: &Path) -> Result<(), FileError>;

    /// Removes a directory with all that is in it; links in it are not followed, and nothing there is
    /// no error.
    ///
    /// # Errors
    /// Whatever the system says; a part may be gone then.
    fn remove_tree(&self, path: &Path) -> Result<(), FileError>;

    /// Renames, within one file system, replacing a file at `to`.
    ///
    /// # Errors
    /// Whatever the system says.
    fn rename(&self, from: &Path, to: &Path) -> Result<(), FileError>;

    /// Gives a file or directory a name that nothing bears, and never replaces anything.
    ///
    /// # Errors
    /// `AlreadyExists` if something bears it; `Unsupported` where the file system cannot tell.
    fn rename_new(&self, from: &Path, to: &Path) -> Result<(), FileError>;

    /// The same, durably, on every file system: where that cannot tell whether something bears the
    /// name, an empty file takes it first, which a crash may leave.
    ///
    /// # Errors
    /// `AlreadyExists` if something bears it that is not empty. Unless it
    /// [`is_in_place`](FileError::is_in_place), it has its old name then.
    fn publish(&self, from: &Path, to: &Path) -> Result<(), FileError> {
        self.rename_new(from, to)
    }

    /// Removes a file, or an empty directory; nothing there is no error.
    ///
    /// # Errors
    /// Whatever the system says.
    fn remove(&self, path: &Path) -> Result<(), FileError>;

    /// Sets the permission bits.
    ///
    /// # Errors
    /// Whatever the system says.
    fn set_mode(&self, path: &Path, mode: u32) -> Result<(), FileError>;

    /// Takes the kernel lock of the file at `path`, which is created if need be, must never be
    /// renamed, and is removed by [`FileLock::remove`] alone; `None` if another process holds it in a
    /// way that excludes `sharing`.
    ///
    /// # Errors
    /// If the file cannot be created, or its file system has no locks.
    fn try_lock(
        &self,
        path: &Path,
        sharing: Sharing,
    ) -> Result<Option<Box<dyn FileLock>>, FileError>;

    /// Takes the kernel lock of the file at `path` as soon as whoever holds it lets go, on a thread
    /// of its own, for a caller that may give up: a lock that nobody receives is freed at once.
    /// `None` where it can only be tried again and again.
    fn queue_for_lock(&self, _path: &Path, _sharing: Sharing) -> Option<LockQueue> {
        None
    }

    /// Blocks, without limit, until no process holds the lock of the file at `path` exclusively; a
    /// lock that does not exist is held by none. Creates nothing. The kernel wakes all waiters at
    /// once. Only for a thread that may be left behind; all others use
    /// [`lock_within`](super::lock::lock_within).
    ///
    /// # Errors
    /// As for [`Files::try_lock`].
    fn await_lock(&self, path: &Path) -> Result<(), FileError>;

    /// The process that holds a kernel lock, as the system knows it; `None` where it cannot be told.
    fn lock_holder(&self, _path: &Path) -> Option<u32> {
        None
    }

    /// How this process is named in the note of a lock that it holds.
    fn process_name(&self) -> String {
        format!("pid {}", std::process::id())
    }

    /// How many files this process may have open at once; `None` if there is no limit.
    fn open_limit(&self) -> Option<u64> {
        None
    }

    /// Whether a process with this id lives on this machine, as far as we can see.
    fn process_lives(&self, pid: u32) -> bool;
}
