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

use std::io::ErrorKind;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use parking_lot::Mutex;

use crate::ports::files::{FileError, FileLock, Files, Sharing};
use crate::ports::lock::{SHORT, Wait};
use crate::ports::store::StoreError;

use super::error::at;
use super::io::{FileStore, Io};
use super::lock_note::{Mark, find, name_of, note_of, noted};
use super::lock_path::{LockFingerprint, LockPath};
use super::openclaw_lock;

/// OpenClaw's locks that are held for long are touched this often; they go stale after 30 s.
const BEAT: Duration = Duration::from_secs(5);

/// The pause before a beat is tried again because it was somebody else's turn, and how often that is
/// waited for: who has it for so long is stopped.
const AGAIN: Duration = Duration::from_millis(50);
const TURNS: usize = 200;

/// The pauses between two looks where locks cannot be shared.
const PAUSES: RangeInclusive<Duration> = Duration::from_millis(5)..=Duration::from_millis(5);

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
        let place = &self.place;
        place.renew(&place.shared.sites, Some(wait)).map(drop)
    }

    /// Touches the locks from now on, so that OpenClaw sees that one of us lives.
    pub(super) fn keep_fresh(&mut self) {
        let (stop, stopped) = channel::<()>();
        let place = Arc::clone(&self.place);
        let thread = std::thread::Builder::new().spawn(move || {
            let (mut pause, mut missed) = (BEAT, 0);
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                let beat = place.beat(missed >= TURNS);
                let is_later = matches!(beat, Ok(Beat::Later));
                missed = if is_later { missed + 1 } else { 0 };
                pause = match beat {
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
    /// Touches the locks; with `is_overdue` also out of turn, for OpenClaw may soon take a lock that
    /// nobody touches. Whoever is stopped in its turn then waits for a lock of ours at most.
    fn beat(&self, is_overdue: bool) -> Result<Beat, StoreError> {
        let turn = self
            .io
            .files
            .try_lock(&self.shared.turn, Sharing::Exclusive)?;
        let is_touched = match turn {
            None if !is_overdue => return Ok(Beat::Later),
            None => {
                let apart: Vec<LockPath> = self.shared.sites.iter().map(LockPath::apart).collect();
                self.renew(&apart, None)?
            }
            Some(turn) if self.proof.lock().is_none() => {
                // It may have been the last, and the file is there for this look only.
                if self.shared.is_passing {
                    turn.remove()?;
                }
                return Ok(Beat::Done);
            }
            Some(_turn) => self.renew(&self.shared.sites, None)?,
        };
        Ok(match is_touched {
            true => Beat::Done,
            false => Beat::Lost,
        })
    }

    /// Whether the note says how each lock looks, so that others of ours know them.
    fn is_noted(&self) -> Result<bool, FileError> {
        let marks = noted(&self.io, &self.shared.proof)?;
        for site in &self.shared.sites {
            if find(&self.io, &marks, site)?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Touches every lock, or takes it anew if there is a `wait` to do so; false if one is lost.
    fn renew(&self, sites: &[LockPath], wait: Option<&Wait<'_>>) -> Result<bool, StoreError> {
        let mut proof = self.proof.lock();
        let Some(Proof { lock, seen, made }) = proof.as_mut() else {
            return Ok(true);
        };
        let io = &self.io;
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
            let mut found = find(io, &old, site)?;
            if found.is_none() && old.iter().any(|(noted, _)| *noted == name) {
                // Another may have touched it out of turn.
                found = find(io, &noted(io, &self.shared.proof)?, site)?;
            }
            let touched = match found {
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
        let Some(mut member) = joined? else {
            return Ok(None);
        };
        // On a full disk nobody else would know the locks for ours, and all would wait for them.
        if !member.place.is_noted()? {
            member.leave();
            return Err(no_space(&shared.proof));
        }
        member.keep_fresh();
        Ok::<_, StoreError>(Some(member))
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

    /// Makes sure that OpenClaw is still kept out, with a new heartbeat: the old one has ended if
    /// OpenClaw took the locks of a process that slept.
    pub(super) fn renew(&mut self, wait: &Wait<'_>) -> Result<(), StoreError> {
        let _turn = self.take_turn(wait)?;
        if let Some(member) = &mut self.member {
            member.keep_fresh();
        }
        Ok(())
    }
}

impl Drop for Excluded<'_> {
    fn drop(&mut self) {
        let Some(member) = self.member.take() else {
            return;
        };
        let place = Arc::clone(&member.place);
        let wait = self.cx.commit_wait(SHORT);
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

fn no_space(path: &Path) -> StoreError {
    let error = FileError {
        operation: "write",
        path: path.to_owned(),
        source: ErrorKind::StorageFull.into(),
    };
    error.into()
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

#[cfg(test)]
mod tests;
