//! Who may write a document: its own lock first, then OpenClaw's.

use std::path::Path;

use crate::model::id::AgentId;
use crate::ports::files::{FileError, FileLock};
use crate::ports::lock::Wait;
use crate::ports::store::StoreError;

use super::io::FileStore;
use super::lock_path::{LockFormat, LockPath, PATIENCE, STORE_STALE};
use super::paths::DOCUMENT;
use super::shared_lock::{self, Excluded, Member, SharedLock};

/// A release of OpenClaw: year, month, number.
type Release = (u32, u32, u32);

/// The first that lock with files, that lock each refresh, and that may have a database.
const FILE_LOCKS: Release = (2026, 3, 0);
const REFRESH_LOCKS: Release = (2026, 4, 9);
const DATABASES: Release = (2026, 5, 8);

/// A document locked for a write.
pub(super) struct Locked {
    pub(super) agent: AgentId,
    /// None if a refresh of this process keeps OpenClaw out, or a member that holds the proof alone.
    member: Option<Member>,
    _lock: Box<dyn FileLock>,
}

impl Drop for Locked {
    fn drop(&mut self) {
        // The document's lock is freed after this.
        if let Some(member) = self.member.take() {
            member.leave();
        }
    }
}

/// Takes a document's lock, and OpenClaw's with it.
pub(super) fn lock(cx: &FileStore, agent: &AgentId, wait: &Wait<'_>) -> Result<Locked, StoreError> {
    let shared = shared_lock(cx, agent)?;
    let lock = cx.io.lock(&shared.turn, wait)?;
    Ok(Locked {
        agent: agent.clone(),
        member: shared_lock::join(&cx.io, shared, cx.io.note(), wait)?,
        _lock: lock,
    })
}

/// Keeps OpenClaw out of a document for as long as a refresh takes.
pub(super) fn exclude_peers<'a>(
    cx: &'a FileStore,
    agent: &AgentId,
    wait: &Wait<'_>,
) -> Result<Excluded<'a>, StoreError> {
    shared_lock::exclude(cx, &shared_lock(cx, agent)?, wait)
}

/// Takes the lock of a document from which a refresh keeps OpenClaw out.
pub(super) fn lock_excluded(
    cx: &FileStore,
    agent: &AgentId,
    excluded: &Excluded<'_>,
) -> Result<Locked, StoreError> {
    Ok(Locked {
        agent: agent.clone(),
        member: None,
        _lock: excluded.take_turn(&cx.commit_wait(PATIENCE))?,
    })
}

/// OpenClaw's locks of a document; their turn is the document's own lock.
fn shared_lock(cx: &FileStore, agent: &AgentId) -> Result<SharedLock, StoreError> {
    let FileStore { io, paths, .. } = cx;
    io.files.create_dirs(&paths.state)?;
    io.files.create_dirs(&paths.directory(agent))?;
    let target = io.files.resolve(&paths.document(agent))?;
    io.files.create_dirs(&paths.document_locks())?;
    let (turn, proof) = paths.document_lock(&target);
    Ok(SharedLock {
        turn,
        proof,
        sites: sites(cx, agent, &target)?,
        is_passing: false,
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
        LockPath::new(path.into(), flavour, STORE_STALE, &who)
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
    if is_written_since(cx, FILE_LOCKS) || io.files.stat(&paths.state_file(agent))?.is_some() {
        return Ok(true);
    }
    let directory = paths.refresh_locks();
    for name in io.files.list(&directory)? {
        if name.starts_with("sha256-") && name.ends_with(".lock") {
            // One of ours says nothing of OpenClaw.
            let (_, proof) = paths.refresh_lock(&directory.join(name));
            if io.files.stat(&proof)?.is_none() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Whether the OpenClaw beside us may be one that keeps its credentials in a database, and locks
/// refreshes under other names.
pub(super) fn may_have_database(cx: &FileStore) -> bool {
    is_written_since(cx, DATABASES)
}

/// Whether the OpenClaw beside us locks each refresh, so that it needs no other lock meanwhile.
pub(super) fn locks_refreshes(cx: &FileStore) -> bool {
    is_written_since(cx, REFRESH_LOCKS)
}

fn is_written_since(cx: &FileStore, first: Release) -> bool {
    let release = cx.paths.written_by.as_deref();
    release.is_some_and(|release| is_since(release, first))
}

fn is_since(release: &str, first: Release) -> bool {
    let mut parts = release.split(['.', '-']);
    let mut number = || parts.next()?.parse::<u32>().ok();
    let (year, month) = (number(), number());
    let version = year.zip(month).zip(number().or(Some(0)));
    version.is_some_and(|((year, month), day)| (year, month, day) >= first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_from_march_on_lock_with_files() {
        for early in ["2026.1.29", "2026.2.6-3", "2025.12.1", "0.1.0", "", "new"] {
            assert!(!is_since(early, FILE_LOCKS), "{early}");
        }
        for late in ["2026.3.1", "2026.5.7", "2027.1.1"] {
            assert!(is_since(late, FILE_LOCKS), "{late}");
        }
        for (release, locks) in [
            ("2026.4.8", false),
            ("2026.4.9-1", true),
            ("2026.9.6", true),
        ] {
            assert_eq!(is_since(release, REFRESH_LOCKS), locks, "{release}");
        }
    }
}
