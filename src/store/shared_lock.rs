//! OpenClaw's locks, held once for all of our processes that need them.
//!
//! Those that do are *members*. Each holds a kernel lock, the *proof*, shared: who gets it alone
//! knows that no member lives. They come and go one at a time, under another kernel lock, the
//! *turn*. The first makes OpenClaw's locks, each touches them, the last removes them. What they
//! look like stands in the file of the proof: who finds no living member and a lock that looks so
//! knows that its owner is dead, and removes it at once instead of waiting until it is stale.
//!
//! A refresh is a member during its network call, since early releases refresh under their store
//! lock and later ones under one for the profile. Of a document, the turn is its own lock, so a
//! write under it is excluded from every other of ours as well.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use parking_lot::Mutex;

use crate::model::time::Timestamp;
use crate::ports::files::{FileError, FileLock, Files, Sharing};
use crate::ports::lock::Wait;
use crate::ports::store::StoreError;

use super::error::at;
use super::io::{FileStore, Io};
use super::openclaw_lock::{self, LockFingerprint, LockPath, PATIENCE};

/// OpenClaw's locks that are held for long are touched this often; they go stale after 30 s.
const BEAT: Duration = Duration::from_secs(5);

/// The pause before a beat is tried again because it was somebody else's turn.
const AGAIN: Duration = Duration::from_millis(50);

/// The pauses between two looks where locks cannot be shared.
const PAUSES: RangeInclusive<Duration> = Duration::from_millis(5)..=Duration::from_millis(5);

/// What a line of the note begins with that describes a lock.
const WORD: &str = "lock";

/// Locks of OpenClaw that are held together, and where those who hold them meet.
#[derive(Clone, Debug)]
pub(super) struct SharedLock {
    /// The kernel lock under which members come and go.
    pub(super) turn: PathBuf,
    /// The kernel lock that every member holds.
    pub(super) proof: PathBuf,
    /// OpenClaw's locks.
    pub(super) sites: Vec<LockPath>,
    /// Whether the files of turn and proof go with the last member.
    pub(super) is_passing: bool,
}

/// One of those for whom OpenClaw is kept out. Dropped without [`Member::leave`], it is as if its
/// process had died: the next of us cleans up.
pub(super) struct Member {
    place: Arc<Place>,
    beats: Option<Sender<()>>,
}

/// A member's place, which its heartbeat knows as well.
struct Place {
    io: Io,
    shared: SharedLock,
    who: String,
    /// None once the member has left.
    proof: Mutex<Option<Proof>>,
}

/// That a member lives, and how it saw OpenClaw's locks last: a note on a full disk is none.
struct Proof {
    lock: Box<dyn FileLock>,
    seen: Vec<Mark>,
    /// The locks that it made itself.
    made: Vec<String>,
}

/// How one of OpenClaw's locks looks, by the name of its path.
type Mark = (String, LockFingerprint);

/// Becomes a member. Only for who holds the turn; it waits there for a living OpenClaw. `None` if a
/// member holds the proof alone, where locks cannot be shared: it keeps OpenClaw out for who holds
/// the turn.
pub(super) fn join(
    io: &Io,
    shared: SharedLock,
    who: String,
    wait: &Wait<'_>,
) -> Result<Option<Member>, StoreError> {
    let proof = &shared.proof;
    let lock = match io.files.try_lock(proof, Sharing::Exclusive)? {
        Some(mut alone) => {
            remove_locks(&*io.files, &shared.sites, &noted(io, proof)?)?;
            alone.share()?;
            alone
        }
        None => match io.files.try_lock(proof, Sharing::Shared)? {
            Some(lock) => lock,
            None => return Ok(None),
        },
    };
    let proof = Proof {
        lock,
        seen: Vec::new(),
        made: Vec::new(),
    };
    let place = Place {
        io: io.clone(),
        who,
        proof: Mutex::new(Some(proof)),
        shared,
    };
    let member = Member {
        place: Arc::new(place),
        beats: None,
    };
    match member.renew(wait) {
        Ok(()) => Ok(Some(member)),
        Err(error) => {
            member.leave();
            Err(error)
        }
    }
}

impl Member {
    /// Makes sure, under the turn, that OpenClaw is excluded: touches its locks, and takes those
    /// that were taken for stale.
    pub(super) fn renew(&self, wait: &Wait<'_>) -> Result<(), StoreError> {
        self.place.renew(Some(wait)).map(drop)
    }

    /// Touches the locks from now on, so that OpenClaw sees that one of us lives.
    pub(super) fn keep_fresh(&mut self) {
        let (stop, stopped) = channel::<()>();
        let place = Arc::clone(&self.place);
        let thread = std::thread::Builder::new().spawn(move || {
            let mut pause = BEAT;
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                pause = match place.beat() {
                    Ok(Beat::Done) => BEAT,
                    Ok(Beat::Later) => AGAIN,
                    Ok(Beat::Lost) => {
                        tracing::warn!("OpenClaw took a lock of ours for stale");
                        return;
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a lock could not be kept fresh");
                        BEAT
                    }
                };
            }
        });
        match thread {
            Ok(_) => self.beats = Some(stop),
            // A refresh takes less time than the locks take to go stale, but for a stalled disk.
            Err(error) => tracing::warn!(%error, "OpenClaw's locks are held without a heartbeat"),
        }
    }

    /// Leaves, under the turn; true if it was the last. What cannot be removed is left to the next.
    pub(super) fn leave(mut self) -> bool {
        drop(self.beats.take());
        let Place {
            io, shared, proof, ..
        } = &*self.place;
        let seen = proof.lock().take().map(|proof| proof.seen);
        let Ok(Some(mut alone)) = io.files.try_lock(&shared.proof, Sharing::Exclusive) else {
            return false;
        };
        let removed = noted(io, &shared.proof).and_then(|mut marks| {
            marks.extend(seen.into_iter().flatten());
            remove_locks(&*io.files, &shared.sites, &marks)
        });
        let removed = removed.and_then(|()| match shared.is_passing {
            true => alone.remove(),
            false => {
                alone.note(&self.place.who);
                Ok(())
            }
        });
        if let Err(error) = removed {
            tracing::warn!(%error, "a lock could not be removed; the next command does that");
        }
        true
    }
}

/// What became of a beat.
enum Beat {
    Done,
    /// It was somebody else's turn.
    Later,
    /// OpenClaw has taken the locks.
    Lost,
}

impl Place {
    fn beat(&self) -> Result<Beat, StoreError> {
        let turn = self
            .io
            .files
            .try_lock(&self.shared.turn, Sharing::Exclusive)?;
        let Some(turn) = turn else {
            return Ok(Beat::Later);
        };
        if self.proof.lock().is_none() {
            // It may have been the last, and the file is there for this look only.
            if self.shared.is_passing {
                turn.remove()?;
            }
            return Ok(Beat::Done);
        }
        Ok(match self.renew(None)? {
            true => Beat::Done,
            false => Beat::Lost,
        })
    }

    /// Touches every lock, or takes it anew if there is a `wait` to do so; false if one is lost.
    fn renew(&self, wait: Option<&Wait<'_>>) -> Result<bool, StoreError> {
        let mut proof = self.proof.lock();
        let Some(Proof { lock, seen, made }) = proof.as_mut() else {
            return Ok(true);
        };
        let (io, sites) = (&self.io, &self.shared.sites);
        let mut old = noted(io, &self.shared.proof)?;
        old.append(seen);
        for (place, site) in sites.iter().enumerate() {
            // A crash leaves those before as they were touched, and all others as they were; so
            // are those that only other members hold.
            let name = name_of(&site.path);
            let behind = |name: &str| !sites[..=place].iter().any(|s| name_of(&s.path) == name);
            let rest: Vec<Mark> = old
                .iter()
                .filter(|(name, _)| behind(name))
                .cloned()
                .collect();
            let mut note = |marks: &[LockFingerprint]| {
                let this = marks.iter().map(|mark| (name.clone(), *mark));
                let all = seen.iter().chain(&rest).cloned().chain(this);
                lock.note(&note_of(&self.who, all));
            };
            let touched = match find(io, &old, site)? {
                Some(mark) => {
                    let is_own = made.contains(&name);
                    openclaw_lock::beat(io, site, (mark, is_own), &mut note)?
                }
                None => None,
            };
            let mark = match (touched, wait) {
                (Some(mark), _) => mark,
                (None, Some(wait)) => {
                    let mark = openclaw_lock::acquire(io, site, wait, &mut |mark| note(&[mark]))?;
                    made.push(name.clone());
                    mark
                }
                (None, None) => return Ok(false),
            };
            seen.push((name, mark));
        }
        Ok(true)
    }
}

/// OpenClaw kept out by a member that holds no turn, for as long as this lives.
pub(super) struct Excluded<'a> {
    cx: &'a FileStore,
    member: Option<Member>,
}

/// Keeps OpenClaw out for as long as a refresh takes. Others of ours come and go meanwhile.
pub(super) fn exclude<'a>(
    cx: &'a FileStore,
    shared: &SharedLock,
    wait: &Wait<'_>,
) -> Result<Excluded<'a>, StoreError> {
    let busy = || StoreError::Busy {
        owner: cx.io.owner(&shared.proof),
        at: at(&shared.proof),
    };
    let joined = wait.retry(&*cx.io.clock, PAUSES, &|| busy().to_string(), || {
        let turn = cx.io.lock(&shared.turn, wait)?;
        let joined = join(&cx.io, shared.clone(), cx.io.note(), wait);
        if joined.is_err() && shared.is_passing {
            let _ = turn.remove();
        }
        let member = joined?;
        Ok::<_, StoreError>(member.map(|mut member| {
            member.keep_fresh();
            member
        }))
    });
    Ok(Excluded {
        cx,
        member: Some(joined?.ok_or_else(busy)?),
    })
}

impl Excluded<'_> {
    /// Takes the turn for a write under this exclusion.
    pub(super) fn take_turn(&self, wait: &Wait<'_>) -> Result<Box<dyn FileLock>, StoreError> {
        let member = self
            .member
            .as_ref()
            .expect("it leaves when this is dropped");
        let turn = self.cx.io.lock(&member.place.shared.turn, wait)?;
        member.renew(wait)?;
        Ok(turn)
    }
}

impl Drop for Excluded<'_> {
    fn drop(&mut self) {
        let Some(member) = self.member.take() else {
            return;
        };
        let place = Arc::clone(&member.place);
        let wait = self.cx.commit_wait(PATIENCE);
        match self.cx.io.lock(&place.shared.turn, &wait) {
            Ok(turn) => {
                let is_last = member.leave();
                if is_last && place.shared.is_passing {
                    let _ = turn.remove();
                }
            }
            Err(error) => tracing::warn!(%error, "a lock is left to the next command"),
        }
    }
}

/// The note: a line for people, then a line for each look of each lock.
fn note_of(who: &str, marks: impl Iterator<Item = Mark>) -> String {
    let lines = marks.map(|(name, mark)| {
        let (device, inode) = mark.identity;
        let modified = mark.modified.0;
        format!("{WORD} {device} {inode} {modified} {name}\n")
    });
    std::iter::once(who.to_owned()).chain(lines).collect()
}

/// How the locks look, by the note.
fn noted(io: &Io, proof: &Path) -> Result<Vec<Mark>, FileError> {
    let note = io.files.read(proof)?.unwrap_or_default();
    let note = String::from_utf8_lossy(&note);
    let lines = note.lines().filter_map(|line| {
        let mut words = line.splitn(5, ' ');
        let is_lock = words.next()? == WORD;
        let identity = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let modified = Timestamp(words.next()?.parse().ok()?);
        let name = words.next()?.to_owned();
        is_lock.then_some((name, LockFingerprint { identity, modified }))
    });
    Ok(lines.collect())
}

/// How the lock at a site looks, if it is one of ours.
fn find(io: &Io, marks: &[Mark], site: &LockPath) -> Result<Option<LockFingerprint>, FileError> {
    let name = name_of(&site.path);
    for (_, mark) in marks.iter().filter(|(other, _)| *other == name) {
        if mark.is_at(&*io.files, &site.path)? {
            return Ok(Some(*mark));
        }
    }
    Ok(None)
}

/// Removes the locks that look so. The proof is held alone, so nobody needs them.
fn remove_locks(files: &dyn Files, sites: &[LockPath], marks: &[Mark]) -> Result<(), FileError> {
    for (name, mark) in marks.iter().rev() {
        let site = sites.iter().find(|site| name_of(&site.path) == *name);
        match site {
            Some(site) => openclaw_lock::remove(files, &site.path, *mark)?,
            // Only another member had it. One whose name is escaped goes stale by itself.
            None => openclaw_lock::remove(files, Path::new(name.trim_matches('"')), *mark)?,
        }
    }
    Ok(())
}

/// A path in one line, whatever its bytes are.
fn name_of(path: &Path) -> String {
    format!("{path:?}")
}

#[cfg(test)]
mod tests;
