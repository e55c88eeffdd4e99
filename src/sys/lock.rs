//! Kernel locks: they go with their process, so a lock can never be stale.
//!
//! The only file that knows `fs2`. Its methods are called by their full path: the standard library
//! has methods of the same names, with other errors, which would win silently.
#![expect(
    clippy::disallowed_methods,
    reason = "this file takes locks and opens their files"
)]

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;

use rustix::fs::OFlags;

use super::file_trust::check_lock;
use super::fs_error::{failed, refuse_special};
use super::ownership;
use super::pieces::is_link;
use crate::ports::files::{FileError, FileLock, LockQueue, Sharing, SpecialFile};

const FLAGS: i32 = OFlags::NOFOLLOW.bits().cast_signed();

/// A held lock.
struct Held {
    file: File,
    path: PathBuf,
}

impl Drop for Held {
    fn drop(&mut self) {
        // Closing the file would not do: a child that another thread is just starting has a copy of
        // the descriptor until it runs its program.
        let _ = fs2::FileExt::unlock(&self.file);
    }
}

impl FileLock for Held {
    fn note(&mut self, text: &str) {
        // Best effort: a full disk must not stop the holder of a lock. Not truncated first, so that a
        // reader never finds it empty.
        let file = &mut self.file;
        let _ = file
            .rewind()
            .and_then(|()| file.write_all(text.as_bytes()))
            .and_then(|()| file.set_len(text.len() as u64));
    }

    fn share(&mut self) -> Result<(), FileError> {
        let shared = insist(|| fs2::FileExt::try_lock_shared(&self.file));
        shared.map_err(failed("lock", &self.path))
    }

    fn remove(self: Box<Self>) -> Result<(), FileError> {
        // Before the lock goes with the file: whoever opens the path from now on makes another,
        // and whoever has this one open finds out in `acquire`.
        std::fs::remove_file(&self.path).map_err(failed("remove", &self.path))
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

/// See [`crate::ports::files::Files::queue_for_lock`].
pub(super) fn queue(path: &Path, sharing: Sharing) -> Option<LockQueue> {
    let (sender, receiver) = channel();
    let path = path.to_owned();
    let wait = move || {
        let take = |file: &File| match sharing {
            Sharing::Exclusive => fs2::FileExt::lock_exclusive(file),
            Sharing::Shared => fs2::FileExt::lock_shared(file),
        };
        drop(sender.send(acquire(&path, take).map_err(failed("lock", &path))));
    };
    let thread = std::thread::Builder::new().spawn(wait);
    thread.ok().map(|_| receiver)
}

/// See [`crate::ports::files::Files::await_lock`].
pub(super) fn wait(path: &Path) -> Result<(), FileError> {
    let open = || OpenOptions::new().read(true).custom_flags(FLAGS).open(path);
    let wait = || match refuse_special(path).and_then(|()| open()) {
        Ok(file) => insist(|| fs2::FileExt::lock_shared(&file)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // Whoever may write here must not choose what root waits for.
        Err(error) if is_link(&error) => Err(io::Error::other(SpecialFile("a link"))),
        Err(error) => Err(error),
    };
    wait().map_err(failed("lock", path))
}

/// Does it again as often as a signal interrupts it.
fn insist(take: impl Fn() -> io::Result<()>) -> io::Result<()> {
    loop {
        match take() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
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
        refuse_special(path)?;
        let file = open(path)?;
        insist(|| take(&file))?;
        // Somebody may have removed the file since it was opened. A lock on a file that has no
        // name any more excludes nobody.
        let ours = file.metadata()?;
        check_lock(path, &ours)?;
        match std::fs::metadata(path) {
            Ok(named) if (named.dev(), named.ino()) == (ours.dev(), ours.ino()) => {
                let path = path.to_owned();
                return Ok(Box::new(Held { file, path }));
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
}

/// The standard library opens close-on-exec: a browser we start must not inherit the lock.
///
/// A link is not followed: who may write here must not choose what root creates or writes to.
fn open(path: &Path) -> io::Result<File> {
    loop {
        let mut options = OpenOptions::new();
        options.read(true).write(true).custom_flags(FLAGS);
        match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) if is_link(&error) => return Err(io::Error::other(SpecialFile("a link"))),
            other => return other,
        }
        match options.create_new(true).mode(0o600).open(path) {
            // Another process was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            other => return other.inspect(|file| ownership::like_parent(file, path)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn take(path: &Path, sharing: Sharing) -> Option<Box<dyn FileLock>> {
        try_lock(path, sharing).unwrap()
    }

    #[test]
    fn two_opens_exclude_each_other_and_shared_ones_do_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.lock");
        let free = |sharing| take(&path, sharing).is_some();

        let held = take(&path, Sharing::Exclusive).unwrap();
        assert!(!free(Sharing::Exclusive));
        assert!(!free(Sharing::Shared));
        drop(held);

        let held = take(&path, Sharing::Shared).unwrap();
        assert!(free(Sharing::Shared));
        assert!(!free(Sharing::Exclusive));
        drop(held);
        let mut held = take(&path, Sharing::Exclusive).unwrap();
        held.share().unwrap();
        assert!(free(Sharing::Shared));
        assert!(!free(Sharing::Exclusive));
        drop(held);
        assert!(free(Sharing::Exclusive));
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_waiter_wakes_only_after_the_lock_is_free_even_if_its_file_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.lock");
        wait(&path).unwrap();
        assert!(!path.exists(), "a wait makes no lock");
        for is_removed in [false, true] {
            let held = take(&path, Sharing::Exclusive).unwrap();
            let (tell, told) = mpsc::channel();
            let waiter = {
                let (path, tell) = (path.clone(), tell.clone());
                std::thread::spawn(move || {
                    wait(&path).unwrap();
                    tell.send("waiter").unwrap();
                })
            };
            tell.send("owner").unwrap();
            match is_removed {
                true => held.remove().unwrap(),
                false => drop(held),
            }
            waiter.join().unwrap();
            assert_eq!(told.try_iter().collect::<Vec<_>>(), ["owner", "waiter"]);
            assert_eq!(path.exists(), !is_removed);
        }
    }

    #[test]
    fn a_queue_gives_the_lock_when_it_is_free_and_frees_it_if_nobody_wants_it_any_more() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.lock");
        let held = take(&path, Sharing::Exclusive).unwrap();
        let (wanted, given_up) = (
            queue(&path, Sharing::Exclusive).unwrap(),
            queue(&path, Sharing::Exclusive).unwrap(),
        );
        drop(given_up);
        assert!(wanted.try_recv().is_err());
        // Whoever is first, and though the file is another one by then.
        held.remove().unwrap();
        let taken = wanted.recv().unwrap().unwrap();
        assert!(take(&path, Sharing::Shared).is_none());
        drop(taken);
        let last = queue(&path, Sharing::Exclusive).unwrap();
        drop(last.recv().unwrap().unwrap());
    }

    #[test]
    fn a_lock_that_goes_with_its_file_never_has_two_holders() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.lock");
        let inside = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let mut turns = 0;
                    while turns < 300 {
                        let Some(held) = take(&path, Sharing::Exclusive) else {
                            std::thread::yield_now();
                            continue;
                        };
                        use std::sync::atomic::Ordering::SeqCst;
                        assert_eq!(inside.fetch_add(1, SeqCst), 0);
                        turns += 1;
                        std::thread::yield_now();
                        inside.fetch_sub(1, SeqCst);
                        match turns % 2 {
                            0 => held.remove().unwrap(),
                            _ => drop(held),
                        }
                    }
                });
            }
        });
    }

    #[test]
    fn a_note_replaces_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.lock");
        let mut held = take(&path, Sharing::Exclusive).unwrap();
        held.note("a long first note");
        held.note("short");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "short");
    }

    #[test]
    fn a_link_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let [real, link] = ["real", "link"].map(|name| dir.path().join(name));
        std::fs::File::create(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert!(wait(&real).is_ok());
        assert!(wait(&link).is_err());
    }

    #[test]
    fn a_missing_directory_is_an_error_and_not_a_busy_lock() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("none/x.lock");
        assert!(try_lock(&path, Sharing::Shared).is_err());
    }
}
