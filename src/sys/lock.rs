//! Kernel locks: they go with their process, so a lock can never be stale.
//!
//! The only file that knows `fs2`. Its methods are called by their full path: the standard library
//! has methods of the same names, with other errors, which would win silently.
#![expect(
    clippy::disallowed_methods,
    reason = "this file is the door to locks and opens their files"
)]

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use super::fs_error::failed;
use crate::ports::files::{FileError, FileLock, Sharing};

/// A held lock; closing the file frees it.
struct Held(File);

impl FileLock for Held {
    fn note(&mut self, text: &str) {
        // Best effort: a full disk must not stop the holder of a lock. Not truncated first, so that a
        // reader never finds it empty.
        let _ = self
            .0
            .rewind()
            .and_then(|()| self.0.write_all(text.as_bytes()))
            .and_then(|()| self.0.set_len(text.len() as u64));
    }
}

/// See [`crate::ports::files::Files::try_lock`].
pub(super) fn try_lock(
    path: &Path,
    sharing: Sharing,
) -> Result<Option<Box<dyn FileLock>>, FileError> {
    let take = |file: &File| match sharing {
        Sharing::Exclusive => fs2::FileExt::try_lock_exclusive(file),
        Sharing::Shared => fs2::FileExt::try_lock_shared(file),
    };
    match acquire(path, take) {
        Ok(lock) => Ok(Some(lock)),
        Err(error) if error.kind() == fs2::lock_contended_error().kind() => Ok(None),
        Err(error) => Err(failed("lock", path)(error)),
    }
}

/// See [`crate::ports::files::Files::lock`].
pub(super) fn lock(path: &Path, sharing: Sharing) -> Result<Box<dyn FileLock>, FileError> {
    let take = |file: &File| match sharing {
        Sharing::Exclusive => fs2::FileExt::lock_exclusive(file),
        Sharing::Shared => fs2::FileExt::lock_shared(file),
    };
    acquire(path, take).map_err(failed("lock", path))
}

/// Takes the lock of an open file that only its owner and sweepers know; false if it is held. It is
/// freed when the file is closed.
pub(super) fn claim(file: &File) -> io::Result<bool> {
    match fs2::FileExt::try_lock_exclusive(file) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == fs2::lock_contended_error().kind() => Ok(false),
        Err(error) => Err(error),
    }
}

fn acquire(path: &Path, take: impl Fn(&File) -> io::Result<()>) -> io::Result<Box<dyn FileLock>> {
    loop {
        let file = open(path)?;
        loop {
            match take(&file) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        }
        // Somebody may have removed the file by hand while we waited. A lock on a file that has no
        // name any more excludes nobody.
        let ours = file.metadata()?;
        match std::fs::metadata(path) {
            Ok(named) if (named.dev(), named.ino()) == (ours.dev(), ours.ino()) => {
                return Ok(Box::new(Held(file)));
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
}

/// The standard library opens close-on-exec: a browser we start must not inherit the lock.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn two_opens_exclude_each_other_and_shared_ones_do_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.lock");
        let free = |sharing| try_lock(&path, sharing).unwrap().is_some();

        let held = lock(&path, Sharing::Exclusive).unwrap();
        assert!(!free(Sharing::Exclusive));
        assert!(!free(Sharing::Shared));
        drop(held);

        let held = lock(&path, Sharing::Shared).unwrap();
        assert!(free(Sharing::Shared));
        assert!(!free(Sharing::Exclusive));
        drop(held);
        assert!(free(Sharing::Exclusive));
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_waiting_thread_gets_the_lock_only_after_it_is_free() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.lock");
        let held = lock(&path, Sharing::Exclusive).unwrap();
        let (tell, told) = mpsc::channel();
        let waiter = {
            let (path, tell) = (path.clone(), tell.clone());
            std::thread::spawn(move || {
                let lock = lock(&path, Sharing::Exclusive).unwrap();
                tell.send("waiter").unwrap();
                drop(lock);
            })
        };
        tell.send("owner").unwrap();
        drop(held);
        waiter.join().unwrap();
        assert_eq!(told.try_iter().collect::<Vec<_>>(), ["owner", "waiter"]);
    }

    #[test]
    fn a_note_replaces_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.lock");
        let mut held = lock(&path, Sharing::Exclusive).unwrap();
        held.note("a long first note");
        held.note("short");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "short");
    }

    #[test]
    fn a_missing_directory_is_an_error_and_not_a_busy_lock() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("none/x.lock");
        assert!(try_lock(&path, Sharing::Shared).is_err());
    }
}
