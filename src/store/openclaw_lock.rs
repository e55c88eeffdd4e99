//! The locks of OpenClaw itself, one at a time: how each is made, kept fresh, judged and removed.
//!
//! Two flavours lie at the same path: early releases make a directory, later ones a file with the
//! owner's pid. Either excludes every release; which one we make only decides who can clean up
//! after a crash of ours. A foreign lock is judged stale by its own release's rule.

use std::io::ErrorKind;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use crate::model::time::Timestamp;
use crate::ports::files::{FileError, Files};
use crate::ports::lock::Wait;
use crate::ports::store::StoreError;

use super::error::at;
use super::io::Io;
use super::lock_path::{LockFingerprint, LockFormat, LockPath, STORE_STALE};
use super::stale_lock::{payload, remove_stale};

/// The pauses between two looks at a lock of OpenClaw.
const PAUSES: RangeInclusive<Duration> = Duration::from_millis(20)..=Duration::from_millis(100);

/// When a lock that several of us hold is stale after its last touch, whatever its kind: no longer
/// than anybody of OpenClaw waits.
const SHARED_STALE: Duration = STORE_STALE;

/// Whom the file of a lock names. OpenClaw removes one whose owner is dead at once, whoever of us may
/// live besides; where it names nobody, only its times count.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Named {
    Us,
    Nobody,
}

/// Makes the lock, waiting for a living holder for as long as `wait` says. `note` is told
/// what the lock looks like before anybody can see it, so that a crash of ours at any point leaves
/// nothing that the next of us does not know for ours.
pub(super) fn acquire(
    io: &Io,
    site: &LockPath,
    wait: &Wait<'_>,
    note: &mut dyn FnMut(LockFingerprint),
) -> Result<LockFingerprint, StoreError> {
    let (files, clock) = (&*io.files, &*io.clock);
    let busy = || StoreError::Busy {
        at: at(&site.path),
        owner: Some(owner(files, &site.path)),
    };
    let mut watched = None;
    let made = wait.retry(clock, PAUSES, &|| busy().to_string(), || {
        // Once more at once where a stale one went; what is there and cannot be seen, a link to
        // nowhere, would look so for ever.
        for _ in 0..2 {
            match make(io, site, note) {
                Ok(mark) => return Ok(Some(mark)),
                Err(error) if error.source.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(StoreError::from(error)),
            }
            if !remove_stale(files, clock, site, &mut watched)? {
                break;
            }
        }
        Ok(None)
    });
    let made = made?.ok_or_else(busy)?;
    if watched.is_some() {
        files.remove(&site.seen())?;
    }
    Ok(made)
}

fn make(
    io: &Io,
    site: &LockPath,
    note: &mut dyn FnMut(LockFingerprint),
) -> Result<LockFingerprint, FileError> {
    let files = &*io.files;
    let draft = &site.draft;
    // What a crash left there.
    files.remove(draft)?;
    create(io, draft, site, Named::Us)?;
    let made = mark(io, draft, io.clock.now()).and_then(|mark| {
        note(mark);
        files.rename_new(draft, &site.path).map(|()| mark)
    });
    match made {
        // A crash between these two lines leaves a lock that nobody knows; it goes stale.
        Err(error) if error.source.kind() == ErrorKind::Unsupported => {
            files.remove(draft)?;
            create(io, &site.path, site, Named::Us)?;
            let mark = mark(io, &site.path, io.clock.now())?;
            note(mark);
            Ok(mark)
        }
        Err(error) => {
            files.remove(draft)?;
            Err(error)
        }
        Ok(mark) => Ok(mark),
    }
}

fn create(io: &Io, path: &Path, site: &LockPath, named: Named) -> Result<(), FileError> {
    match site.flavour {
        LockFormat::Directory => io.files.create_dir_new(path),
        LockFormat::File => {
            let created = time_of(io, site, named).iso8601();
            let pid = match named {
                Named::Us => format!("\n  \"pid\": {},", std::process::id()),
                Named::Nobody => String::new(),
            };
            let note = format!("{{{pid}\n  \"createdAt\": \"{created}\"\n}}");
            io.files.create_new(path, note.as_bytes(), 0o644)
        }
    }
}

/// The time that the file of a lock is given now.
fn time_of(io: &Io, site: &LockPath, named: Named) -> Timestamp {
    let age = match named {
        Named::Us => Duration::ZERO,
        // So that a crash of all of us is over before anybody has given up waiting.
        Named::Nobody => site.stale.saturating_sub(SHARED_STALE),
    };
    let now = io.clock.now();
    let age = i64::try_from(age.as_millis()).unwrap_or_default();
    Timestamp(now.0.saturating_sub(age))
}

/// Gives what lies at `path` a time of ours.
fn mark(io: &Io, path: &Path, now: Timestamp) -> Result<LockFingerprint, FileError> {
    io.files.touch(path, now)?;
    let stat = io.files.stat(path)?;
    // What is not there any more matches nothing.
    Ok(stat.map_or(
        LockFingerprint {
            identity: (0, 0),
            modified: now,
        },
        |stat| LockFingerprint::of(&stat),
    ))
}

/// Keeps a lock of ours from going stale; `is_own` says that who touches it made it. `note` is told
/// both what it looks like and what it will. `None` if it is not ours any more.
pub(super) fn beat(
    io: &Io,
    site: &LockPath,
    (old, is_own): (LockFingerprint, bool),
    note: &mut dyn FnMut(&[LockFingerprint]),
) -> Result<Option<LockFingerprint>, FileError> {
    let files = &*io.files;
    let Some(stat) = files.stat(&site.path)? else {
        return Ok(None);
    };
    if LockFingerprint::of(&stat) != old {
        return Ok(None);
    }
    // Another of ours may have taken the OpenClaw beside us for one of another release.
    let new = match stat.is_dir {
        true => {
            let new = LockFingerprint {
                modified: io.clock.now(),
                ..old
            };
            note(&[old, new]);
            files.touch(&site.path, new.modified)?;
            // Some file systems keep whole seconds only.
            match files.stat(&site.path) {
                Ok(Some(seen)) if seen.identity == old.identity => LockFingerprint::of(&seen),
                Ok(_) => return Ok(None),
                Err(_) => new,
            }
        }
        false => {
            let site = &LockPath {
                flavour: LockFormat::File,
                ..site.clone()
            };
            let draft = &site.draft;
            files.remove(draft)?;
            let named = match is_own {
                true => named(files, &site.path)?,
                false => Named::Nobody,
            };
            create(io, draft, site, named)?;
            let new = mark(io, draft, time_of(io, site, named))?;
            note(&[old, new]);
            files.rename(draft, &site.path)?;
            new
        }
    };
    note(&[new]);
    Ok(Some(new))
}

/// Whom the file of a lock names; once another of ours has touched it, that is nobody.
fn named(files: &dyn Files, path: &Path) -> Result<Named, FileError> {
    let bytes = files.read(path)?.unwrap_or_default();
    Ok(match payload(&bytes).0 {
        Some(pid) if pid == std::process::id() => Named::Us,
        _ => Named::Nobody,
    })
}

/// Removes a lock if it is still the one that `mark` describes.
pub(super) fn remove(
    files: &dyn Files,
    path: &Path,
    mark: LockFingerprint,
) -> Result<(), FileError> {
    // A peer that took us for dead may have made its own lock here meanwhile.
    match mark.is_at(files, path)? {
        true => files.remove(path),
        false => Ok(()),
    }
}

fn owner(files: &dyn Files, path: &Path) -> String {
    let bytes = files.read(path).ok().flatten().unwrap_or_default();
    match payload(&bytes).0 {
        Some(pid) => format!("OpenClaw (pid {pid})"),
        None => "OpenClaw".to_owned(),
    }
}

#[cfg(test)]
mod tests;
