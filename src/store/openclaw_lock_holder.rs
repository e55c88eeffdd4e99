//! Who of us holds OpenClaw's locks of a document.
//!
//! One process of ours at a time, the *holder*, has OpenClaw's locks of a document, and proves that
//! it lives by a kernel lock beside them. The note in that lock's file says what OpenClaw's locks
//! of the holder look like: whoever gets the kernel lock and finds them knows that their owner is
//! dead, and removes them at once instead of waiting until they are stale.
//!
//! A refresh holds them during its network call, since early releases refresh under their store
//! lock. Other writers of ours do not wait for that: the holder excludes OpenClaw for all of us, and
//! the document's own lock, under which the holder comes and goes, excludes us from each other.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use parking_lot::Mutex;

use crate::model::time::Timestamp;
use crate::ports::files::{FileError, FileLock, Files, Sharing};
use crate::ports::lock::Wait;
use crate::ports::store::StoreError;

use super::io::Io;
use super::openclaw_lock::{self, LockFingerprint, LockPath};

/// OpenClaw's locks that are held for long are touched this often; they go stale after 30 s.
const BEAT: Duration = Duration::from_secs(5);

/// A holder that touches its locks is caught in the middle at most once.
const LOOKS: usize = 3;

/// What a line of the note begins with that describes a lock.
const WORD: &str = "lock";

/// OpenClaw's locks of one document, held; dropping it lets go. Only to be dropped under the
/// document's lock, so that nobody of us is relying on them at that moment.
pub(super) struct Holder {
    locks: Arc<Mutex<Locks>>,
    beats: Option<Sender<()>>,
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.beats.take());
        self.locks.lock().release();
    }
}

struct Locks {
    io: Io,
    held: Vec<(LockPath, LockFingerprint)>,
    who: String,
    /// The proof that this process lives; none if another holder has lost OpenClaw's locks.
    proof: Option<Box<dyn FileLock>>,
}

/// What a process finds that wants OpenClaw's locks of a document.
pub(super) enum Taken {
    /// It has them now.
    Ours(Holder),
    /// Another process of ours has them.
    Another,
}

/// Takes OpenClaw's locks at `sites` for us; `proof` is the path of the kernel lock. Only for who
/// holds the document's lock.
pub(super) fn take(
    io: &Io,
    (proof, sites): (&Path, Vec<LockPath>),
    who: String,
    wait: &Wait<'_>,
) -> Result<Taken, StoreError> {
    let proven = io.files.try_lock(proof, Sharing::Exclusive)?;
    match proven {
        Some(_) => remove_leftovers(&*io.files, proof)?,
        None if is_intact(&*io.files, proof, &sites)? => return Ok(Taken::Another),
        // It slept for so long that OpenClaw took it for dead, and finds that out when it wakes.
        None => {}
    }
    let mut locks = Locks {
        io: io.clone(),
        held: Vec::new(),
        who,
        proof: proven,
    };
    for site in sites {
        if let Err(error) = locks.acquire(site, wait) {
            locks.release();
            return Err(error);
        }
    }
    Ok(Taken::Ours(Holder {
        locks: Arc::new(Mutex::new(locks)),
        beats: None,
    }))
}

impl Locks {
    fn acquire(&mut self, site: LockPath, wait: &Wait<'_>) -> Result<(), StoreError> {
        let (proof, who, held) = (&mut self.proof, &self.who, &self.held);
        let mut note = |mark| {
            let marks = held.iter().map(|(site, mark)| (site.path.as_path(), *mark));
            tell(proof, who, marks.chain([(site.path.as_path(), mark)]));
        };
        let mark = openclaw_lock::acquire(&self.io, &site, wait, &mut note)?;
        self.held.push((site, mark));
        Ok(())
    }

    /// Whether every lock is still ours after a beat.
    fn beat(&mut self) -> Result<bool, FileError> {
        for place in 0..self.held.len() {
            let (site, mark) = self.held[place].clone();
            let (proof, who, held) = (&mut self.proof, &self.who, &self.held);
            let mut note = |marks: &[LockFingerprint]| {
                let others = held.iter().enumerate().filter(|(other, _)| *other != place);
                let others = others.map(|(_, (site, mark))| (site.path.as_path(), *mark));
                let this = marks.iter().map(|mark| (site.path.as_path(), *mark));
                tell(proof, who, others.chain(this));
            };
            match openclaw_lock::beat(&self.io, &site, mark, &mut note)? {
                Some(mark) => self.held[place].1 = mark,
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    fn release(&mut self) {
        let mut is_clean = true;
        for (site, mark) in self.held.drain(..).rev() {
            if let Err(error) = openclaw_lock::remove(&*self.io.files, &site.path, mark) {
                tracing::warn!(%error, "a lock could not be removed; the next command does that");
                is_clean = false;
            }
        }
        if is_clean {
            tell(&mut self.proof, &self.who, std::iter::empty());
        }
        self.proof = None;
    }
}

impl Holder {
    /// Touches the locks from now on, so that OpenClaw sees that we live.
    pub(super) fn keep_fresh(&mut self) {
        let (stop, stopped) = channel::<()>();
        let locks = Arc::clone(&self.locks);
        let thread = std::thread::Builder::new().spawn(move || {
            while stopped.recv_timeout(BEAT) == Err(RecvTimeoutError::Timeout) {
                match locks.lock().beat() {
                    Ok(true) => {}
                    Ok(false) => {
                        tracing::warn!("OpenClaw took a lock of ours for stale");
                        return;
                    }
                    Err(error) => tracing::warn!(%error, "a lock could not be kept fresh"),
                }
            }
        });
        match thread {
            Ok(_) => self.beats = Some(stop),
            // A refresh takes less time than the locks take to go stale, but for a stalled disk.
            Err(error) => tracing::warn!(%error, "OpenClaw's locks are held without a heartbeat"),
        }
    }

    /// Makes sure, before a write, that OpenClaw is still excluded.
    pub(super) fn renew(&self, wait: &Wait<'_>) -> Result<(), StoreError> {
        let mut locks = self.locks.lock();
        if locks.beat()? {
            return Ok(());
        }
        let sites: Vec<LockPath> = locks.held.iter().map(|(site, _)| site.clone()).collect();
        for (site, mark) in std::mem::take(&mut locks.held) {
            openclaw_lock::remove(&*locks.io.files, &site.path, mark)?;
        }
        for site in sites {
            locks.acquire(site, wait)?;
        }
        Ok(())
    }
}

/// Writes the note: a line for people, then a line for each look of each lock.
fn tell<'a>(
    proof: &mut Option<Box<dyn FileLock>>,
    who: &str,
    marks: impl Iterator<Item = (&'a Path, LockFingerprint)>,
) {
    let lines = marks.map(|(path, mark)| {
        let (device, inode) = mark.identity;
        let (modified, path) = (mark.modified.0, path.display());
        format!("{WORD} {device} {inode} {modified} {path}\n")
    });
    let text: String = std::iter::once(who.to_owned()).chain(lines).collect();
    if let Some(proof) = proof {
        proof.note(&text);
    }
}

fn marks(note: &[u8]) -> Vec<(PathBuf, LockFingerprint)> {
    let note = String::from_utf8_lossy(note);
    let lines = note.lines().filter_map(|line| {
        let mut words = line.splitn(5, ' ');
        let is_lock = words.next()? == WORD;
        let identity = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let modified = Timestamp(words.next()?.parse().ok()?);
        let path = PathBuf::from(words.next()?);
        is_lock.then_some((path, LockFingerprint { identity, modified }))
    });
    lines.collect()
}

/// Removes what a holder that died has left. The kernel lock is ours, so it is dead.
fn remove_leftovers(files: &dyn Files, proof: &Path) -> Result<(), FileError> {
    let note = files.read(proof)?.unwrap_or_default();
    for (path, mark) in marks(&note) {
        openclaw_lock::remove(files, &path, mark)?;
    }
    Ok(())
}

/// Whether the locks of the living holder are where they should be. Looked at more than once, for
/// it may be touching them just now.
fn is_intact(files: &dyn Files, proof: &Path, sites: &[LockPath]) -> Result<bool, FileError> {
    for _ in 0..LOOKS {
        let marks = marks(&files.read(proof)?.unwrap_or_default());
        let mut is_intact = true;
        for site in sites {
            let mut found = false;
            for (_, mark) in marks.iter().filter(|(path, _)| *path == site.path) {
                found |= mark.is_at(files, &site.path)?;
            }
            is_intact &= found;
        }
        if is_intact {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::openclaw_lock::{LockFormat, STORE_STALE};
    use crate::testing::clock::FakeClock;
    use crate::testing::files::MemoryFiles;

    const DOCUMENT_LOCK: &str = "/a/auth-profiles.json.lock";
    const AT_ONCE: Wait<'static> = Wait::uninterrupted(Duration::ZERO);
    const PROOF: &str = "/l/peers.lock";

    struct Case {
        memory: MemoryFiles,
        io: Io,
        flavour: LockFormat,
    }

    impl Case {
        fn new(flavour: LockFormat) -> Self {
            let memory = MemoryFiles::new();
            memory.put(Path::new("/a/x"), "");
            memory.put(Path::new(PROOF), "");
            Self {
                io: Io {
                    files: Arc::new(memory.clone()),
                    clock: Arc::new(FakeClock::new(Timestamp(1_790_000_000_000))),
                },
                memory,
                flavour,
            }
        }

        fn take(&self) -> Result<Taken, StoreError> {
            let site = LockPath::new(DOCUMENT_LOCK.into(), self.flavour, STORE_STALE, "next");
            let what = (Path::new(PROOF), vec![site]);
            let who = "pid 1 on here\n".to_owned();
            take(&self.io, what, who, &AT_ONCE)
        }

        fn ours(&self) -> Holder {
            match self.take().unwrap() {
                Taken::Ours(holder) => holder,
                Taken::Another => panic!("held by another"),
            }
        }

        fn is_there(&self) -> bool {
            self.memory
                .stat(Path::new(DOCUMENT_LOCK))
                .unwrap()
                .is_some()
        }
    }

    #[test]
    fn one_of_us_holds_and_the_others_rely_on_it() {
        for flavour in [LockFormat::Directory, LockFormat::File] {
            let case = Case::new(flavour);
            let holder = case.ours();
            assert!(case.is_there());
            assert!(matches!(case.take(), Ok(Taken::Another)));
            holder.renew(&AT_ONCE).unwrap();
            assert!(matches!(case.take(), Ok(Taken::Another)));
            drop(holder);
            assert!(!case.is_there());
            drop(case.ours());
        }
    }

    #[test]
    fn a_lock_that_was_taken_for_stale_is_left_to_its_new_owner() {
        for flavour in [LockFormat::Directory, LockFormat::File] {
            let case = Case::new(flavour);
            let holder = case.ours();
            let lock = Path::new(DOCUMENT_LOCK);
            case.memory.remove(lock).unwrap();
            case.memory.create_dir_new(lock).unwrap();
            case.memory.touch(lock, case.io.clock.now()).unwrap();
            assert!(matches!(
                holder.renew(&AT_ONCE),
                Err(StoreError::Busy { .. })
            ));
            assert!(matches!(case.take(), Err(StoreError::Busy { .. })));
            drop(holder);
            assert!(case.is_there());
            case.memory.remove(lock).unwrap();
            drop(case.ours());
        }
    }

    #[test]
    fn what_a_crash_left_half_made_is_in_nobodys_way() {
        let case = Case::new(LockFormat::Directory);
        case.memory
            .create_dirs(Path::new("/a/auth-profiles.json.lock.next"))
            .unwrap();
        drop(case.ours());
        assert!(!case.is_there());
    }
}
