//! What the profiles held before: a row for each that has any.

use tokio_postgres::Row;

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
use super::link::{Link, Param, ROWS, maybe, text};
use super::pool::Tx;
use super::seal::{RowSealer, row};

const TABLE: &str = "history";

/// A row that was read: its profile, and its history, or why that cannot be read.
pub(super) type Kept = (String, Result<History, String>);

/// The histories of an agent in a transaction: they are kept with the document or not at all.
pub(super) struct RowHistories<'a> {
    tx: &'a Tx<'a>,
    rows: &'a RowSealer,
    agent: &'a AgentId,
    cx: &'a PostgresStore,
    is_locked: bool,
    /// What the database said first: it tells whether the transaction is to be tried again.
    fault: Option<Fault>,
}

/// What one profile of an agent held before, or every one.
pub(super) fn find(
    link: &Link,
    rows: &RowSealer,
    agent: &AgentId,
    profile: Option<&ProfileId>,
) -> Result<Vec<Kept>, Fault> {
    let asked = "SELECT profile, sealed FROM openclaw.history \
        WHERE tenant = $1 AND agent = $2 AND ($3::text IS NULL OR profile = $3)";
    let one = maybe(profile.map(ProfileId::as_str));
    let found = link.rows(asked, &[link.tenant(), text(agent.as_str()), one])?;
    Ok(understand_all(&found, rows, agent))
}

fn understand_all(found: &[Row], rows: &RowSealer, agent: &AgentId) -> Vec<Kept> {
    let read = |found: &Row| {
        let name: String = found.get(0);
        let history = understand(rows, (agent.as_str(), &name), found.get(1));
        (name, history)
    };
    found.iter().map(read).collect()
}

fn understand(
    rows: &RowSealer,
    (agent, name): (&str, &str),
    sealed: &[u8],
) -> Result<History, String> {
    let opened = rows.open(row(TABLE, agent, name), sealed);
    let plain = opened.map_err(|fault| told(fault, TABLE).to_string())?;
    let history = history_text::parse(plain.expose())?;
    match history.profile.as_str() == name {
        true => Ok(history),
        false => Err("it belongs to another profile".to_owned()),
    }
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
            is_locked: false,
            fault: None,
        }
    }

    /// What a rule came to, in the words of the database if that failed.
    pub(super) fn judge<T>(&mut self, done: Result<T, StoreError>) -> Result<T, Fault> {
        match self.fault.take() {
            Some(fault) => Err(fault),
            None => Ok(done?),
        }
    }

    /// Asks the database, unless it said no before: then it answers nothing more in this transaction.
    fn ask<T>(&mut self, ask: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, StoreError> {
        let done = match self.fault {
            None => ask(self),
            Some(_) => Err(Fault::Conflict),
        };
        done.map_err(|fault| {
            self.fault.get_or_insert(fault);
            told(Fault::Conflict, self.cx.shown())
        })
    }

    /// Keeps others from changing the histories of the agent until the transaction ends: what is read
    /// here is what is replaced, also where no row is there yet that could be locked.
    pub(super) fn lock(&mut self) -> Result<(), Fault> {
        if !self.is_locked {
            let lock = "SELECT 1 FROM openclaw.agent WHERE tenant = $1 AND id = $2 \
                FOR NO KEY UPDATE";
            self.tx
                .row(lock, &[self.tx.tenant(), text(self.agent.as_str())])?;
            self.is_locked = true;
        }
        Ok(())
    }

    fn read(&mut self, id: &ProfileId) -> Result<(History, Option<String>), Fault> {
        self.lock()?;
        let found = find(self.tx, self.rows, self.agent, Some(id))?.pop();
        let fault = match found {
            None => return Ok((History::new(id.clone()), None)),
            Some((_, Ok(history))) => return Ok((history, None)),
            Some((_, Err(fault))) => fault,
        };
        let aside = "INSERT INTO openclaw.history_set_aside (tenant, agent, profile, sealed) \
            SELECT tenant, agent, profile, sealed FROM openclaw.history \
            WHERE tenant = $1 AND agent = $2 AND profile = $3";
        let params = [
            self.tx.tenant(),
            text(self.agent.as_str()),
            text(id.as_str()),
        ];
        self.tx.change(aside, &params)?;
        let sentence = format!("the history of {id} was unreadable ({fault}) and was set aside");
        Ok((History::new(id.clone()), Some(sentence)))
    }

    /// Puts a history in the place of what was there.
    pub(super) fn write(&mut self, history: History) -> Result<(), Fault> {
        self.write_all(&mut [history])
    }

    /// Puts histories in the places of what was there.
    pub(super) fn write_all(&mut self, histories: &mut [History]) -> Result<(), Fault> {
        self.lock()?;
        let put = "INSERT INTO openclaw.history (tenant, agent, profile, sealed) \
            SELECT $1, $2, profile, sealed \
            FROM unnest($3::text[], $4::bytea[]) AS new (profile, sealed) \
            ON CONFLICT (tenant, agent, profile) DO UPDATE SET sealed = excluded.sealed";
        let agent = self.agent.as_str();
        for some in histories.chunks_mut(ROWS) {
            let seal = |history: &mut History| {
                history.forget_bindings();
                let plain = history_text::render(history);
                let place = row(TABLE, agent, history.profile.as_str());
                self.rows.seal(place, plain.expose())
            };
            let sealed: Vec<Vec<u8>> = some.iter_mut().map(seal).collect::<Result<_, _>>()?;
            let names = some.iter().map(|history| history.profile.as_str());
            let params = [
                self.tx.tenant(),
                text(agent),
                Param::Texts(names.collect()),
                Param::Blobs(sealed.iter().map(Vec::as_slice).collect()),
            ];
            self.tx.change(put, &params)?;
        }
        Ok(())
    }

    /// What some profiles held before, of those that have a history.
    pub(super) fn some(&mut self, names: Vec<&str>) -> Result<Vec<Kept>, Fault> {
        self.lock()?;
        let asked = "SELECT profile, sealed FROM openclaw.history \
            WHERE tenant = $1 AND agent = $2 AND profile = ANY($3)";
        let agent = text(self.agent.as_str());
        let found = (self.tx).rows(asked, &[self.tx.tenant(), agent, Param::Texts(names)])?;
        Ok(understand_all(&found, self.rows, self.agent))
    }

    /// What every profile held before.
    pub(super) fn all(&mut self) -> Result<Vec<Kept>, Fault> {
        self.lock()?;
        find(self.tx, self.rows, self.agent, None)
    }

    /// Removes what one profile held before, or every one, and what was set aside of it.
    pub(super) fn clear(&mut self, profile: Option<&ProfileId>) -> Result<(), Fault> {
        self.lock()?;
        for table in [TABLE, "history_set_aside"] {
            let gone = format!(
                "DELETE FROM openclaw.{table} \
                WHERE tenant = $1 AND agent = $2 AND ($3::text IS NULL OR profile = $3)"
            );
            let one = maybe(profile.map(ProfileId::as_str));
            let params = [self.tx.tenant(), text(self.agent.as_str()), one];
            self.tx.change(&gone, &params)?;
        }
        Ok(())
    }
}

impl Histories for RowHistories<'_> {
    fn limit(&self) -> usize {
        (self.cx.settings().limit)()
    }

    fn now(&self) -> Timestamp {
        self.cx.ports().clock.now()
    }

    fn open(&mut self, id: &ProfileId) -> Result<(History, Option<String>), StoreError> {
        self.ask(|own| own.read(id))
    }

    fn put(&mut self, history: History) -> Result<(), StoreError> {
        self.ask(|own| own.write(history))
    }

    fn forget(&mut self, id: &ProfileId) -> Result<(), StoreError> {
        self.ask(|own| own.clear(Some(id)))
    }

    fn record(&mut self, grant: &GrantDigest) -> Result<Option<GrantRecord>, StoreError> {
        self.ask(|own| lease::record(own.tx, grant))
    }
}
