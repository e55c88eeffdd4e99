//! A refresh under its lock: everything that must be certain before a token is spent.

use sha2::{Digest, Sha256};

use crate::model::credential::{Credential, OAuth};
use crate::model::grant::{Attempt, GrantDigest, GrantRecord};
use crate::model::id::{ProfileId, ProviderId};
use crate::model::profiles::AuthProfiles;
use crate::model::time::Timestamp;
use crate::ports::files::FileLock;
use crate::ports::store::{Held, PendingRefresh, Reserved, SavedAnswer, Scope, Store, StoreError};

use super::commit::{Answer, ReservedGrant};
use super::file::FileStore;
use super::journal;
use super::openclaw_lock::{Io, LockFormat, LockPath, REFRESH_STALE, Short};

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
            excluded: None,
            _refresh: Vec::new(),
            _lock: lock,
        }))
    }

    fn reserve(
        self: Box<Self>,
        what: &PendingRefresh<'_>,
    ) -> Result<Box<dyn Reserved + 'a>, StoreError> {
        let Self { store, grant, lock } = *self;
        let files = &*store.files;
        let refresh = lock_refresh(store, &grant, what)?;
        // Early releases refresh under the store's lock: it is held until the commit, or both could
        // send the same token. So was it by somebody else until now, who may have spent it.
        let excluded = store.exclude_peers(what.agent, what.wait)?;
        let doc = store.load(what.agent, Scope::All)?;
        if copies(&doc, &grant).is_empty() {
            return Err(StoreError::Moved {
                path: store.document(what.agent),
            });
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
            excluded: Some(excluded),
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
        subject: before.and_then(|record| record.subject.clone()),
        revocation_endpoint: before.and_then(|record| record.revocation_endpoint.clone()),
        proven_at: before.and_then(|record| record.proven_at),
        attempt: Some(Attempt {
            begun_at: now,
            settled_at: None,
            outcome: None,
            failures: attempt.map_or(0, |attempt| attempt.failures),
        }),
    }
}

/// Later releases of OpenClaw lock a refresh by profile, in two ways.
fn lock_refresh<'a>(
    store: &'a FileStore,
    grant: &GrantDigest,
    what: &PendingRefresh<'_>,
) -> Result<Vec<Short<'a>>, StoreError> {
    let directory = store.refresh_locks();
    let mut names = Vec::new();
    if store.is_peer_late(what.agent)? {
        names.push(by_sha256(what.provider, what.profile));
    }
    let has_database = store.database(what.agent)?.is_some();
    if has_database
        || store
            .files
            .list(&directory)?
            .iter()
            .any(|name| is_by_two_hashes(name))
    {
        names.push(by_two_hashes(what.provider, what.profile));
    }
    let doors = Io {
        files: &*store.files,
        clock: &*store.clock,
    };
    let mut locks = Vec::new();
    for name in names {
        store.files.create_dirs(&directory)?;
        // Another agent's login may bear the same name, and be refreshed at the same time.
        let who = grant.to_string();
        let site = LockPath::new(directory.join(name), LockFormat::File, REFRESH_STALE, &who);
        locks.push(Short::acquire(doors, &site, what.wait)?);
    }
    Ok(locks)
}

fn by_sha256(provider: &ProviderId, profile: &ProfileId) -> String {
    let hash = Sha256::digest(format!("{provider}\0{profile}").as_bytes());
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
