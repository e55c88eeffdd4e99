//! The end of a refresh: commit or settle.
//!
//! The invariant: once a single-use token may have been spent, its successor is either in a
//! document or in a rescue file, and the journal tells which attempts nobody finished.

use std::io;
use std::path::PathBuf;

use crate::model::credential::{Credential, OAuth};
use crate::model::grant::{Binding, GrantDigest, GrantRecord, RefreshOutcome};
use crate::model::id::AgentId;
use crate::model::profiles::AuthProfiles;
use crate::model::time::Timestamp;
use crate::ports::files::{FileError, FileLock, Reservation};
use crate::ports::store::{Reserved, Scope, Store, StoreError};

use super::document::{self, Layout};
use super::file::FileStore;
use super::grant::copies;
use super::journal;
use super::peer::PeerLock;

/// A refresh that may be sent, and what it needs to be stored.
pub(super) struct ReservedGrant<'a> {
    pub(super) store: &'a FileStore,
    pub(super) agent: AgentId,
    pub(super) binding: Binding,
    pub(super) record: GrantRecord,
    pub(super) space: Option<Box<dyn Reservation + 'a>>,
    pub(super) _refresh: Option<PeerLock<'a>>,
    pub(super) _lock: Box<dyn FileLock>,
}

impl ReservedGrant<'_> {
    /// Moves every copy in one agent's document; the merged grant, if there was one.
    fn move_copies(&mut self, agent: &AgentId, new: &OAuth) -> Result<Option<OAuth>, StoreError> {
        let locked = self.store.lock_document(agent)?;
        let mut found = locked.find()?;
        found.check(&self.store.document(agent))?;
        let copies = copies(&found.doc, &self.record.grant);
        let mut last = None;
        for (profile, old) in copies {
            let merged = document::merge_grant(&old, new);
            found.doc.put(profile, Credential::OAuth(merged.clone()));
            last = Some(merged);
        }
        if last.is_some() {
            // The space was reserved for the owner's document, which is always written first.
            let space = self.space.take().filter(|_| *agent == self.agent);
            locked.write(&mut found, space)?;
        }
        Ok(last)
    }

    fn others(&self) -> Vec<AgentId> {
        let agents = self.store.agents().unwrap_or_else(|error| {
            tracing::warn!(%error, "copies of a login in other agents were not looked for");
            Vec::new()
        });
        let holds = |agent: &AgentId| {
            let doc = self.store.load(agent, Scope::All);
            doc.is_ok_and(|doc| !copies(&doc, &self.record.grant).is_empty())
        };
        let others = agents.into_iter().filter(|agent| *agent != self.agent);
        others.filter(holds).collect()
    }

    /// Saves the new grant where it can be found by hand.
    fn rescue(&self, new: &OAuth) -> Result<PathBuf, FileError> {
        let directory = self.store.places.state.join("rescue");
        self.store.files.create_dirs(&directory)?;
        let path = directory.join(format!("{}.json", self.record.grant));
        let mut doc = AuthProfiles::default();
        doc.put(self.record.profile.clone(), Credential::OAuth(new.clone()));
        let rendered = document::render(&doc, Layout::Single);
        self.store
            .files
            .replace(&path, rendered.credentials.expose())?;
        Ok(path)
    }

    fn close(&mut self, outcome: RefreshOutcome, now: Timestamp) -> Result<(), FileError> {
        if let Some(attempt) = &mut self.record.attempt {
            attempt.settled_at = Some(now);
            attempt.outcome = Some(outcome);
        }
        journal::write(&*self.store.files, &self.store.journal(), &self.record)
    }

    /// The grant is stored by now: a journal that cannot be written must not deny that.
    fn close_stored(&mut self, merged: &OAuth, now: Timestamp) {
        let refresh = merged.refresh.as_ref();
        let Some(successor) = refresh.map(|token| GrantDigest::of(&self.record.provider, token))
        else {
            return;
        };
        let mut next = self.record.clone();
        next.grant = successor.clone();
        next.binding = Some(self.binding.clone());
        next.proven_at = Some(now);
        next.attempt = None;
        let written = if successor == self.record.grant {
            self.record.binding = next.binding;
            self.record.proven_at = next.proven_at;
            Ok(())
        } else {
            journal::write(&*self.store.files, &self.store.journal(), &next)
        };
        let closed = self.close(RefreshOutcome::Stored { successor }, now);
        if let Err(error) = written.and(closed) {
            tracing::warn!(%error, "the journal of refreshes could not be written");
        }
    }

    fn not_stored(&mut self, error: StoreError, new: &OAuth, now: Timestamp) -> StoreError {
        let rescued = self.rescue(new).ok();
        let reason = format!("the new login could not be stored: {error}");
        if let Err(error) = self.close(RefreshOutcome::Unknown { reason }, now) {
            tracing::warn!(%error, "the journal of refreshes could not be written");
        }
        let source = match error {
            StoreError::File(error) => error,
            other => FileError {
                operation: "write",
                path: self.store.document(&self.agent),
                source: io::Error::other(other.to_string()),
            },
        };
        StoreError::NotStored { source, rescued }
    }
}

impl Reserved for ReservedGrant<'_> {
    fn commit(
        mut self: Box<Self>,
        new: &OAuth,
        now: Timestamp,
    ) -> Result<Vec<AgentId>, StoreError> {
        let owner = self.agent.clone();
        let mut changed = Vec::new();
        let mut stored = None;
        let first = self.move_copies(&owner, new);
        let failed = match first {
            Ok(Some(merged)) => {
                stored = Some(merged);
                changed.push(owner);
                None
            }
            Ok(None) => None,
            Err(error) => Some(error),
        };
        for agent in self.others() {
            match self.move_copies(&agent, new) {
                Ok(Some(merged)) => {
                    stored = Some(merged);
                    changed.push(agent);
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(%agent, %error, "a copy of a login was not renewed"),
            }
        }
        if let Some(error) = failed {
            return Err(self.not_stored(error, new, now));
        }
        match stored {
            Some(merged) => self.close_stored(&merged, now),
            None => {
                // Logged out or logged in anew meanwhile: the newer wish wins.
                let reason = "refreshed, but the login was removed or replaced meanwhile; \
                              the new tokens were not stored";
                let reason = reason.to_owned();
                self.close(RefreshOutcome::Unknown { reason }, now)?;
            }
        }
        Ok(changed)
    }

    fn settle(
        mut self: Box<Self>,
        outcome: &RefreshOutcome,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        Ok(self.close(outcome.clone(), now)?)
    }
}
