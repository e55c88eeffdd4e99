//! The locks of OpenClaw itself, held while we write so that both programs can run at once.
//!
//! Two flavours lie at the same path: early releases make a directory, later ones a file with the
//! owner's pid. Either excludes every release; which one we make only decides who can clean up
//! after a crash of ours. A foreign lock is judged stale by its own release's rule.
//!
//! No heartbeat thread: a document write takes milliseconds and a refresh call at most 30 s, both
//! below the age at which a peer would call the lock stale.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::time::Timestamp;
use crate::ports::files::{FileError, Files, Stat};
use crate::ports::host::Clock;
use crate::ports::store::StoreError;

/// A store lock of OpenClaw is stale when it is older than this.
pub(super) const STORE_STALE: Duration = Duration::from_secs(30);
/// A refresh lock of OpenClaw is stale when it is older than this.
pub(super) const REFRESH_STALE: Duration = Duration::from_secs(180);
/// How long anybody waits for a lock; matches OpenClaw's own patience.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// What a lock of OpenClaw is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavour {
    /// An empty directory. A file inside would make it impossible for OpenClaw to remove.
    Directory,
    /// A file with pid and creation time.
    File,
}

/// A lock of OpenClaw that we hold; dropping it removes it if it is still ours.
pub(super) struct PeerLock<'a> {
    files: &'a dyn Files,
    path: PathBuf,
    identity: (u64, u64),
}

impl Drop for PeerLock<'_> {
    fn drop(&mut self) {
        // A peer that took us for dead may have made its own lock here meanwhile.
        if let Ok(Some(stat)) = self.files.stat(&self.path)
            && stat.identity == self.identity
            && let Err(error) = self.files.remove(&self.path)
        {
            tracing::warn!(%error, "a lock could not be removed; it goes stale by itself");
        }
    }
}

/// Takes the lock at `path`, waiting for a living holder.
pub(super) fn acquire<'a>(
    files: &'a dyn Files,
    clock: &dyn Clock,
    path: &Path,
    flavour: Flavour,
    stale: Duration,
) -> Result<PeerLock<'a>, StoreError> {
    let start = clock.monotonic();
    let mut pause = Duration::from_millis(20);
    loop {
        match create(files, clock, path, flavour) {
            Ok(()) => return own(files, clock, path, flavour),
            Err(error) if error.source.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.into()),
        }
        if clock.monotonic().saturating_sub(start) >= PATIENCE {
            return Err(StoreError::Busy {
                path: path.to_owned(),
                owner: Some(owner(files, path)),
            });
        }
        if remove_stale(files, clock.now(), path, stale)? {
            continue;
        }
        clock.sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

fn create(
    files: &dyn Files,
    clock: &dyn Clock,
    path: &Path,
    flavour: Flavour,
) -> Result<(), FileError> {
    match flavour {
        Flavour::Directory => files.create_dir_new(path),
        Flavour::File => {
            let (pid, created) = (std::process::id(), clock.now().iso8601());
            let note = format!("{{\n  \"pid\": {pid},\n  \"createdAt\": \"{created}\"\n}}");
            files.create_new(path, note.as_bytes(), 0o644)
        }
    }
}

fn own<'a>(
    files: &'a dyn Files,
    clock: &dyn Clock,
    path: &Path,
    flavour: Flavour,
) -> Result<PeerLock<'a>, StoreError> {
    let stat = match files.stat(path) {
        Ok(Some(stat)) => stat,
        Ok(None) => {
            return Err(StoreError::Busy {
                path: path.to_owned(),
                owner: None,
            });
        }
        Err(error) => {
            files.remove(path)?;
            return Err(error.into());
        }
    };
    let lock = PeerLock {
        files,
        path: path.to_owned(),
        identity: stat.identity,
    };
    if flavour == Flavour::Directory {
        files.touch(path, clock.now())?;
    }
    Ok(lock)
}

/// Removes the lock at `path` if it is stale; true if it is gone.
fn remove_stale(
    files: &dyn Files,
    now: Timestamp,
    path: &Path,
    stale: Duration,
) -> Result<bool, StoreError> {
    let Some(stat) = files.stat(path)? else {
        return Ok(true);
    };
    if !is_stale(files, now, path, &stat, stale)? {
        return Ok(false);
    }
    // Somebody may have replaced it while it was judged.
    if files.stat(path)?.map(|s| (s.identity, s.modified)) != Some((stat.identity, stat.modified)) {
        return Ok(false);
    }
    // A directory that is not empty cannot be removed: then it is as good as held.
    Ok(files.remove(path).is_ok())
}

fn is_stale(
    files: &dyn Files,
    now: Timestamp,
    path: &Path,
    stat: &Stat,
    stale: Duration,
) -> Result<bool, StoreError> {
    let is_old = |moment: Timestamp| moment.after(stale) < now;
    if stat.is_dir || is_old(stat.modified) {
        return Ok(is_old(stat.modified));
    }
    let bytes = files.read(path)?.unwrap_or_default();
    let (pid, created) = payload(&bytes);
    Ok(pid.is_some_and(|pid| !files.process_lives(pid)) || created.is_some_and(is_old))
}

fn payload(bytes: &[u8]) -> (Option<u32>, Option<Timestamp>) {
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

fn owner(files: &dyn Files, path: &Path) -> String {
    let bytes = files.read(path).ok().flatten().unwrap_or_default();
    match payload(&bytes).0 {
        Some(pid) => format!("OpenClaw (pid {pid})"),
        None => "OpenClaw".to_owned(),
    }
}
