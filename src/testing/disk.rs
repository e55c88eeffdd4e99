//! Faults of real disks, for files in memory.

use std::io;
use std::path::{Path, PathBuf};

use crate::ports::disk::{Disk, Kind, LockContender, Owner, Volume};
use crate::ports::files::{FileError, FileLock, Files, Sharing};

use super::files::MemoryFiles;
use super::quirk::Quirk;

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

    fn share(&mut self) -> Result<(), FileError> {
        Ok(())
    }

    fn remove(self: Box<Self>) -> Result<(), FileError> {
        Ok(())
    }
}

struct Other {
    files: MemoryFiles,
    lock: Option<Box<dyn FileLock>>,
}

impl LockContender for Other {
    fn has_lock(&self) -> bool {
        self.lock.is_some()
    }

    fn kill(mut self: Box<Self>) -> Result<(), FileError> {
        if self.files.has(&Quirk::LocksStay) {
            // Nobody lets go of it any more.
            std::mem::forget(self.lock.take());
        }
        Ok(())
    }
}

/// What is asked of a disk whose files lie in memory, by its quirks.
impl Disk for MemoryFiles {
    fn volume(&self, _: &Path) -> Result<Volume, FileError> {
        let mut volume = Volume {
            kind: Kind::Local("ext4"),
            free: 1 << 40,
            free_files: Some(1 << 20),
        };
        for quirk in self.quirks() {
            match quirk {
                Quirk::Kind(kind) => volume.kind = kind,
                Quirk::Free(free) => volume.free = free,
                Quirk::NoMoreFiles => volume.free_files = Some(0),
                _ => {}
            }
        }
        Ok(volume)
    }

    fn owner(&self, _: &Path) -> Result<Owner, FileError> {
        let owner = self.quirks().into_iter().find_map(|quirk| match quirk {
            Quirk::Owner(owner) => Some(owner),
            _ => None,
        });
        Ok(owner.unwrap_or(Owner::User))
    }

    fn strangers(&self, _: &Path) -> Result<Vec<PathBuf>, FileError> {
        Ok(Vec::new())
    }

    fn adopt(&self, _: &Path) -> Result<usize, FileError> {
        Ok(0)
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
            files: self.clone(),
            lock,
        }))
    }
}
