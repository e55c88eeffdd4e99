//! A refresh under its lock: everything that must be certain before a token is spent.

use sha2::{Digest, Sha256};

use crate::model::credential::{Credential, OAuth};
use crate::model::grant::{Attempt, GrantDigest, GrantRecord};
use crate::model::id::{ProfileId, ProviderId};
use crate::model::profiles::AuthProfiles;
use crate::model::time::Timestamp;
use crate::ports::files::FileLock;
use crate::ports::store::{Held, Reserved, SavedAnswer, Scope, Spending, Store, StoreError};

use super::commit::{Answer, ReservedGrant};
use super::file::FileStore;
use super::journal;
use super::peer::{self, Flavour, PeerLock};

/// The long lock of a grant.
pub(super) struct HeldGrant<'a> {
    store: &'a FileStore,
    grant: GrantDigest,
    lock: Box<dyn FileLock>,
}

impl<'a> HeldGrant<'a> {
    pub(super) fn new(store: &'a FileStore, grant: GrantDigest, lock: Box<dyn FileLock>) -> Self {
        Self { store, grant, lock }
    }
}

/// The profiles of a document that hold the grant.
pub(super) fn copies(doc: &AuthProfiles, grant: &GrantDigest) -> Vec<(ProfileId, OAuth)> {
    let is_copy = |oauth: &OAuth| oauth.grant().as_ref() == Some(grant);
    let all = doc
        .profiles()
        .filter_map(|(id, credential)| match credential {
            Credential::OAuth(oauth) if is_copy(oauth) => Some((id.clone(), oauth.clone())),
            _ => None,
        });
    all.collect()
}

impl<'a> Held<'a> for HeldGrant<'a> {
    fn saved(&self) -> Result<Option<SavedAnswer>, StoreError> {
        Ok(self.store.saved_answers(&self.grant)?.pop())
    }

    fn resume(self: Box<Self>, answer: &SavedAnswer) -> Result<Box<dyn Reserved + 'a>, StoreError> {
        let Self { store, grant, lock } = *self;
        let before = journal::read(&*store.files, &store.journal(), &grant)?;
        let (provider, profile) = (&answer.provider, &answer.profile);
        let record = begun(grant, before.as_ref(), answer.begun_at, provider, profile);
        Ok(Box::new(ReservedGrant {
            store,
            agent: answer.agent.clone(),
            binding: answer.binding.clone(),
            record,
            space: None,
            answer: Answer::Saved(answer.path.clone()),
            _refresh: None,
            _lock: lock,
        }))
    }

    fn reserve(self: Box<Self>, what: &Spending<'_>) -> Result<Box<dyn Reserved + 'a>, StoreError> {
        let Self { store, grant, lock } = *self;
        let files = &*store.files;
        files.create_dirs(&store.directory(what.agent))?;
        let target = files.resolve(&store.document(what.agent))?;
        let refresh = lock_refresh(store, what)?;
        // Early releases refresh under the store's lock. Waiting for it once, and looking again,
        // keeps us from spending a token that such a refresh has just spent.
        drop(store.lock_peer(what.agent, &target)?);
        let doc = store.load(what.agent, Scope::All)?;
        if copies(&doc, &grant).is_empty() {
            return Err(StoreError::Moved { path: target });
        }
        let space = store.reserve_document(what.agent)?;
        let slot = store.prepare_answer(&grant, what)?;
        let before = journal::read(files, &store.journal(), &grant)?;
        let record = begun(
            grant,
            before.as_ref(),
            what.now,
            what.provider,
            what.profile,
        );
        // Last of all, for from now on the refresh counts as begun.
        if let Err(error) = journal::write(files, &store.journal(), &record) {
            let _ = files.remove(&slot.path);
            return Err(error.into());
        }
        Ok(Box::new(ReservedGrant {
            store,
            agent: what.agent.clone(),
            binding: what.binding.clone(),
            record,
            space: Some(space),
            answer: Answer::Awaited(slot),
            _refresh: refresh,
            _lock: lock,
        }))
    }
}

/// The record of a grant whose refresh begins now.
fn begun(
    grant: GrantDigest,
    before: Option<&GrantRecord>,
    now: Timestamp,
    provider: &ProviderId,
    profile: &ProfileId,
) -> GrantRecord {
    let attempt = before.and_then(|record| record.attempt.as_ref());
    GrantRecord {
        grant,
        provider: provider.clone(),
        profile: profile.clone(),
        binding: before.and_then(|record| record.binding.clone()),
        proven_at: before.and_then(|record| record.proven_at),
        attempt: Some(Attempt {
            begun_at: now,
            settled_at: None,
            outcome: None,
            failures: attempt.map_or(0, |attempt| attempt.failures),
        }),
    }
}

/// Later releases of OpenClaw lock a refresh by profile.
fn lock_refresh<'a>(
    store: &'a FileStore,
    what: &Spending<'_>,
) -> Result<Option<PeerLock<'a>>, StoreError> {
    if !store.is_peer_late(what.agent)? {
        return Ok(None);
    }
    let text = format!("{}\0{}", what.provider, what.profile);
    let hash = Sha256::digest(text.as_bytes());
    let hex: String = hash.iter().map(|b| format!("{b:02x}")).collect();
    let directory = store.refresh_locks();
    store.files.create_dirs(&directory)?;
    let path = directory.join(format!("sha256-{hex}.lock"));
    let (files, clock) = (&*store.files, &*store.clock);
    peer::acquire(files, clock, &path, Flavour::File, peer::REFRESH_STALE).map(Some)
}
