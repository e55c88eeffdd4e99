//! Waiting for a lock: never without a limit, ended by a signal, and naming the owner.
//!
//! Every wait of this program for another process goes through [`Wait`]. Short locks, which are
//! held while one file is read and replaced, are taken with [`lock_within`] and [`SHORT`].

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::files::{FileError, FileLock, Files, Sharing};
use super::host::{Clock, Interrupt, Signal};
use crate::model::id::printable;
use crate::model::time::Timestamp;

/// The limit for a lock that is held while one small file is read and replaced. That takes
/// milliseconds, and seconds on a disk in trouble; after ten the owner is stopped or hangs.
pub const SHORT: Duration = Duration::from_secs(10);

/// The pauses between two looks at a kernel lock.
const PAUSES: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_millis(8);

/// Between the holder and the time in its note.
const SINCE: &str = " since ";

/// At most this many characters of an owner's note are shown.
const SHOWN: usize = 200;

/// A lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// A file operation failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// Another process holds it and did not release it in time.
    #[error("{} is locked{}", path.display(), owner.as_ref().map_or_else(String::new, |owner| format!(" by {owner}")))]
    Busy {
        /// The lock.
        path: PathBuf,
        /// What the lock file says about its holder.
        owner: Option<String>,
    },
    /// A signal ended the wait.
    #[error("interrupted")]
    Interrupted(Signal),
}

/// How long to wait for another process.
#[derive(Clone, Copy)]
pub struct Wait<'a> {
    /// At most this long.
    pub limit: Duration,
    /// Ends the wait sooner; `None` where a commit depends on the lock.
    pub interrupt: Option<&'a dyn Interrupt>,
}

impl Wait<'static> {
    /// A wait that no signal ends.
    pub const fn uninterrupted(limit: Duration) -> Self {
        Self {
            limit,
            interrupt: None,
        }
    }
}

impl Wait<'_> {
    /// Calls `attempt` until it gives something, with growing pauses; `None` if it has given
    /// nothing when the limit passes. It is called once at least.
    ///
    /// # Errors
    /// The first error of `attempt`, or a signal.
    pub fn retry<T, E: From<LockError>>(
        &self,
        clock: &dyn Clock,
        pauses: RangeInclusive<Duration>,
        mut attempt: impl FnMut() -> Result<Option<T>, E>,
    ) -> Result<Option<T>, E> {
        let start = clock.monotonic();
        let mut pause = *pauses.start();
        loop {
            if let Some(done) = attempt()? {
                return Ok(Some(done));
            }
            if let Some(signal) = self.interrupt.and_then(Interrupt::pending) {
                return Err(LockError::Interrupted(signal).into());
            }
            if clock.monotonic().saturating_sub(start) >= self.limit {
                return Ok(None);
            }
            clock.sleep(pause);
            pause = (pause * 2).min(*pauses.end());
        }
    }
}

/// Takes the kernel lock of the file at `path`. An exclusive holder is noted in the file.
///
/// # Errors
/// [`LockError::Busy`] with the owner once the limit has passed.
pub fn lock_within(
    files: &dyn Files,
    clock: &dyn Clock,
    path: &Path,
    sharing: Sharing,
    wait: &Wait<'_>,
) -> Result<Box<dyn FileLock>, LockError> {
    let lock = wait.retry(clock, PAUSES, || {
        files.try_lock(path, sharing).map_err(LockError::from)
    })?;
    let Some(mut lock) = lock else {
        return Err(LockError::Busy {
            path: path.to_owned(),
            owner: owner(files, clock, path),
        });
    };
    if sharing == Sharing::Exclusive {
        lock.note(&owner_note(files, clock));
    }
    Ok(lock)
}

/// What the holder of an exclusive lock notes in its file.
pub fn owner_note(files: &dyn Files, clock: &dyn Clock) -> String {
    let now = clock.now().iso8601();
    format!("{}{SINCE}{now}\n", files.process_name())
}

/// What the holder of the lock at `path` has noted, with its time as `clock` tells times.
pub fn owner(files: &dyn Files, clock: &dyn Clock, path: &Path) -> Option<String> {
    let bytes = files.read(path).ok().flatten()?;
    let note = String::from_utf8_lossy(&bytes);
    let note = note.lines().next()?;
    let since = note.rsplit_once(SINCE);
    let since = since.and_then(|(who, since)| Some((who, Timestamp::read(since)?)));
    let note = since.map_or_else(
        || note.to_owned(),
        |(who, since)| format!("{who}{SINCE}{}", clock.local().clock(since)),
    );
    let note = printable(&note, SHOWN);
    (!note.is_empty()).then_some(note)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::clock::FakeClock;
    use crate::testing::files::MemoryFiles;

    struct Signalled;

    impl Interrupt for Signalled {
        fn defer(&self) {}

        fn pending(&self) -> Option<Signal> {
            Some(Signal::TERMINATE)
        }
    }

    fn lock(files: &MemoryFiles, clock: &FakeClock, wait: &Wait<'_>) -> Result<(), LockError> {
        let path = Path::new("/l/x.lock");
        lock_within(files, clock, path, Sharing::Exclusive, wait).map(drop)
    }

    #[test]
    fn a_held_lock_is_waited_for_until_the_limit_and_its_owner_is_named() {
        let (files, clock) = (MemoryFiles::new(), FakeClock::new(Timestamp(0)));
        files.create_dirs(Path::new("/l")).unwrap();
        let wait = Wait::uninterrupted(SHORT);
        lock(&files, &clock, &wait).unwrap();
        assert_eq!(clock.monotonic(), Duration::ZERO);
        let path = Path::new("/l/x.lock");
        let _held = lock_within(&files, &clock, path, Sharing::Exclusive, &wait).unwrap();
        let busy = lock(&files, &clock, &wait).unwrap_err().to_string();
        assert!(
            busy.contains(&format!("pid {}", std::process::id())),
            "{busy}"
        );
        assert!(busy.contains("since 00:00"), "{busy}");
        assert!(clock.monotonic() >= SHORT);
    }

    #[test]
    fn a_signal_ends_the_wait_but_not_what_needs_none() {
        let (files, clock) = (MemoryFiles::new(), FakeClock::new(Timestamp(0)));
        files.create_dirs(Path::new("/l")).unwrap();
        let wait = Wait {
            limit: SHORT,
            interrupt: Some(&Signalled),
        };
        lock(&files, &clock, &wait).unwrap();
        let path = Path::new("/l/x.lock");
        let _held = files.try_lock(path, Sharing::Shared).unwrap();
        let ended = lock(&files, &clock, &wait).unwrap_err();
        assert!(matches!(ended, LockError::Interrupted(Signal::TERMINATE)));
        assert_eq!(clock.monotonic(), Duration::ZERO);
    }
}
