//! When a lock of OpenClaw is stale: a foreign one by its own release's rule, and one whose time lies
//! in the future by what our own clock saw.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

use crate::model::time::Timestamp;
use crate::ports::files::{FileError, Files, Stat};
use crate::ports::host::Clock;
use crate::ports::store::StoreError;

use super::lock_path::{LockFingerprint, LockPath, PATIENCE};

/// A file whose owner seems to be dead is left alone for this long: the owner may live in another
/// container, whose processes we do not see, and nobody holds such a lock for longer.
const UNSEEN: Duration = Duration::from_secs(5);

/// A lock whose time is further ahead than this was made by another clock.
const AHEAD: Duration = Duration::from_secs(60);
pub(super) const NOT_A_LOCK: &str = "there are files in it, so it is no lock";

/// A lock from the future, and when it was first seen as it is.
pub(super) type Watched = Option<(LockFingerprint, Duration)>;

/// Removes the lock at a site if it is stale; true if it is gone.
pub(super) fn remove_stale(
    files: &dyn Files,
    clock: &dyn Clock,
    site: &LockPath,
    watched: &mut Watched,
) -> Result<bool, StoreError> {
    let path = &site.path;
    let Some(stat) = files.stat(path)? else {
        return Ok(true);
    };
    let mark = LockFingerprint::of(&stat);
    let is_stale = match clock.now().after(AHEAD) < stat.modified {
        true => is_silent((files, clock), site, &stat, watched)?,
        false => is_stale(files, clock.now(), path, &stat, site.stale)?,
    };
    // Somebody may have replaced it while it was judged.
    if !is_stale || !mark.is_at(files, path)? {
        return Ok(false);
    }
    if stat.is_dir && !files.list(path)?.is_empty() {
        // OpenClaw makes none with something in it, and could not remove it either.
        let source = io::Error::new(ErrorKind::DirectoryNotEmpty, NOT_A_LOCK);
        return Err(StoreError::from(FileError {
            operation: "take the lock",
            path: path.clone(),
            source,
        }));
    }
    Ok(files.remove(path).is_ok())
}

/// Whether nobody has touched a lock for so long, by our own clock. One whose time is in the future,
/// since a clock was set back or files were copied, would look fresh for ever.
fn is_silent(
    (files, clock): (&dyn Files, &dyn Clock),
    site: &LockPath,
    stat: &Stat,
    watched: &mut Watched,
) -> Result<bool, FileError> {
    let (mark, now) = (LockFingerprint::of(stat), clock.monotonic());
    let since = match watched {
        Some((seen, since)) if *seen == mark => *since,
        _ => {
            *watched = Some((mark, now));
            now
        }
    };
    let silence = now.saturating_sub(since);
    if silence >= site.stale || (silence > UNSEEN && is_of_dead(files, &site.path, stat)?) {
        return Ok(true);
    }
    // Nobody waits for so long at once, so who comes later goes on counting.
    Ok(site.stale > PATIENCE && is_long_seen((files, clock), site, mark))
}

/// Whether we saw a lock as it is so long ago; if not at all, notes that we do now. Best effort:
/// without the note it counts as seen for the first time.
fn is_long_seen(
    (files, clock): (&dyn Files, &dyn Clock),
    site: &LockPath,
    mark: LockFingerprint,
) -> bool {
    let note = site.seen();
    let ((device, inode), modified) = (mark.identity, mark.modified.0);
    let what = format!("{device} {inode} {modified}");
    let text = files.read(&note).ok().flatten().unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let since = text.strip_prefix(&what);
    let since = since.and_then(|since| since.trim().parse().ok());
    match since.map(Timestamp) {
        // A clock that was set back once may be set back again.
        Some(since) if since <= clock.now() => since.after(site.stale) < clock.now(),
        _ => {
            let text = format!("{what} {}", clock.now().0);
            if let Err(error) = files.replace_relaxed(&note, text.as_bytes()) {
                tracing::info!(%error, "that a lock lies in the future is not remembered");
            }
            false
        }
    }
}

/// Whether the file of a lock names a process that is dead, as far as we see.
fn is_of_dead(files: &dyn Files, path: &Path, stat: &Stat) -> Result<bool, FileError> {
    if stat.is_dir {
        return Ok(false);
    }
    let bytes = files.read(path)?.unwrap_or_default();
    let (pid, _) = payload(&bytes);
    Ok(pid.is_some_and(|pid| !files.process_lives(pid)))
}

pub(super) fn is_stale(
    files: &dyn Files,
    now: Timestamp,
    path: &Path,
    stat: &Stat,
    stale: Duration,
) -> Result<bool, StoreError> {
    let is_older = |moment: Timestamp, age| moment.after(age) < now;
    if stat.is_dir || is_older(stat.modified, stale) {
        return Ok(is_older(stat.modified, stale));
    }
    let bytes = files.read(path)?.unwrap_or_default();
    let (pid, created) = payload(&bytes);
    let is_dead = pid.is_some_and(|pid| !files.process_lives(pid));
    Ok((is_dead && is_older(stat.modified, UNSEEN))
        || created.is_some_and(|created| is_older(created, stale)))
}

/// Owner and time that the file of a lock names.
pub(super) fn payload(bytes: &[u8]) -> (Option<u32>, Option<Timestamp>) {
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(bytes) else {
        return (None, None);
    };
    let pid = value["pid"].as_u64().and_then(|pid| pid.try_into().ok());
    let created = value["createdAt"]
        .as_str()
        .and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok())
        .map(|time| Timestamp(time.timestamp_millis()));
    (pid, created)
}
