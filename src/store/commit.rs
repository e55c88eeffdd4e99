//! The end of a refresh: commit or settle.
//!
//! The invariant: once a single-use token may have been spent, its successor is either in a
//! document or in a saved answer, and the journal tells which attempts nobody finished. The saved
//! answer goes last, so that a process killed anywhere in between leaves one that the next command
//! takes in, again and again if need be, with the same end.

use crate::model::credential::{Credential, OAuth};
use crate::model::grant::{GrantDigest, GrantRecord, RefreshOutcome};
use crate::model::id::AgentId;
use crate::model::profiles::AuthProfiles;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::ports::files::{FileError, FileLock, Reservation, Sharing};
use crate::ports::lock::Wait;
use crate::ports::store::{PendingRefresh, Reserved, Scope, StoreError};

use super::answer_slot::Answer;
use super::document_lock;
use super::history;
use super::history_rules;
use super::io::FileStore;
use super::journal;
use super::lock_path::PATIENCE;
use super::read;
use super::references;
use super::saved_answer;
use super::shared_lock::Excluded;
use super::write;

/// A refresh that may be sent, and what it needs to be stored.
pub(super) struct ReservedGrant<'a> {
    /// It asks nobody.
    pub(super) cx: FileStore,
    pub(super) pending: PendingRefresh,
    pub(super) record: GrantRecord,
    pub(super) space: Option<Box<dyn Reservation + 'a>>,
    pub(super) answer: Answer<'a>,
    /// Keeps OpenClaw out of the owner's document, where the locks of a refresh do not suffice.
    pub(super) excluded: Option<Excluded<'a>>,
    pub(super) refresh_locks: Vec<Excluded<'a>>,
    pub(super) lock: Box<dyn FileLock>,
}

impl ReservedGrant<'_> {
    /// Moves every copy in one agent's document; false if there is none.
    fn move_copies(&mut self, agent: &AgentId, new: &OAuth) -> Result<bool, StoreError> {
        let locked = match &self.excluded {
            Some(excluded) if *agent == self.pending.agent => {
                document_lock::lock_excluded(&self.cx, agent, excluded)?
            }
            _ => document_lock::lock(&self.cx, agent, &self.cx.commit_wait(PATIENCE))?,
        };
        let sealing = self.cx.sealing()?;
        let (mut found, _) = write::find_all(&self.cx, &locked)?;
        found.check(&self.cx.paths.document(agent))?;
        let (grant, successor) = (&self.record.grant, self.record.next(new.refresh_token()));
        let binding = &self.pending.binding;
        let mut moved = false;
        let mut renew = |doc: &mut AuthProfiles| {
            moved = false;
            let copies = doc.copies(grant);
            doc.bindings.insert(successor.clone(), binding.clone());
            for (profile, old) in copies {
                // Where none takes it, the history keeps the successor.
                moved |= doc.put(profile, Credential::OAuth(old.renewed(new)));
            }
            moved
        };
        let is_renewed = renew(&mut found.doc);
        if is_renewed {
            // The space was reserved for the owner's document, which is always written first.
            let space = self.space.take().filter(|_| *agent == self.pending.agent);
            write::write(&self.cx, (&locked, &sealing), &mut found, space, &mut renew)?;
        }
        let is_owner = *agent == self.pending.agent;
        if !is_renewed && !is_owner {
            return Ok(moved);
        }
        // The document is let go: what its history owes to the disk holds up no other writer of it.
        let histories = history::lock(&self.cx, agent);
        drop(locked);
        match histories {
            Ok(mut histories) => {
                history::note_refreshes(&mut histories, &mut found.doc);
                if !moved && is_owner {
                    let (id, all) = (&self.pending.profile, &mut histories);
                    history_rules::keep_successor(all, id, (grant, new), &found.doc)?;
                }
            }
            Err(error) if moved => {
                tracing::warn!(%error, "the history was not told of a refresh");
            }
            Err(error) => return Err(error),
        }
        Ok(moved)
    }

    /// Whether a document whose write failed holds the successor all the same: what failed came
    /// after the rename.
    fn is_stored(&self, agent: &AgentId, successor: &GrantDigest) -> bool {
        let doc = read::load(&self.cx, agent, Scope::All);
        doc.is_ok_and(|doc| !doc.copies(successor).is_empty())
    }

    fn others(&self) -> Vec<AgentId> {
        let agents = read::agents(&self.cx).unwrap_or_else(|error| {
            tracing::warn!(%error, "copies of a login in other agents were not looked for");
            Vec::new()
        });
        let holds = |agent: &AgentId| {
            let doc = read::load(&self.cx, agent, Scope::All);
            doc.is_ok_and(|doc| !doc.copies(&self.record.grant).is_empty())
        };
        let others = agents
            .into_iter()
            .filter(|agent| *agent != self.pending.agent);
        others.filter(holds).collect()
    }

    fn write_record(&self, record: &GrantRecord) -> Result<(), FileError> {
        journal::write(&self.cx, record)
    }

    /// The lock of the successor: until every copy has moved, nobody may spend it, or the copies that
    /// come last would get one that is spent. None if there is no other grant, or somebody is
    /// refreshing it already: then this is what another process left, and its copies are outdated.
    fn lock_successor(&self, successor: &GrantDigest) -> Option<Box<dyn FileLock>> {
        if *successor == self.record.grant {
            return None;
        }
        let path = self.cx.paths.grant_lock(successor);
        let locked = self.cx.io.files.try_lock(&path, Sharing::Exclusive);
        locked.unwrap_or_else(|error| {
            tracing::warn!(%error, "a new grant is stored without its lock");
            None
        })
    }

    /// Writes down that the successor lives, unless somebody else has it, and then that this grant is
    /// spent.
    fn close_renewed(
        &mut self,
        successor: GrantDigest,
        is_locked: bool,
        now: Timestamp,
    ) -> Result<(), FileError> {
        let binding = self.pending.binding.clone();
        let next = self.record.renewed(successor.clone(), binding, now);
        let is_rotated = successor != self.record.grant;
        if !is_rotated {
            self.record = next;
        } else if is_locked && !journal::is_spent(&self.cx, &successor)? {
            self.write_record(&next)?;
        }
        self.record.close(RefreshOutcome::Stored { successor }, now);
        if !is_rotated {
            return self.write_record(&self.record);
        }
        journal::retire(&self.cx, self.record.clone(), &|| references::all(&self.cx))
    }

    /// Lets go. Nobody needs the lock of a grant whose record says that it is spent.
    fn let_go(self, is_spent: bool) {
        let Self {
            excluded,
            refresh_locks,
            lock,
            ..
        } = self;
        // The other way round than they were taken.
        drop(excluded);
        refresh_locks.into_iter().rev().for_each(drop);
        if is_spent && let Err(error) = lock.remove() {
            tracing::warn!(%error, "the lock of a spent grant is left; doctor --fix removes it");
        }
    }

    /// The owner's document could not be written: says where the answer is.
    fn not_stored(&self, error: StoreError) -> StoreError {
        StoreError::NotStored {
            source: Box::new(error),
            saved: self.answer.keep(&self.cx),
        }
    }
}

impl Reserved for ReservedGrant<'_> {
    fn confirm(&mut self, wait: &Wait<'_>) -> Result<bool, StoreError> {
        for excluded in self.excluded.iter_mut().chain(&mut self.refresh_locks) {
            excluded.renew(wait)?;
        }
        let doc = read::load(&self.cx, &self.pending.agent, Scope::All)?;
        Ok(!doc.copies(&self.record.grant).is_empty())
    }

    fn save(&mut self, answer: &Secret<Vec<u8>>) {
        self.answer.save(answer);
    }

    fn commit(
        mut self: Box<Self>,
        new: &OAuth,
        now: Timestamp,
    ) -> Result<Vec<AgentId>, StoreError> {
        let successor = self.record.next(new.refresh_token());
        let successor_lock = self.lock_successor(&successor);
        let owner = self.pending.agent.clone();
        let mut is_done = true;
        let mut changed = Vec::new();
        let mut failed = None;
        match self.move_copies(&owner, new) {
            Ok(true) => changed.push(owner),
            Ok(false) => {}
            Err(error) if self.is_stored(&owner, &successor) => {
                tracing::warn!(%error, "a login was stored, but not everything around it");
                is_done = false;
                changed.push(owner);
            }
            Err(error) => failed = Some(error),
        }
        for agent in self.others() {
            match self.move_copies(&agent, new) {
                Ok(true) => changed.push(agent),
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(%agent, %error, "a copy of a login was not renewed; the next command tries again");
                    is_done = false;
                }
            }
        }
        if let Some(error) = failed {
            // The journal stays open: what the next command does ends this refresh.
            return Err(self.not_stored(error));
        }
        let is_rotated = successor != self.record.grant;
        let is_locked = successor_lock.is_some();
        let closed = self.close_renewed(successor, is_locked, now);
        let closed = closed.and_then(|()| {
            if is_done {
                saved_answer::discard(&self.cx, &self.record.grant)?;
            }
            Ok(())
        });
        if let Err(error) = &closed {
            // The grant is stored by now, and a journal that cannot be written must not deny that.
            tracing::warn!(%error, "a refresh could not be closed; the next command does that");
        }
        if let Some(lock) = successor_lock {
            // Whoever waits for it makes the file anew.
            let _ = lock.remove();
        }
        self.let_go(is_rotated && is_done && closed.is_ok());
        Ok(changed)
    }

    fn settle(
        mut self: Box<Self>,
        outcome: &RefreshOutcome,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.record.close(outcome.clone(), now);
        self.write_record(&self.record)?;
        if let Answer::Awaited(slot) = &self.answer
            && let Err(error) = self.cx.io.files.remove(&slot.path)
        {
            tracing::warn!(%error, "an empty file was left behind; the next refresh removes it");
        }
        // A refusal is no grant, whatever else stood in the answer.
        if let (Answer::Saved(_), RefreshOutcome::Refused(_)) = (&self.answer, outcome) {
            saved_answer::discard(&self.cx, &self.record.grant)?;
        }
        Ok(())
    }
}
