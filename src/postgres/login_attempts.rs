//! Logins that are under way at the gateways on this database.

use std::borrow::Cow;
use std::time::Duration;

use tokio_postgres::Row;

use crate::model::id::ProviderId;
use crate::model::secret::Secret;
use crate::model::state_digest::StateDigest;
use crate::ports::login_attempts::{Life, LoginAttempt, LoginAttempts, Step};
use crate::ports::store::{Location, StoreError};

use super::context::PostgresStore;
use super::fault::Fault;
use super::holder::machine;
use super::link::{Link, Param, millis, text};
use super::pool::Tx;
use super::seal::{RowSealer, row};

const TABLE: &str = "login_attempt";

/// When one counts as gone whose process alone can complete it, and says nothing: as in [`HOLD`].
const HELD: Duration = Duration::from_secs(60);

/// Nothing can be subtracted from `infinity`, so no end is further than a day away.
const ALL: &str = "SELECT l.provider, l.state_hash, l.step, l.sealed, \
    (extract(epoch FROM least(l.expires_at, clock_timestamp() + interval '1 day') \
        - clock_timestamp()) * 1000)::bigint, n.name \
    FROM openclaw.login_attempt l LEFT JOIN openclaw.node n ON n.id = l.node WHERE l.tenant = $1";

/// In the place of one that is over. Done again it comes to the same, but where others took or ended it
/// meanwhile.
const BEGIN: &str = "INSERT INTO openclaw.login_attempt AS old \
    (tenant, provider, state_hash, node, sealed, expires_at, taker) \
    VALUES ($1, $2, $3, $4, $5, clock_timestamp() + $6::bigint * interval '1 millisecond', $7) \
    ON CONFLICT (tenant, provider) DO UPDATE SET state_hash = excluded.state_hash, \
        node = excluded.node, step = 'waiting', taker = excluded.taker, sealed = excluded.sealed, \
        expires_at = excluded.expires_at \
    WHERE CASE WHEN old.state_hash = excluded.state_hash THEN old.step = 'waiting' \
        ELSE old.step = 'ended' OR old.expires_at <= clock_timestamp() END";

/// Whoever takes it holds it from then on, and says so many times in the minute after which it counts as
/// gone. That is longer than a transaction is repeated while the database is gone, and a connection takes
/// then: what may still be stored is not taken for lost. Where the end of the commit was not heard, the same
/// taker finds that it was the one. One that a single process can complete is taken also if that was silent
/// for long, and by a later process that found its answer.
const TAKE: &str = "UPDATE openclaw.login_attempt SET step = 'taken', taker = $3, sealed = $5, \
        node = $4, expires_at = clock_timestamp() + interval '60 s' \
    WHERE tenant = $1 AND state_hash = $2 \
        AND (step = 'waiting' AND (expires_at > clock_timestamp() OR taker IS NOT NULL) \
            OR step = 'taken' AND taker = $3)";

const HOLD: &str = "UPDATE openclaw.login_attempt \
    SET expires_at = clock_timestamp() + interval '60 s' \
    WHERE tenant = $1 AND state_hash = ANY($2) AND step <> 'ended' AND taker = $3";

/// Who asks a while later still hears how it ended, also where a gateway ended it that was gone for long.
const END: &str = "UPDATE openclaw.login_attempt SET step = 'ended', taker = $5, sealed = $4, \
        expires_at = greatest(expires_at, clock_timestamp() + interval '60 s') \
    WHERE tenant = $1 AND state_hash = $2 AND (step = $3 OR step = 'ended' AND taker = $5)";

/// Unless somebody who knew what completes it took it meanwhile.
const REMOVE: &str = "DELETE FROM openclaw.login_attempt \
    WHERE tenant = $1 AND state_hash = $2 AND step = $3";

impl LoginAttempts for PostgresStore {
    fn are_shared(&self) -> bool {
        true
    }

    fn attempts(&self) -> Result<Vec<LoginAttempt>, StoreError> {
        let here = self.opened()?.here;
        let found = self.ask(|link| link.rows(ALL, &[link.tenant()]))?;
        let opened = found.iter().map(|found| open(&here.rows, found));
        // What does not open completes nothing, and hides no other.
        Ok(opened.filter_map(Result::ok).flatten().collect())
    }

    fn begin(
        &self,
        provider: &ProviderId,
        state: &StateDigest,
        content: &Secret<String>,
        life: Life,
    ) -> Result<bool, StoreError> {
        let node = &*self.opened()?.here.node;
        let (life, holder) = match life {
            Life::AtMost(life) => (life, None),
            Life::Held => (HELD, Some(Cow::Borrowed(self.taker()?))),
        };
        self.change_attempts(&|tx, rows| {
            remove_damaged(tx, rows, provider)?;
            let sealed = seal(rows, state, content)?;
            let params = [
                tx.tenant(),
                text(provider.as_str()),
                text(state.as_str()),
                text(node),
                Param::Bytes(&sealed),
                millis(life),
                Param::Text(holder.clone()),
            ];
            tx.change(BEGIN, &params)
        })
    }

    fn take(&self, state: &StateDigest, know: &Secret<String>) -> Result<bool, StoreError> {
        let node = &*self.opened()?.here.node;
        let taker = self.taker()?;
        self.change_attempts(&|tx, rows| {
            let sealed = seal(rows, state, know)?;
            let params = [
                tx.tenant(),
                text(state.as_str()),
                text(taker),
                text(node),
                Param::Bytes(&sealed),
            ];
            tx.change(TAKE, &params)
        })
    }

    fn hold(&self, states: &[StateDigest]) -> Result<(), StoreError> {
        let taker = self.taker()?;
        let hold = |link: &Link| {
            let states = states.iter().map(StateDigest::as_str).collect();
            let params = [link.tenant(), Param::Texts(states), text(taker)];
            link.change(HOLD, &params)
        };
        self.ask(hold).map(drop)
    }

    fn end(
        &self,
        state: &StateDigest,
        at: Step,
        outcome: &Secret<String>,
    ) -> Result<bool, StoreError> {
        let taker = self.taker()?;
        self.change_attempts(&|tx, rows| {
            let sealed = seal(rows, state, outcome)?;
            let params = [
                tx.tenant(),
                text(state.as_str()),
                text(word(at)),
                Param::Bytes(&sealed),
                text(taker),
            ];
            tx.change(END, &params)
        })
    }
}

impl PostgresStore {
    /// Names this process, and no other, not even a later one of the same machine.
    fn taker(&self) -> Result<&str, StoreError> {
        if let Some(taker) = self.taker.get() {
            return Ok(taker);
        }
        let taker = self.new_name()?;
        Ok(self.taker.get_or_init(|| taker))
    }

    /// Makes a change, and returns whether there was anything to change.
    fn change_attempts(
        &self,
        change: &dyn Fn(&Tx<'_>, &RowSealer) -> Result<u64, Fault>,
    ) -> Result<bool, StoreError> {
        let at = Location::new(format!("{} (logins under way)", self.shown()));
        self.change(&at, &mut |tx, rows| {
            let changed = change(tx, rows)? > 0;
            if changed {
                tx.notify()?;
            }
            Ok(changed)
        })
    }
}

/// Removes what stands in the place of a login and does not open: nobody can complete it, or cancel it.
fn remove_damaged(tx: &Tx<'_>, rows: &RowSealer, provider: &ProviderId) -> Result<(), Fault> {
    for found in tx.rows(ALL, &[tx.tenant()])? {
        let is_damaged = match open(rows, &found) {
            Ok(Some(attempt)) => attempt.step != Step::Ended && attempt.content.is_none(),
            Ok(None) => false,
            Err(_) => true,
        };
        if is_damaged && found.get::<_, &str>(0) == provider.as_str() {
            let (state, step): (&str, &str) = (found.get(1), found.get(2));
            let params = [tx.tenant(), text(state), text(step)];
            tx.change(REMOVE, &params)?;
        }
    }
    Ok(())
}

fn seal(rows: &RowSealer, state: &StateDigest, content: &Secret<String>) -> Result<Vec<u8>, Fault> {
    rows.seal(row(TABLE, "", state.as_str()), content.expose().as_bytes())
}

/// What stands in a row; nothing if a later release wrote it.
fn open(rows: &RowSealer, found: &Row) -> Result<Option<LoginAttempt>, Fault> {
    let state: &str = found.get(1);
    let sealed: Option<&[u8]> = found.get(3);
    let content = sealed.map(|sealed| rows.open(row(TABLE, "", state), sealed));
    let left: i64 = found.get(4);
    let Some(step) = step(found.get(2)) else {
        return Ok(None);
    };
    let provider = ProviderId::parse(found.get(0)).ok();
    let content = content.transpose()?;
    Ok(provider.map(|provider| LoginAttempt {
        provider,
        state: StateDigest::written(state),
        step,
        left: Duration::from_millis(u64::try_from(left).unwrap_or_default()),
        machine: found
            .get::<_, Option<&str>>(5)
            .map(|process| machine(process).to_owned()),
        content,
    }))
}

fn word(step: Step) -> &'static str {
    match step {
        Step::Waiting => "waiting",
        Step::Taken => "taken",
        Step::Ended => "ended",
    }
}

fn step(text: &str) -> Option<Step> {
    let all = [Step::Waiting, Step::Taken, Step::Ended];
    all.into_iter().find(|step| word(*step) == text)
}
