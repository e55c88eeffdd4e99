//! Transactions that are repeated until they are committed, and are committed once.
//!
//! If the connection ends during a commit, nobody knows whether that is done. So each transaction that
//! changed something leaves its name in a table, and whoever repeats it looks there first. The key of that
//! table keeps a second one from being committed while the first is still under way.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::model::text::hexadecimal;
use crate::ports::lock::Wait;
use crate::ports::store::StoreError;

use super::context::PostgresStore;
use super::fault::{Fault, told, unavailable};
use super::link::text;
use super::pool::Tx;

/// How long a transaction is repeated.
const LIMIT: Duration = Duration::from_secs(30);

/// Who was stopped meanwhile (SIGSTOP, a suspended machine) has not tried for as long as the clock says, and
/// tries so often at least.
const TRIES: usize = 3;

const PAUSES: RangeInclusive<Duration> = Duration::from_millis(2)..=Duration::from_millis(250);

const COMMITTED: &str = "SELECT 1 FROM openclaw.committed WHERE tenant = $1 AND name = $2";

/// One that changed nothing has no number, and leaves nothing. Whoever leaves a name takes away more than that
/// of those which nobody looks for any more, but none that somebody else is taking away just now.
const NOTE: &str = "WITH over AS (DELETE FROM openclaw.committed WHERE tenant = $1 AND name IN \
        (SELECT name FROM openclaw.committed \
            WHERE tenant = $1 AND at < clock_timestamp() - interval '1 day' \
            ORDER BY at LIMIT 8 FOR UPDATE SKIP LOCKED)) \
    INSERT INTO openclaw.committed (tenant, name) \
    SELECT $1, $2 WHERE txid_current_if_assigned() IS NOT NULL";

/// When a transaction is repeated: always if others changed the same, and if its commit is in doubt, …
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// … and nothing more: while the database is gone whoever wants it is told.
    Doubted,
    /// … and while the database is gone: what it stores cannot be had again.
    Unreached,
}

impl PostgresStore {
    /// A name for a transaction.
    pub(super) fn new_name(&self) -> Result<String, StoreError> {
        let mut name = [0; 16];
        let filled = self.ports().random.fill(&mut name);
        filled.map_err(|error| unavailable(error.to_string(), "Try again."))?;
        Ok(hexadecimal(&name))
    }

    /// Commits what `work` does, once, however often it is called under this name: what that came to, unless
    /// an earlier call has committed it. `blocked` says what is in the way.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if others kept changing the same, and what the database says.
    pub(super) fn commit_once<T>(
        &self,
        (name, repeat): (&str, Repeat),
        blocked: &dyn Fn() -> String,
        work: &mut dyn FnMut(&Tx<'_>) -> Result<T, Fault>,
    ) -> Result<Option<T>, StoreError> {
        let pool = self.opened()?.pool;
        let wait = Wait {
            limit: LIMIT,
            interrupt: None,
            dialog: Some(&*self.ports().dialog),
        };
        // What the one came to whose commit is in doubt.
        let mut doubted = None;
        let (mut last, mut tries) = (Fault::Conflict, 0);
        while tries < TRIES {
            let attempt = || {
                let is_repeated = tries > 0;
                tries += 1;
                let mut done = None;
                let committed = pool.transaction(|tx| {
                    if is_repeated && tx.row(COMMITTED, &[tx.tenant(), text(name)])?.is_some() {
                        return Ok(true);
                    }
                    done = Some(work(tx)?);
                    tx.change(NOTE, &[tx.tenant(), text(name)])?;
                    Ok(false)
                });
                match committed {
                    Ok(false) => return Ok(Some(done)),
                    Ok(true) => return Ok(Some(doubted.take())),
                    Err(Fault::Conflict) => {}
                    Err(fault @ Fault::InDoubt(_)) => {
                        doubted = done.or(doubted.take());
                        last = fault;
                    }
                    Err(fault @ Fault::Gone(_)) if repeat == Repeat::Unreached => last = fault,
                    // Until it is there again nobody can say more than before.
                    Err(Fault::Gone(_)) if doubted.is_some() => {}
                    Err(fault) => return Err(told(fault, pool.shown())),
                }
                Ok(None)
            };
            if let Some(done) = wait.retry(&*self.ports().clock, PAUSES, blocked, attempt)? {
                return Ok(done);
            }
        }
        Err(told(last, pool.shown()))
    }
}
