//! Waiting for a lock: never without a limit, ended by a signal, and naming the owner.
//!
//! Every wait of this program for another process goes through [`Wait`]. Short locks, which are
//! held while one file is read and replaced, are taken with [`lock_within`] and [`SHORT`].

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use super::dialog::{Dialog, Notice};
use super::files::{FileError, FileLock, Files, Sharing};
use super::host::{Clock, Interrupt, Signal};
use crate::model::id::printable;
use crate::model::time::Timestamp;

/// The limit for a lock that is held while one small file is read and replaced. That takes
/// milliseconds, and seconds on a disk in trouble; after ten the owner is stopped or hangs.
pub const SHORT: Duration = Duration::from_secs(10);

/// So long a wait needs no words.
const SILENCE: Duration = Duration::from_secs(2);

/// How often a waiter in the kernel's queue looks whether it shall stop.
const LOOK: Duration = Duration::from_millis(20);

/// The pauses between two looks at a kernel lock that has no queue.
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
    /// Whom to tell what is waited for, once the wait has taken a while.
    pub dialog: Option<&'a dyn Dialog>,
}

impl Wait<'static> {
    /// A wait that no signal ends.
    pub const fn uninterrupted(limit: Duration) -> Self {
        Self {
            limit,
            interrupt: None,
            dialog: None,
        }
    }
}

impl Wait<'_> {
    /// Calls `attempt` until it gives something, with growing pauses; `None` if it has given
    /// nothing when the limit passes. It is called once at least. `blocked` says what is in the way,
    /// for a person who would wonder why nothing happens.
    ///
    /// # Errors
    /// The first error of `attempt`, or a signal.
    pub fn retry<T, E: From<LockError>>(
        &self,
        clock: &dyn Clock,
        pauses: RangeInclusive<Duration>,
        blocked: &dyn Fn() -> String,
        mut attempt: impl FnMut() -> Result<Option<T>, E>,
    ) -> Result<Option<T>, E> {
        let start = clock.monotonic();
        let mut pause = *pauses.start();
        let mut untold = self.dialog;
        loop {
            if let Some(done) = attempt()? {
                return Ok(Some(done));
            }
            if let Some(signal) = self.interrupt.and_then(Interrupt::pending) {
                return Err(LockError::Interrupted(signal).into());
            }
            let passed = clock.monotonic().saturating_sub(start);
            if passed >= self.limit {
                return Ok(None);
            }
            if let Some(dialog) = untold.take_if(|_| passed >= SILENCE) {
                let text = format!("waiting: {}", blocked());
                dialog.notice(&Notice::Info(text.into()));
            }
            clock.sleep(pause);
            pause = (pause * 2).min(*pauses.end());
        }
    }
}

impl Wait<'_> {
    /// Waits for what a thread hands over that the kernel keeps waiting; where there is none, or it
    /// is gone, `poll` is tried again and again. `None` if the limit passes.
    ///
    /// # Errors
    /// What was handed over, the first error of `poll`, or a signal.
    pub fn receive<T>(
        &self,
        clock: &dyn Clock,
        blocked: &dyn Fn() -> String,
        queue: Option<&Receiver<Result<T, FileError>>>,
        mut poll: impl FnMut() -> Result<Option<T>, FileError>,
    ) -> Result<Option<T>, LockError> {
        // A crowd that polls takes its turns by chance, each after a pause in which nobody works.
        let Some(queue) = queue else {
            return self.retry(clock, PAUSES, blocked, || Ok(poll()?));
        };
        let no_pause = Duration::ZERO..=Duration::ZERO;
        self.retry(clock, no_pause, blocked, || {
            match queue.recv_timeout(LOOK) {
                Ok(received) => Ok(Some(received?)),
                Err(RecvTimeoutError::Timeout) => Ok(None),
                Err(RecvTimeoutError::Disconnected) => Ok(poll()?),
            }
        })
    }
}

/// Takes the kernel lock of the file at `path`; whoever must wait does so in the kernel's queue, where
/// there is one. An exclusive holder is noted in the file.
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
    let busy = || LockError::Busy {
        path: path.to_owned(),
        owner: owner(files, clock, path),
    };
    let lock = match files.try_lock(path, sharing)? {
        Some(lock) => Some(lock),
        None if wait.limit.is_zero() => None,
        None => {
            let queue = files.queue_for_lock(path, sharing);
            let blocked = || busy().to_string();
            let poll = || files.try_lock(path, sharing);
            wait.receive(clock, &blocked, queue.as_ref(), poll)?
        }
    };
    let mut lock = lock.ok_or_else(busy)?;
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

/// Who holds the lock at `path`: what its holder has noted, with its time as `clock` tells times, or
/// the process that the system names if that has noted nothing.
pub fn owner(files: &dyn Files, clock: &dyn Clock, path: &Path) -> Option<String> {
    let noted = noted(files, clock, path);
    match files.lock_holder(path) {
        Some(pid) if !noted.as_ref().is_some_and(|note| is_of(note, pid)) => {
            Some(format!("pid {pid}"))
        }
        _ => noted,
    }
}

fn is_of(note: &str, pid: u32) -> bool {
    let words: Vec<&str> = note.split(' ').take(2).collect();
    words == ["pid", &pid.to_string()]
}

fn noted(files: &dyn Files, clock: &dyn Clock, path: &Path) -> Option<String> {
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
    use parking_lot::Mutex;

    use super::*;
    use crate::model::secret::Secret;
    use crate::ports::dialog::{DialogError, Question};
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
            interrupt: Some(&Signalled),
            ..Wait::uninterrupted(SHORT)
        };
        lock(&files, &clock, &wait).unwrap();
        let path = Path::new("/l/x.lock");
        let _held = files.try_lock(path, Sharing::Shared).unwrap();
        let ended = lock(&files, &clock, &wait).unwrap_err();
        assert!(matches!(ended, LockError::Interrupted(Signal::TERMINATE)));
        assert_eq!(clock.monotonic(), Duration::ZERO);
    }

    /// A dialog that remembers what it told.
    #[derive(Default)]
    struct Heard(Mutex<Vec<String>>);

    impl Dialog for Heard {
        fn notice(&self, notice: &Notice) {
            self.0.lock().push(format!("{notice:?}"));
        }

        fn ask(&self, _: &Question, _: &dyn Fn() -> bool) -> Result<Secret<String>, DialogError> {
            Err(DialogError::NobodyThere)
        }

        fn can_ask(&self) -> bool {
            false
        }
    }

    #[test]
    fn a_long_wait_is_told_once_with_the_owner_and_a_short_one_is_not() {
        let (files, clock) = (MemoryFiles::new(), FakeClock::new(Timestamp(0)));
        files.create_dirs(Path::new("/l")).unwrap();
        let path = Path::new("/l/x.lock");
        let none = Wait::uninterrupted(SHORT);
        let _held = lock_within(&files, &clock, path, Sharing::Exclusive, &none).unwrap();
        let heard = Heard::default();
        for (limit, told) in [(SILENCE / 2, 0), (SHORT, 1)] {
            let wait = Wait {
                dialog: Some(&heard),
                ..Wait::uninterrupted(limit)
            };
            lock(&files, &clock, &wait).unwrap_err();
            assert_eq!(heard.0.lock().len(), told);
        }
        let told = heard.0.lock().concat();
        assert!(told.contains("waiting: /l/x.lock is locked by"), "{told}");
        assert!(
            told.contains(&format!("pid {}", std::process::id())),
            "{told}"
        );
    }
}
