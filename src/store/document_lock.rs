//! Who may write a document: its own lock first, then OpenClaw's.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::id::AgentId;
use crate::ports::files::{FileError, FileLock};
use crate::ports::lock::Wait;
use crate::ports::store::StoreError;

use super::error::at;
use super::io::FileStore;
use super::openclaw_lock::{self, LockFormat, LockPath, PATIENCE};
use super::openclaw_lock_holder::{self, Holder, Taken};
use super::paths::DOCUMENT;

/// The pauses between two looks whether another refresh has let go of OpenClaw's locks.
const PAUSES: RangeInclusive<Duration> = Duration::from_millis(5)..=Duration::from_millis(5);

/// A document locked for a write. Fields drop in order: OpenClaw's locks go first, then ours.
pub(super) struct Locked {
    pub(super) agent: AgentId,
    /// None if another process of ours, or a refresh of this one, keeps OpenClaw out.
    _holder: Option<Holder>,
    _lock: Box<dyn FileLock>,
}

/// Takes a document's lock, and OpenClaw's with it.
pub(super) fn lock(cx: &FileStore, agent: &AgentId, wait: &Wait<'_>) -> Result<Locked, StoreError> {
    let place = place(cx, agent)?;
    let lock = cx.io.lock(&place.lock, wait)?;
    let holder = match place.take(cx, wait)? {
        Taken::Ours(holder) => Some(holder),
        Taken::Another => None,
    };
    Ok(Locked {
        agent: agent.clone(),
        _holder: holder,
        _lock: lock,
    })
}

/// Keeps OpenClaw out of a document for as long as a refresh takes. Other writers of ours come
/// and go meanwhile; another refresh does not.
pub(super) fn exclude_peers<'a>(
    cx: &'a FileStore,
    agent: &AgentId,
    wait: &Wait<'_>,
) -> Result<Excluded<'a>, StoreError> {
    let place = place(cx, agent)?;
    let busy = || StoreError::Busy {
        owner: cx.io.owner(&place.proof),
        at: at(&cx.paths.document(agent)),
    };
    let blocked = || busy().to_string();
    let excluded: Result<_, StoreError> = wait.retry(&*cx.io.clock, PAUSES, &blocked, || {
        let _lock = cx.io.lock(&place.lock, wait)?;
        match place.take(cx, wait)? {
            Taken::Another => Ok(None),
            Taken::Ours(mut holder) => {
                holder.keep_fresh();
                Ok(Some(holder))
            }
        }
    });
    match excluded? {
        Some(holder) => Ok(Excluded {
            cx,
            place,
            holder: Some(holder),
        }),
        None => Err(busy()),
    }
}

/// Where the locks of a document lie.
struct LockPaths {
    lock: PathBuf,
    proof: PathBuf,
    sites: Vec<LockPath>,
}

impl LockPaths {
    fn take(&self, cx: &FileStore, wait: &Wait<'_>) -> Result<Taken, StoreError> {
        let what = (self.proof.as_path(), self.sites.clone());
        openclaw_lock_holder::take(&cx.io, what, cx.io.note(), wait)
    }
}

fn place(cx: &FileStore, agent: &AgentId) -> Result<LockPaths, StoreError> {
    let FileStore { io, paths, .. } = cx;
    io.files.create_dirs(&paths.directory(agent))?;
    let target = io.files.resolve(&paths.document(agent))?;
    io.files.create_dirs(&paths.document_locks())?;
    let (lock, proof) = paths.document_lock(&target);
    Ok(LockPaths {
        lock,
        proof,
        sites: sites(cx, agent, &target)?,
    })
}

/// Whether a lock of OpenClaw lies beside a document; it may be one that we made.
pub(super) fn is_locked_by_peer(cx: &FileStore, agent: &AgentId) -> Result<bool, StoreError> {
    let files = &cx.io.files;
    let target = files.resolve(&cx.paths.document(agent))?;
    for site in sites(cx, agent, &target)? {
        if files.stat(&site.path)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Where OpenClaw locks a document whose resolved path is `target`: early releases resolve the
/// file, later ones its directory only. That differs where the document itself is a symlink.
fn sites(cx: &FileStore, agent: &AgentId, target: &Path) -> Result<Vec<LockPath>, StoreError> {
    // Whoever has another state directory has other locks of its own for the same document.
    let who = cx.paths.who();
    let site = |path: &Path, flavour| {
        let mut path = path.as_os_str().to_owned();
        path.push(".lock");
        LockPath::new(path.into(), flavour, openclaw_lock::STORE_STALE, &who)
    };
    let named = cx.io.files.resolve(&cx.paths.directory(agent))?;
    let named = named.join(DOCUMENT);
    if named != target {
        return Ok(vec![
            site(target, LockFormat::Directory),
            site(&named, LockFormat::File),
        ]);
    }
    let flavour = match is_peer_late(cx, agent)? {
        true => LockFormat::File,
        false => LockFormat::Directory,
    };
    Ok(vec![site(target, flavour)])
}

/// Whether the OpenClaw beside us is of the releases that lock with files.
pub(super) fn is_peer_late(cx: &FileStore, agent: &AgentId) -> Result<bool, FileError> {
    let FileStore { io, paths, .. } = cx;
    let release = paths.written_by.as_deref();
    if release.is_some_and(is_late) || io.files.stat(&paths.state_file(agent))?.is_some() {
        return Ok(true);
    }
    let names = io.files.list(&paths.refresh_locks())?;
    Ok(names
        .iter()
        .any(|name| name.starts_with("sha256-") && name.ends_with(".lock")))
}

/// Whether a release locks with files: from March 2026 on.
fn is_late(release: &str) -> bool {
    let mut parts = release.split('.');
    let mut number = || parts.next()?.parse::<u32>().ok();
    let version = number().zip(number());
    version.is_some_and(|version| version >= (2026, 3))
}

/// OpenClaw kept out of a document, for as long as this lives.
pub(super) struct Excluded<'a> {
    cx: &'a FileStore,
    place: LockPaths,
    holder: Option<Holder>,
}

impl Excluded<'_> {
    /// Takes the document's lock for a write under this exclusion.
    pub(super) fn lock_document(&self, agent: &AgentId) -> Result<Locked, StoreError> {
        let wait = self.cx.commit_wait(PATIENCE);
        let lock = self.cx.io.lock(&self.place.lock, &wait)?;
        if let Some(holder) = &self.holder {
            holder.renew(&wait)?;
        }
        Ok(Locked {
            agent: agent.clone(),
            _holder: None,
            _lock: lock,
        })
    }
}

impl Drop for Excluded<'_> {
    fn drop(&mut self) {
        // Another writer may rely on us; it holds this lock then.
        let wait = self.cx.commit_wait(PATIENCE);
        let lock = self.cx.io.lock(&self.place.lock, &wait);
        self.holder = None;
        drop(lock);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_from_march_on_lock_with_files() {
        for early in ["2026.1.29", "2026.2.6-3", "2025.12.1", "0.1.0", "", "new"] {
            assert!(!is_late(early), "{early}");
        }
        for late in ["2026.3.1", "2026.5.7", "2027.1.1"] {
            assert!(is_late(late), "{late}");
        }
    }
}
