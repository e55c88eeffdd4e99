//! A refresh under its lock: everything that must be certain before a token is spent.

use std::sync::Arc;
use std::sync::mpsc::channel;

use sha2::{Digest, Sha256};

use crate::model::grant::{GrantDigest, GrantRecord};
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::ports::files::{FileError, FileLock, Sharing};
use crate::ports::lock::{LockError, Wait};
use crate::ports::store::{
    Exclusion, GrantLock, GrantLocks, Held, PendingRefresh, Reserved, SavedAnswer, Scope,
    StoreError, Waited,
};

use super::answer_slot::{self, Answer};
use super::commit::ReservedGrant;
use super::document_lock;
use super::error::at;
use super::io::{FileStore, Io};
use super::journal;
use super::later_release;
use super::lock_path::{LockFormat, LockPath, REFRESH_STALE};
use super::read;
use super::saved_answer;
use super::shared_lock::{self, Excluded, SharedLock};
use super::write;

/// The long lock of a grant.
pub(super) struct HeldGrant<'a> {
    cx: &'a FileStore,
    grant: GrantDigest,
    lock: Box<dyn FileLock>,
}

/// OpenClaw's locks of a refresh.
struct PeerLocks<'a>(Vec<Excluded<'a>>);

impl Exclusion for PeerLocks<'_> {}

impl Drop for PeerLocks<'_> {
    fn drop(&mut self) {
        // The other way round than they were taken.
        while let Some(lock) = self.0.pop() {
            drop(lock);
        }
    }
}

impl GrantLocks for FileStore {
    fn try_lock_grant<'a>(&'a self, grant: &GrantDigest) -> Result<GrantLock<'a>, StoreError> {
        let cx = self;
        cx.io.files.create_dirs(&cx.paths.grant_locks())?;
        let path = cx.paths.grant_lock(grant);
        let Some(mut lock) = cx.io.files.try_lock(&path, Sharing::Exclusive)? else {
            let owner = cx.io.owner(&path);
            return Ok(GrantLock::Taken { owner });
        };
        let record = journal::read(cx, grant)?;
        if let Some(successor) = record.as_ref().and_then(GrantRecord::successor)
            && saved_answer::files_of(cx, grant)?.is_empty()
        {
            // Made by looking for it, and nobody needs it.
            let _ = lock.remove();
            return Ok(GrantLock::Spent { successor });
        }
        lock.note(&cx.io.note());
        let grant = grant.clone();
        Ok(GrantLock::Held(Box::new(HeldGrant { cx, grant, lock })))
    }

    fn is_locked(&self, grant: &GrantDigest) -> bool {
        let path = self.paths.grant_lock(grant);
        // Looked for first: to try a lock makes its file.
        let is_there = matches!(self.io.files.stat(&path), Ok(Some(_)));
        is_there && matches!(self.io.files.try_lock(&path, Sharing::Shared), Ok(None))
    }

    fn await_grant(&self, grant: &GrantDigest, wait: &Wait<'_>) -> Result<Waited, StoreError> {
        let Io { files, clock } = &self.io;
        let path = self.paths.grant_lock(grant);
        let (sender, receiver) = channel();
        let (files, awaited) = (Arc::clone(files), path.clone());
        // The kernel wakes all waiters at once; polling would let a stampede queue up. A waiter
        // that gave up leaves its thread behind until the holder lets go.
        let waiter = move || drop(sender.send(files.await_lock(&awaited)));
        let thread = std::thread::Builder::new().spawn(waiter);
        let queue = thread.ok().map(|_| receiver);
        let blocked = || match self.io.owner(&path) {
            Some(owner) => format!("the login is being refreshed by {owner}"),
            None => "the login is being refreshed by another process".to_owned(),
        };
        let look = || Ok((!self.is_locked(grant)).then_some(()));
        match wait.receive(&**clock, &blocked, queue.as_ref(), look) {
            Ok(Some(())) => Ok(Waited::Released),
            Ok(None) => Ok(Waited::TimedOut {
                owner: self.io.owner(&path),
            }),
            Err(LockError::Interrupted(signal)) => Ok(Waited::Stopped(signal)),
            Err(error) => Err(error.into()),
        }
    }
}

impl<'a> Held<'a> for HeldGrant<'a> {
    fn saved(&self) -> Result<Option<SavedAnswer>, StoreError> {
        Ok(saved_answer::of_grant(self.cx, &self.grant)?.pop())
    }

    fn exclude(
        &self,
        refresh: &PendingRefresh,
        wait: &Wait<'_>,
    ) -> Result<Box<dyn Exclusion + 'a>, StoreError> {
        let mut locks = lock_refresh(self.cx, refresh, wait)?;
        if !document_lock::locks_refreshes(self.cx) {
            locks.push(document_lock::exclude_peers(self.cx, &refresh.agent, wait)?);
        }
        check_held(self.cx, &refresh.agent, &self.grant)?;
        Ok(Box::new(PeerLocks(locks)))
    }

    fn resume(self: Box<Self>, answer: &SavedAnswer) -> Result<Box<dyn Reserved + 'a>, StoreError> {
        let Self { cx, grant, lock } = *self;
        // Before the locks of a commit: a person may be asked.
        cx.sealing()?;
        Ok(Box::new(ReservedGrant {
            cx: cx.asking_nobody(),
            record: begun(cx, grant, &answer.refresh)?,
            pending: answer.refresh.clone(),
            space: None,
            answer: Answer::Saved(answer.at.clone()),
            excluded: None,
            refresh_locks: Vec::new(),
            lock,
        }))
    }

    fn reserve(
        self: Box<Self>,
        refresh: &PendingRefresh,
        wait: &Wait<'_>,
    ) -> Result<Box<dyn Reserved + 'a>, StoreError> {
        let Self { cx, grant, lock } = *self;
        let io = &cx.io;
        // The last moment for a question: nothing is sent yet, and only this grant is locked.
        cx.sealing()?;
        let unasked = cx.asking_nobody();
        saved_answer::check_readable(&unasked, &grant)?;
        let refresh_locks = lock_refresh(cx, refresh, wait)?;
        // Releases that do not lock a refresh have one under the store's lock: it is held until the
        // commit, or both could send the same token. So was it by somebody else until now, who may
        // have spent it.
        let excluded = match document_lock::locks_refreshes(cx) {
            true => None,
            false => Some(document_lock::exclude_peers(cx, &refresh.agent, wait)?),
        };
        check_held(&unasked, &refresh.agent, &grant)?;
        let space = write::reserve(cx, &refresh.agent)?;
        let slot = answer_slot::prepare(cx, unasked.sealing()?, &grant, refresh)?;
        let record = begun(cx, grant, refresh)?;
        // Last of all, for from now on the refresh counts as begun.
        if let Err(error) = journal::write(cx, &record) {
            let _ = io.files.remove(&slot.path);
            return Err(error.into());
        }
        Ok(Box::new(ReservedGrant {
            cx: unasked,
            record,
            pending: refresh.clone(),
            space: Some(space),
            answer: Answer::Awaited(slot),
            excluded,
            refresh_locks,
            lock,
        }))
    }
}

/// Fails if the document of an agent does not hold the grant any more.
fn check_held(cx: &FileStore, agent: &AgentId, grant: &GrantDigest) -> Result<(), StoreError> {
    let doc = read::load(cx, agent, Scope::All)?;
    match doc.copies(grant).is_empty() {
        false => Ok(()),
        true => Err(StoreError::Conflict {
            at: at(&cx.paths.document(agent)),
        }),
    }
}

/// The record of a grant whose refresh begins now.
fn begun(
    cx: &FileStore,
    grant: GrantDigest,
    refresh: &PendingRefresh,
) -> Result<GrantRecord, FileError> {
    let whose = (&refresh.provider, &refresh.profile);
    let before = journal::read(cx, &grant)?;
    Ok(GrantRecord::begun(before, grant, whose, refresh.begun_at))
}

/// Later releases of OpenClaw lock a refresh by profile, in two ways. Agents with profiles of one
/// name have one lock, so those of us that refresh them share it.
fn lock_refresh<'a>(
    cx: &'a FileStore,
    refresh: &PendingRefresh,
    wait: &Wait<'_>,
) -> Result<Vec<Excluded<'a>>, StoreError> {
    let (provider, profile) = (&refresh.provider, &refresh.profile);
    let FileStore { io, paths, .. } = cx;
    let directory = paths.refresh_locks();
    let mut names = Vec::new();
    if document_lock::is_peer_late(cx, &refresh.agent)? {
        names.push(by_sha256(provider, profile));
    }
    let has_database = document_lock::may_have_database(cx)
        || later_release::database(cx, &refresh.agent)?.is_some();
    let is_used = |name: &String| is_by_two_hashes(name);
    if has_database || io.files.list(&directory)?.iter().any(is_used) {
        names.push(by_two_hashes(provider, profile));
    }
    if !names.is_empty() {
        io.files.create_dirs(&directory)?;
        io.files.create_dirs(&paths.document_locks())?;
    }
    let lock = |name| {
        let path = directory.join(name);
        let (turn, proof) = paths.refresh_lock(&path);
        let site = LockPath::new(path, LockFormat::File, REFRESH_STALE, &paths.who());
        let shared = SharedLock {
            turn,
            proof,
            sites: vec![site],
            is_passing: true,
        };
        shared_lock::exclude(cx, &shared, wait)
    };
    names.into_iter().map(lock).collect()
}

fn by_sha256(provider: &ProviderId, profile: &ProfileId) -> String {
    let key = format!("{provider}\0{}", profile.as_str());
    let hash = Sha256::digest(key.as_bytes());
    format!("sha256-{hash:x}.lock")
}

fn is_by_two_hashes(name: &str) -> bool {
    let hex = name
        .strip_prefix("lock-")
        .and_then(|rest| rest.strip_suffix(".lock"));
    hex.is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

/// The name that releases with a database give it: two sums like FNV-1a over a JSON array.
fn by_two_hashes(provider: &ProviderId, profile: &ProfileId) -> String {
    const PRIME: u64 = 0x0100_0000_01b3;
    let key = serde_json::json!([provider.as_str(), profile.as_str()]).to_string();
    let (mut first, mut second) = (0xcbf2_9ce4_8422_2325_u64, 11_160_318_154_034_397_263_u64);
    for byte in key.bytes().map(u64::from) {
        first = (first ^ byte).wrapping_mul(PRIME);
        second = (second ^ byte.wrapping_add(11_400_714_819_323_198_485)).wrapping_mul(PRIME);
    }
    format!("lock-{first:016x}{second:016x}.lock")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refresh_locks_bear_the_names_that_were_recorded() {
        let name = |f: fn(&ProviderId, &ProfileId) -> String, provider, profile| {
            let provider = ProviderId::parse(provider).unwrap();
            f(&provider, &ProfileId::parse(profile).unwrap())
        };
        assert_eq!(
            name(by_sha256, "openai-codex", "openai-codex:default"),
            "sha256-cee1bbaed8073aace8170859a25616882c288ceeaa1119df363bf01cc0cdab65.lock"
        );
        let two = name(by_two_hashes, "openai", "openai:default");
        assert_eq!(two, "lock-5440fa0b86d2697ef1152f7cb32a8157.lock");
        assert!(is_by_two_hashes(&two));
    }
}
