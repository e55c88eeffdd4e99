//! Who may write a document: its own lock first, then OpenClaw's.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::model::id::AgentId;
use crate::ports::files::{FileError, FileLock, Sharing};
use crate::ports::lock::{self, Wait, lock_within};
use crate::ports::store::StoreError;

use super::file::{DOCUMENT, FileStore};
use super::openclaw_lock::{self, LockFormat, LockPath, PATIENCE};
use super::openclaw_lock_holder::{self, Holder, Taken};
use super::write::Locked;

/// The pauses between two looks whether another refresh has let go of OpenClaw's locks.
const PAUSES: RangeInclusive<Duration> = Duration::from_millis(5)..=Duration::from_millis(5);

impl FileStore {
    /// Takes a document's lock, and OpenClaw's with it.
    pub(super) fn lock_document(&self, agent: &AgentId) -> Result<Locked<'_>, StoreError> {
        let place = self.place(agent)?;
        let lock = self.lock(&place.lock, &PATIENCE)?;
        let holder = match self.take(&place, &PATIENCE)? {
            Taken::Ours(holder) => Some(holder),
            Taken::Another => None,
        };
        Ok(Locked {
            store: self,
            agent: agent.clone(),
            _holder: holder,
            _lock: lock,
        })
    }

    /// Keeps OpenClaw out of a document for as long as a refresh takes. Other writers of ours come
    /// and go meanwhile; another refresh does not.
    pub(super) fn exclude_peers(
        &self,
        agent: &AgentId,
        wait: &Wait<'_>,
    ) -> Result<Excluded<'_>, StoreError> {
        let place = self.place(agent)?;
        let excluded: Result<_, StoreError> = wait.retry(&*self.clock, PAUSES, || {
            let _lock = self.lock(&place.lock, wait)?;
            match self.take(&place, wait)? {
                Taken::Another => Ok(None),
                Taken::Ours(mut holder) => {
                    holder.keep_fresh();
                    Ok(Some(holder))
                }
            }
        });
        match excluded? {
            Some(holder) => Ok(Excluded {
                store: self,
                place,
                holder: Some(holder),
            }),
            None => Err(StoreError::Busy {
                owner: lock::owner(&*self.files, &place.proof),
                path: self.document(agent),
            }),
        }
    }

    fn place(&self, agent: &AgentId) -> Result<LockPaths, StoreError> {
        let directory = self.directory(agent);
        self.files.create_dirs(&directory)?;
        let target = self.files.resolve(&self.document(agent))?;
        let locks = self.places.state.join("locks/openclaw-rs");
        self.files.create_dirs(&locks)?;
        let name = name_of(&target, 16);
        Ok(LockPaths {
            lock: locks.join(format!("store-{name}.lock")),
            proof: locks.join(format!("peers-{name}.lock")),
            sites: self.sites(agent, &target)?,
        })
    }

    fn take(&self, place: &LockPaths, wait: &Wait<'_>) -> Result<Taken, StoreError> {
        let what = (place.proof.as_path(), place.sites.clone());
        openclaw_lock_holder::take(&self.files, &self.clock, what, self.note(), wait)
    }

    fn lock(&self, path: &Path, wait: &Wait<'_>) -> Result<Box<dyn FileLock>, StoreError> {
        let (files, clock) = (&*self.files, &*self.clock);
        Ok(lock_within(files, clock, path, Sharing::Exclusive, wait)?)
    }

    /// Whether a lock of OpenClaw lies beside a document; it may be one that we made.
    pub(super) fn is_locked_by_peer(&self, agent: &AgentId) -> Result<bool, StoreError> {
        let target = self.files.resolve(&self.document(agent))?;
        for site in self.sites(agent, &target)? {
            if self.files.stat(&site.path)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Where OpenClaw locks a document whose resolved path is `target`: early releases resolve the
    /// file, later ones its directory only. That differs where the document itself is a symlink.
    fn sites(&self, agent: &AgentId, target: &Path) -> Result<Vec<LockPath>, StoreError> {
        // Whoever has another state directory has other locks of its own for the same document.
        let who = name_of(&self.places.state, 4);
        let site = |path: &Path, flavour| {
            let mut path = path.as_os_str().to_owned();
            path.push(".lock");
            LockPath::new(
                PathBuf::from(path),
                flavour,
                openclaw_lock::STORE_STALE,
                &who,
            )
        };
        let named = self.files.resolve(&self.directory(agent))?;
        let named = named.join(DOCUMENT);
        if named != target {
            return Ok(vec![
                site(target, LockFormat::Directory),
                site(&named, LockFormat::File),
            ]);
        }
        let flavour = match self.is_peer_late(agent)? {
            true => LockFormat::File,
            false => LockFormat::Directory,
        };
        Ok(vec![site(target, flavour)])
    }

    /// Whether the OpenClaw beside us is of the releases that lock with files.
    pub(super) fn is_peer_late(&self, agent: &AgentId) -> Result<bool, FileError> {
        let release = self.places.written_by.as_deref();
        if release.is_some_and(is_late) || self.files.stat(&self.state_file(agent))?.is_some() {
            return Ok(true);
        }
        let names = self.files.list(&self.refresh_locks())?;
        Ok(names
            .iter()
            .any(|name| name.starts_with("sha256-") && name.ends_with(".lock")))
    }
}

/// A name for a path, of so many bytes in hexadecimal digits.
fn name_of(path: &Path, bytes: usize) -> String {
    let hash = Sha256::digest(path.as_os_str().as_encoded_bytes());
    let mut name = format!("{hash:x}");
    name.truncate(2 * bytes);
    name
}

/// Whether a release locks with files: from March 2026 on.
fn is_late(release: &str) -> bool {
    let mut parts = release.split('.');
    let mut number = || parts.next()?.parse::<u32>().ok();
    let version = number().zip(number());
    version.is_some_and(|version| version >= (2026, 3))
}

/// Where the locks of a document lie.
struct LockPaths {
    lock: PathBuf,
    proof: PathBuf,
    sites: Vec<LockPath>,
}

/// OpenClaw kept out of a document, for as long as this lives.
pub(super) struct Excluded<'a> {
    store: &'a FileStore,
    place: LockPaths,
    holder: Option<Holder>,
}

impl Excluded<'_> {
    /// Takes the document's lock for a write under this exclusion.
    pub(super) fn lock_document(&self, agent: &AgentId) -> Result<Locked<'_>, StoreError> {
        let lock = self.store.lock(&self.place.lock, &PATIENCE)?;
        if let Some(holder) = &self.holder {
            holder.renew(&PATIENCE)?;
        }
        Ok(Locked {
            store: self.store,
            agent: agent.clone(),
            _holder: None,
            _lock: lock,
        })
    }
}

impl Drop for Excluded<'_> {
    fn drop(&mut self) {
        // Another writer may rely on us; it holds this lock then.
        let lock = self.store.lock(&self.place.lock, &PATIENCE);
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
