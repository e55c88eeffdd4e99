//! A disk in memory that fails in the ways of disks that somebody has.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use std::io;

use crate::model::time::Timestamp;
use crate::ports::disk::{Disk, Kind, LockContender, Volume};
use crate::ports::files::{FileError, FileLock, Files, Prepared, Reservation, Sharing, Stat};

use super::files::MemoryFiles;

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
    /// It belongs to somebody else.
    NotOurs,
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

/// Files in memory, and what is wrong with them.
#[derive(Clone)]
pub struct QuirkyDisk {
    files: MemoryFiles,
    quirks: Vec<Quirk>,
    /// What rivals hold, so that it can outlive them.
    stuck: Arc<Mutex<Vec<Box<dyn FileLock>>>>,
}

impl QuirkyDisk {
    /// Over `files`, with these quirks.
    pub fn new(files: MemoryFiles, quirks: &[Quirk]) -> Self {
        Self {
            files,
            quirks: quirks.to_vec(),
            stuck: Arc::default(),
        }
    }

    fn has(&self, quirk: &Quirk) -> bool {
        self.quirks.contains(quirk)
    }
}

fn failed(operation: &'static str, path: &Path, kind: io::ErrorKind) -> FileError {
    FileError {
        operation,
        path: path.to_owned(),
        source: kind.into(),
    }
}

struct NoLock;

impl FileLock for NoLock {
    fn note(&mut self, _: &str) {}
}

struct Other {
    disk: QuirkyDisk,
    lock: Option<Box<dyn FileLock>>,
}

impl LockContender for Other {
    fn has_lock(&self) -> bool {
        self.lock.is_some()
    }

    fn kill(mut self: Box<Self>) -> Result<(), FileError> {
        if self.disk.has(&Quirk::LocksStay) {
            let mut stuck = self
                .disk
                .stuck
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            stuck.extend(self.lock.take());
        }
        Ok(())
    }
}

impl Disk for QuirkyDisk {
    fn volume(&self, _: &Path) -> Result<Volume, FileError> {
        let mut volume = Volume {
            kind: Kind::Local("ext4"),
            free: 1 << 40,
            free_files: Some(1 << 20),
        };
        for quirk in &self.quirks {
            match quirk {
                Quirk::Kind(kind) => volume.kind = kind.clone(),
                Quirk::Free(free) => volume.free = *free,
                Quirk::NoMoreFiles => volume.free_files = Some(0),
                _ => {}
            }
        }
        Ok(volume)
    }

    fn is_ours(&self, _: &Path) -> Result<bool, FileError> {
        Ok(!self.has(&Quirk::NotOurs))
    }

    fn sync(&self, path: &Path) -> Result<(), FileError> {
        let is_dir = self.stat(path)?.is_some_and(|stat| stat.is_dir);
        if self.has(&Quirk::Hangs) {
            loop {
                std::thread::park();
            }
        }
        if self.has(&Quirk::NoSync) || (is_dir && self.has(&Quirk::NoDirectorySync)) {
            return Err(failed("sync", path, io::ErrorKind::InvalidInput));
        }
        Ok(())
    }

    fn allocate(&self, _: &Path, _: u64) -> Result<bool, FileError> {
        Ok(!self.has(&Quirk::NoAllocation))
    }

    fn rival(&self, path: &Path) -> Result<Box<dyn LockContender>, FileError> {
        if self.has(&Quirk::NoRival) {
            return Err(failed("start", path, io::ErrorKind::NotFound));
        }
        let lock = match self.has(&Quirk::LocksEndAtTheProcess) {
            true => Some(Box::new(NoLock) as Box<dyn FileLock>),
            false => self.try_lock(path, Sharing::Exclusive)?,
        };
        Ok(Box::new(Other {
            disk: self.clone(),
            lock,
        }))
    }
}

impl Files for QuirkyDisk {
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, FileError> {
        let bytes = self.files.read(path)?;
        if path.ends_with("renamed") {
            if self.has(&Quirk::RenameLeavesAGap) {
                return Ok(None);
            }
            if self.has(&Quirk::RenameTears) {
                return Ok(bytes.map(|bytes| bytes[1..].to_vec()));
            }
        }
        Ok(bytes)
    }

    fn stat(&self, path: &Path) -> Result<Option<Stat>, FileError> {
        let mut stat = self.files.stat(path)?;
        if let Some(stat) = &mut stat {
            for quirk in &self.quirks {
                match quirk {
                    Quirk::WideModes if !stat.is_dir => stat.mode = 0o777,
                    Quirk::Mode(mode) if stat.is_dir => stat.mode = *mode,
                    _ => {}
                }
            }
        }
        Ok(stat)
    }

    fn list(&self, directory: &Path) -> Result<Vec<String>, FileError> {
        self.files.list(directory)
    }

    fn resolve(&self, path: &Path) -> Result<std::path::PathBuf, FileError> {
        self.files.resolve(path)
    }

    fn create_dirs(&self, path: &Path) -> Result<(), FileError> {
        self.files.create_dirs(path)
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), FileError> {
        self.files.replace(path, bytes)
    }

    fn reserve(&self, path: &Path, size: u64) -> Result<Box<dyn Reservation + '_>, FileError> {
        self.files.reserve(path, size)
    }

    fn prepare(
        &self,
        path: &Path,
        head: &[u8],
        room: u64,
    ) -> Result<Box<dyn Prepared + '_>, FileError> {
        self.files.prepare(path, head, room)
    }

    fn create_new(&self, path: &Path, bytes: &[u8], mode: u32) -> Result<(), FileError> {
        match self.has(&Quirk::CreatesTwice) {
            true => self.files.replace(path, bytes),
            false => self.files.create_new(path, bytes, mode),
        }
    }

    fn create_dir_new(&self, path: &Path) -> Result<(), FileError> {
        self.files.create_dir_new(path)
    }

    fn touch(&self, path: &Path, time: Timestamp) -> Result<(), FileError> {
        match self.has(&Quirk::NoTimes) {
            true => Ok(()),
            false => self.files.touch(path, time),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), FileError> {
        self.files.rename(from, to)
    }

    fn rename_new(&self, from: &Path, to: &Path) -> Result<(), FileError> {
        self.files.rename_new(from, to)
    }

    fn remove(&self, path: &Path) -> Result<(), FileError> {
        self.files.remove(path)
    }

    fn set_mode(&self, path: &Path, mode: u32) -> Result<(), FileError> {
        self.files.set_mode(path, mode)
    }

    fn try_lock(
        &self,
        path: &Path,
        sharing: Sharing,
    ) -> Result<Option<Box<dyn FileLock>>, FileError> {
        if self.has(&Quirk::NoLocks) {
            return Err(failed("lock", path, io::ErrorKind::Unsupported));
        }
        if self.has(&Quirk::LocksExcludeNobody) {
            return Ok(Some(Box::new(NoLock)));
        }
        let sharing = match self.has(&Quirk::LocksCannotBeShared) {
            true => Sharing::Exclusive,
            false => sharing,
        };
        self.files.try_lock(path, sharing)
    }

    fn lock(&self, path: &Path, sharing: Sharing) -> Result<Box<dyn FileLock>, FileError> {
        self.files.lock(path, sharing)
    }

    fn process_lives(&self, pid: u32) -> bool {
        self.files.process_lives(pid)
    }
}
