//! What the profiles held before: a row for each that has any.

use crate::model::grant::{GrantDigest, GrantRecord};
use crate::model::history::History;
use crate::model::id::{AgentId, ProfileId};
use crate::model::time::Timestamp;
use crate::ports::store::StoreError;
use crate::store::histories::Histories;
use crate::store::history_text;

use super::context::PostgresStore;
use super::fault::{Fault, told};
use super::lease;
use super::link::{Param, text};
use super::pool::Tx;
use super::seal::{RowSealer, TENANT, row};

const TABLE: &str = "history";

/// The histories of an agent in a transaction: they are kept with the document or not at all.
pub(super) struct RowHistories<'a> {
    tx: &'a Tx<'a>,
    rows: &'a RowSealer,
    agent: &'a AgentId,
    cx: &'a PostgresStore,
    /// What the database said: to be told by it whether the transaction is to be tried again.
    fault: Option<Fault>,
}

impl<'a> RowHistories<'a> {
    pub(super) fn new(
        tx: &'a Tx<'a>,
        rows: &'a RowSealer,
        agent: &'a AgentId,
        cx: &'a PostgresStore,
    ) -> Self {
        Self {
            tx,
            rows,
            agent,
            cx,
            fault: None,
        }
    }

    /// What a rule came to, in the words of the database if that failed.
    pub(super) fn judge<T>(&mut self, done: Result<T, StoreError>) -> Result<T, Fault> {
        match (done, self.fault.take()) {
            (_, Some(fault)) => Err(fault),
            (done, None) => Ok(done?),
        }
    }

    /// Notes what the database said, for [`RowHistories::judge`].
    fn note<T>(&mut self, done: Result<T, Fault>) -> Result<T, StoreError> {
        done.map_err(|fault| {
            let error = told(Fault::Conflict, self.cx.shown());
            self.fault = Some(fault);
            error
        })
    }

    fn read(&self, id: &ProfileId) -> Result<(History, Option<String>), Fault> {
        let asked = "SELECT sealed FROM openclaw.history \
            WHERE tenant = $1 AND agent = $2 AND profile = $3";
        let (agent, name) = (self.agent.as_str(), id.as_str());
        let found = self
            .tx
            .row(asked, &[text(TENANT), text(agent), text(name)])?;
        let Some(found) = found else {
            return Ok((History::new(id.clone()), None));
        };
        let plain = self.rows.open(row(TABLE, agent, name), found.get(0))?;
        match history_text::parse(plain.expose()) {
            Ok(history) if history.profile == *id => Ok((history, None)),
            Ok(_) => Ok((
                History::new(id.clone()),
                Some(unread(id, "it is another's")),
            )),
            Err(fault) => Ok((History::new(id.clone()), Some(unread(id, &fault)))),
        }
    }

    fn write(&self, history: &History) -> Result<(), Fault> {
        let (agent, name) = (self.agent.as_str(), history.profile.as_str());
        let plain = history_text::render(history);
        let sealed = self.rows.seal(row(TABLE, agent, name), plain.expose())?;
        let put = "INSERT INTO openclaw.history (tenant, agent, profile, sealed) \
            VALUES ($1, $2, $3, $4) \
            ON CONFLICT (tenant, agent, profile) DO UPDATE SET sealed = $4";
        let params = [text(TENANT), text(agent), text(name), Param::Bytes(&sealed)];
        self.tx.change(put, &params).map(drop)
    }
}

fn unread(id: &ProfileId, fault: &str) -> String {
    format!("the history of {id} was unreadable ({fault}) and begins anew")
}

impl Histories for RowHistories<'_> {
    fn limit(&self) -> usize {
        (self.cx.settings().limit)()
    }

    fn now(&self) -> Timestamp {
        self.cx.ports().clock.now()
    }

    fn open(&mut self, id: &ProfileId) -> Result<(History, Option<String>), StoreError> {
        let done = self.read(id);
        self.note(done)
    }

    fn put(&mut self, history: History) -> Result<(), StoreError> {
        let done = self.write(&history);
        self.note(done)
    }

    fn forget(&mut self, id: &ProfileId) -> Result<(), StoreError> {
        let gone = "DELETE FROM openclaw.history \
            WHERE tenant = $1 AND agent = $2 AND profile = $3";
        let params = [text(TENANT), text(self.agent.as_str()), text(id.as_str())];
        let done = self.tx.change(gone, &params);
        self.note(done.map(drop))
    }

    fn record(&mut self, grant: &GrantDigest) -> Result<Option<GrantRecord>, StoreError> {
        let done = lease::record(self.tx, grant);
        self.note(done)
    }
}

impl crate::ports::store::History for PostgresStore {
    fn history(
        &self,
        _: &AgentId,
        _: Option<&ProfileId>,
    ) -> Result<crate::ports::store::HistoryListing, StoreError> {
        Ok(crate::ports::store::HistoryListing::default())
    }
    fn clear_history(&self, _: &AgentId, _: Option<&ProfileId>) -> Result<(), StoreError> {
        Ok(())
    }
    fn strip_history(&self, _: &AgentId, _: &[GrantDigest]) -> Result<(), StoreError> {
        Ok(())
    }
}
