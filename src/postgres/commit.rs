//! The end of a refresh: commit or settle.
//!
//! The invariant is that of the files: once a single-use token may have been spent, its successor is
//! either in the rows or in a saved answer of this machine. One transaction moves every copy, names the
//! successor and closes the journal. Done again after a commit that was lost or in doubt it comes to
//! the same, so it is done again until the database says that it is there.

use crate::model::credential::{Credential, OAuth};
use crate::model::grant::{GrantDigest, GrantRecord, RefreshOutcome};
use crate::model::id::AgentId;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::ports::lock::Wait;
use crate::ports::store::{PendingRefresh, Reserved, Scope, StoreError};
use crate::store::history_rules;
use crate::store::rescue::RescueAnswer;

use super::context::PostgresStore;
use super::documents::{check_key, document, find};
use super::fault::{Fault, told};
use super::history::RowHistories;
use super::lease::{Lease, written};
use super::link::{integer, maybe, text};
use super::once::Repeat;
use super::pool::Tx;
use super::writing::write;

/// A refresh that may be sent.
pub(super) struct ReservedLease<'a> {
    pub(super) cx: &'a PostgresStore,
    pub(super) lease: Lease<'a>,
    pub(super) record: GrantRecord,
    pub(super) pending: PendingRefresh,
    pub(super) answer: RescueAnswer<'a>,
}

impl ReservedLease<'_> {
    /// Moves every copy, and closes the grant. Done twice it comes to the same.
    fn store(
        &self,
        tx: &Tx<'_>,
        (new, successor): (&OAuth, &GrantDigest),
        now: Timestamp,
    ) -> Result<Vec<AgentId>, Fault> {
        let rows = &self.cx.opened()?.here.rows;
        check_key(tx, rows)?;
        let grant = &self.record.grant;
        let before = successor_of(tx, grant)?;
        let mut changed = Vec::new();
        for agent in holders(tx, grant)? {
            self.move_copies(tx, &agent, new)?;
            changed.push(agent);
        }
        match before {
            // It was committed before: whoever holds the successor has it from here.
            Some(stored) if stored == *successor => return holders(tx, successor),
            Some(_) => {}
            None => self.close(tx, successor, now)?,
        }
        if changed.is_empty() {
            self.keep_successor(tx, new)?;
        }
        Ok(changed)
    }

    fn move_copies(&self, tx: &Tx<'_>, agent: &AgentId, new: &OAuth) -> Result<(), Fault> {
        let here = &self.cx.opened()?.here;
        let found = find(tx, &here.rows, agent, Scope::All)?;
        let mut doc = document(&found, Scope::All, &self.cx.place(agent))?;
        for (profile, old) in doc.copies(&self.record.grant) {
            // A row always holds its secrets.
            let _ = doc.put(profile, Credential::OAuth(old.renewed(new)));
        }
        if let Some(grant) = new.grant() {
            doc.bindings.insert(grant, self.pending.binding.clone());
        }
        write(tx, &here.rows, agent, (&found, &doc))?;
        let mut histories = RowHistories::new(tx, &here.rows, agent, self.cx);
        let noted = history_rules::note_refreshes(&mut histories, &mut doc);
        histories.judge(noted)
    }

    /// The login was removed or replaced meanwhile.
    fn keep_successor(&self, tx: &Tx<'_>, new: &OAuth) -> Result<(), Fault> {
        let here = &self.cx.opened()?.here;
        let agent = &self.pending.agent;
        let found = find(tx, &here.rows, agent, Scope::All)?;
        let doc = document(&found, Scope::All, &self.cx.place(agent))?;
        let mut histories = RowHistories::new(tx, &here.rows, agent, self.cx);
        let spent = (&self.record.grant, new);
        let profile = &self.pending.profile;
        let kept = history_rules::keep_successor(&mut histories, profile, spent, &doc);
        histories.judge(kept).map(drop)
    }

    /// Writes down that the successor lives, and that this grant is spent.
    fn close(&self, tx: &Tx<'_>, successor: &GrantDigest, now: Timestamp) -> Result<(), Fault> {
        let binding = self.pending.binding.clone();
        let mut next = self.record.renewed(successor.clone(), binding, now);
        let outcome = RefreshOutcome::Stored {
            successor: successor.clone(),
        };
        if *successor == self.record.grant {
            next.attempt = self.record.attempt.clone();
            next.close(outcome, now);
            return self.let_go(tx, (&next, None), "stored");
        }
        // Whoever refreshes it already knows more.
        let put = "INSERT INTO openclaw.grant_lease (tenant, grant_digest, record) \
            VALUES ($1, $2, $3) ON CONFLICT (tenant, grant_digest) DO NOTHING";
        let params = [tx.tenant(), text(successor.as_str()), text(written(&next))];
        tx.change(put, &params)?;
        let mut record = self.record.clone();
        record.close(outcome, now);
        self.let_go(tx, (&record, Some(successor)), "stored")
    }

    /// Nobody holds the grant any more. One that somebody else took over meanwhile, because this
    /// process was away for too long, is his, unless it is spent now.
    fn let_go(
        &self,
        tx: &Tx<'_>,
        (record, successor): (&GrantRecord, Option<&GrantDigest>),
        outcome: &str,
    ) -> Result<(), Fault> {
        let (grant, epoch) = (self.record.grant.as_str(), self.lease.epoch);
        let successor = successor.map(GrantDigest::as_str);
        let free = "UPDATE openclaw.grant_lease SET holder = NULL, note = NULL, phase = 'idle', \
            until = NULL, successor = $4, record = $5, recorded_at = clock_timestamp() \
            WHERE tenant = $1 AND grant_digest = $2 AND (epoch = $3 OR $4 IS NOT NULL)";
        let record = written(record);
        let params = [
            tx.tenant(),
            text(grant),
            integer(epoch),
            maybe(successor),
            text(record),
        ];
        tx.change(free, &params)?;
        let noted = "UPDATE openclaw.grant_journal SET settled_at = clock_timestamp(), \
            outcome = $4 WHERE tenant = $1 AND grant_digest = $2 AND epoch = $3";
        let params = [tx.tenant(), text(grant), integer(epoch), text(outcome)];
        tx.change(noted, &params).map(drop)
    }

    /// Runs a transaction until the database says that it is committed, however often the connection is lost.
    fn insist<T>(
        &self,
        mut work: impl FnMut(&Tx<'_>) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let name = self.cx.new_name()?;
        let shown = self.cx.shown();
        let blocked = || format!("the database at {shown}");
        let done = self
            .cx
            .commit_once((&name, Repeat::Unreached), &blocked, &mut work)?;
        done.ok_or_else(|| told(Fault::Conflict, shown))
    }
}

/// The successor of a grant, if it is spent.
fn successor_of(tx: &Tx<'_>, grant: &GrantDigest) -> Result<Option<GrantDigest>, Fault> {
    // Locked: whoever commits the same answer at the same time comes after this.
    let asked = "SELECT successor FROM openclaw.grant_lease \
        WHERE tenant = $1 AND grant_digest = $2 FOR UPDATE";
    let found = tx.row(asked, &[tx.tenant(), text(grant.as_str())])?;
    let successor = found.and_then(|row| row.get::<_, Option<String>>(0));
    Ok(successor.as_deref().and_then(GrantDigest::parse))
}

/// The agents whose documents hold a grant.
fn holders(tx: &Tx<'_>, grant: &GrantDigest) -> Result<Vec<AgentId>, Fault> {
    // Locked in one order, so that refreshes of one document take turns; and asked again then: what
    // was changed while this waited, the first statement still sees as it was.
    let lock = "SELECT 1 FROM openclaw.agent a WHERE a.tenant = $1 AND EXISTS ( \
            SELECT 1 FROM openclaw.credential c \
            WHERE c.tenant = a.tenant AND c.agent = a.id AND c.grant_digest = $2) \
        ORDER BY a.id FOR NO KEY UPDATE";
    let params = [tx.tenant(), text(grant.as_str())];
    tx.rows(lock, &params)?;
    let asked = "SELECT DISTINCT agent FROM openclaw.credential \
        WHERE tenant = $1 AND grant_digest = $2 ORDER BY agent";
    let found = tx.rows(asked, &params)?;
    let agents = found.iter().map(|row| AgentId::normalise(row.get(0)));
    Ok(agents.collect())
}

impl Reserved for ReservedLease<'_> {
    fn confirm(&mut self, _: &Wait<'_>) -> Result<bool, StoreError> {
        let renew = "UPDATE openclaw.grant_lease l SET sent_at = clock_timestamp(), \
            until = clock_timestamp() + interval '45 s' \
            WHERE l.tenant = $1 AND l.grant_digest = $2 AND l.epoch = $3 AND l.successor IS NULL \
            AND EXISTS (SELECT 1 FROM openclaw.credential c WHERE c.tenant = l.tenant \
                AND c.agent = $4 AND c.grant_digest = l.grant_digest)";
        let (grant, agent) = (self.record.grant.as_str(), self.pending.agent.as_str());
        let params = [
            self.cx.tenant(),
            text(grant),
            integer(self.lease.epoch),
            text(agent),
        ];
        let renewed = self.cx.ask(|link| link.change(renew, &params))?;
        Ok(renewed > 0)
    }

    fn save(&mut self, answer: &Secret<Vec<u8>>) {
        self.answer.save(answer);
    }

    fn commit(
        mut self: Box<Self>,
        new: &OAuth,
        now: Timestamp,
    ) -> Result<Vec<AgentId>, StoreError> {
        let grant = self.record.grant.clone();
        let successor = self.record.next(new.refresh_token());
        let stored = self.insist(|tx| self.store(tx, (new, &successor), now));
        let changed = match stored {
            Ok(changed) => changed,
            Err(error) => {
                return Err(StoreError::NotStored {
                    source: Box::new(error),
                    saved: self.answer.keep(),
                });
            }
        };
        self.lease.stays = true;
        if let Err(error) = self.cx.set_aside(&grant, &successor) {
            tracing::warn!(%error, "a response that is stored was left behind");
        }
        if successor != grant {
            self.lease.remove_lock();
        }
        Ok(changed)
    }

    fn settle(
        mut self: Box<Self>,
        outcome: &RefreshOutcome,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut record = self.record.clone();
        record.close(outcome.clone(), now);
        let is_refused = matches!(outcome, RefreshOutcome::Refused(_));
        let name = match outcome {
            RefreshOutcome::Stored { .. } => "stored",
            RefreshOutcome::Refused(refusal) => refusal.code.as_str(),
            RefreshOutcome::Revoked => "revoked",
            RefreshOutcome::HandedOver { .. } => "handed_over",
            RefreshOutcome::Passing { .. } => "passing",
            RefreshOutcome::NotUnderstood { .. } => "not_understood",
            RefreshOutcome::Unknown { .. } => "unknown",
        };
        self.insist(|tx| self.let_go(tx, (&record, None), name))?;
        self.lease.stays = true;
        // A refusal is no grant, whatever else stood in the answer.
        if is_refused || self.answer.is_awaited() {
            let here = &self.cx.opened()?.here;
            if let Err(error) = here.rescue.discard(&self.record.grant) {
                tracing::warn!(%error, "a file was left behind; the next refresh removes it");
            }
        }
        Ok(())
    }
}
