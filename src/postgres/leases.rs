//! Who may spend a grant: a row of the database between machines, a lock of the kernel between the
//! processes of one.
//!
//! The row says which machine holds a grant, in which epoch, and how long that counts by the clock of
//! the database. A process that gets the kernel's lock of its machine knows that no other process there
//! is at work, so what the row says of its own machine is left by a dead one. A request that may be
//! under way on another machine is never overtaken: nothing could fence it.

use std::time::Duration;

use crate::model::grant::{GrantDigest, GrantRecord};
use crate::ports::lock::{LockError, Wait};
use crate::ports::store::{
    Exclusion, GrantLock, Held, PendingRefresh, Reserved, SavedAnswer, StoreError, Waited,
};

use super::commit::ReservedLease;
use super::context::{Opened, PostgresStore};
use super::documents::check_key;
use super::fault::Fault;
use super::lease::{Lease, written};
use super::link::{Link, integer, text};
use super::pool::Tx;

/// The pauses between two looks at a lease of another machine.
const PAUSES: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(5)..=Duration::from_millis(40);

/// Takes the lease of a grant. One statement, which waits for whoever else changes the row and judges
/// it as it is then: a look before it would be older than the lock.
/// It also tells the other machines that this one is there.
const TAKE: &str = "WITH seen AS (INSERT INTO openclaw.node (tenant, id, name) VALUES ($1, $3, $4) \
        ON CONFLICT (id) DO UPDATE SET name = $4, seen_at = clock_timestamp()) \
    INSERT INTO openclaw.grant_lease AS l \
    (tenant, grant_digest, epoch, holder, note, phase, until) \
    VALUES ($1, $2, 1, $3, $4, 'held', clock_timestamp() + interval '45 s') \
    ON CONFLICT (tenant, grant_digest) DO UPDATE SET epoch = l.epoch + 1, holder = $3, note = $4, \
        phase = CASE l.phase WHEN 'sent' THEN 'sent' ELSE 'held' END, until = clock_timestamp() + interval '45 s' \
    WHERE l.successor IS NULL AND (l.holder IS NULL OR l.holder = $3 \
        OR (l.phase <> 'sent' AND l.until < clock_timestamp()) \
        OR (l.phase = 'sent' AND l.sent_at < clock_timestamp() - interval '10 min' \
            AND NOT EXISTS (SELECT 1 FROM openclaw.node n WHERE n.id = l.holder \
                AND n.seen_at > clock_timestamp() - interval '60 s'))) \
    RETURNING epoch, phase = 'sent'";

/// The lease of a grant, held by this process.
pub(super) struct HeldLease<'a> {
    cx: &'a PostgresStore,
    grant: GrantDigest,
    lease: Option<Lease<'a>>,
}

/// Nothing but this program uses the database.
struct NoOthers;

impl Exclusion for NoOthers {}

impl PostgresStore {
    pub(super) fn lease<'a>(&'a self, grant: &GrantDigest) -> Result<GrantLock<'a>, StoreError> {
        let here = self.opened()?.here;
        let Some(lock) = here.rescue.try_lock(grant)? else {
            let owner = here.rescue.owner(grant);
            return Ok(GrantLock::Taken { owner });
        };
        let process = self.ports().files.process_name();
        let digest = grant.as_str();
        let params = [
            self.tenant(),
            text(digest),
            text(&*here.node),
            text(&*process),
        ];
        // Asked twice, because the first answer was lost, it gives what this machine has already.
        if let Some(row) = self.ask(|link| link.row(TAKE, &params))? {
            let lease = Lease {
                cx: self,
                grant: grant.clone(),
                epoch: row.get(0),
                // A request was sent whose answer is not stored: until it is, or another one is sent, the
                // row goes on saying so, whatever becomes of this process.
                stays: row.get(1),
                lock: Some(lock),
            };
            return Ok(GrantLock::Held(Box::new(HeldLease {
                cx: self,
                grant: grant.clone(),
                lease: Some(lease),
            })));
        }
        let found = self.holder(grant)?;
        if let Some(successor) = found.successor {
            // What was answered is stored: nobody needs the file any more.
            here.rescue.discard(grant)?;
            let _ = lock.remove();
            return Ok(GrantLock::Spent { successor });
        }
        let owner = self.words(found);
        Ok(GrantLock::Taken { owner })
    }

    pub(super) fn is_leased(&self, grant: &GrantDigest) -> bool {
        let Ok(Opened { here, .. }) = self.opened() else {
            return false;
        };
        let asked = "SELECT 1 FROM openclaw.grant_lease WHERE tenant = $1 AND grant_digest = $2 \
            AND successor IS NULL AND holder IS NOT NULL AND holder <> $3 \
            AND (phase = 'sent' OR until > clock_timestamp())";
        let params = [self.tenant(), text(grant.as_str()), text(&*here.node)];
        let is_elsewhere = self.ask(|link| link.row(asked, &params)).ok().flatten();
        here.rescue.is_locked(grant) || is_elsewhere.is_some()
    }

    pub(super) fn await_lease(
        &self,
        grant: &GrantDigest,
        wait: &Wait<'_>,
    ) -> Result<Waited, StoreError> {
        let clock = &*self.ports().clock;
        if let Some(owner) = self.abandoned(grant)? {
            return Ok(Waited::Abandoned { owner });
        }
        let blocked = || match self.owner(grant) {
            Some(owner) => format!("the login is being refreshed by {owner}"),
            None => "the login is being refreshed by another machine".to_owned(),
        };
        let attempt =
            || -> Result<Option<()>, LockError> { Ok((!self.is_leased(grant)).then_some(())) };
        match wait.retry(clock, PAUSES, &blocked, attempt) {
            Ok(Some(())) => Ok(Waited::Released),
            Ok(None) => Ok(Waited::TimedOut {
                owner: self.owner(grant),
            }),
            Err(LockError::Interrupted(signal)) => Ok(Waited::Stopped(signal)),
            Err(error) => Err(error.into()),
        }
    }
}

impl<'a> HeldLease<'a> {
    fn take(&mut self) -> Lease<'a> {
        self.lease.take().expect("it is given away once")
    }
}

impl<'a> Held<'a> for HeldLease<'a> {
    fn saved(&self) -> Result<Option<SavedAnswer>, StoreError> {
        self.cx.opened()?.here.rescue.of_grant(&self.grant)
    }

    fn exclude(
        &self,
        refresh: &PendingRefresh,
        _: &Wait<'_>,
    ) -> Result<Box<dyn Exclusion + 'a>, StoreError> {
        let Opened { pool, .. } = self.cx.opened()?;
        let checked = pool.read(|link| check_held(link, refresh, &self.grant));
        checked.map_err(|fault| self.cx.told_of(fault, refresh))?;
        Ok(Box::new(NoOthers))
    }

    fn resume(
        mut self: Box<Self>,
        answer: &SavedAnswer,
    ) -> Result<Box<dyn Reserved + 'a>, StoreError> {
        let record = begun(self.cx, &self.grant, &answer.refresh)?;
        Ok(Box::new(ReservedLease {
            cx: self.cx,
            lease: self.take(),
            record,
            pending: answer.refresh.clone(),
            answer: self.cx.opened()?.here.rescue.resume(answer),
        }))
    }

    fn reserve(
        mut self: Box<Self>,
        refresh: &PendingRefresh,
        _: &Wait<'_>,
    ) -> Result<Box<dyn Reserved + 'a>, StoreError> {
        let Opened { pool, here } = self.cx.opened()?;
        let record = begun(self.cx, &self.grant, refresh)?;
        let mut lease = self.take();
        let answer = here.rescue.prepare(&self.grant, refresh)?;
        let sent = pool.transaction(|tx| {
            check_key(tx, &here.rows)?;
            check_held(tx, refresh, &self.grant)?;
            send(tx, (&lease, &here.node), &record)
        });
        // Whatever the row says by now, nothing was sent.
        if let Err(fault) = sent {
            let _ = here.rescue.discard(&self.grant);
            return Err(self.cx.told_of(fault, refresh));
        }
        lease.stays = true;
        Ok(Box::new(ReservedLease {
            cx: self.cx,
            lease,
            record,
            pending: refresh.clone(),
            answer,
        }))
    }
}

/// Writes down that the request is sent now, if the lease is still this one.
fn send(tx: &Tx<'_>, (lease, node): (&Lease<'_>, &str), record: &GrantRecord) -> Result<(), Fault> {
    let (grant, epoch, record) = (lease.grant.as_str(), lease.epoch, written(record));
    let sent = "UPDATE openclaw.grant_lease SET phase = 'sent', sent_at = clock_timestamp(), \
        until = clock_timestamp() + interval '45 s', record = $4 \
        WHERE tenant = $1 AND grant_digest = $2 AND epoch = $3 AND successor IS NULL";
    let params = [tx.tenant(), text(grant), integer(epoch), text(record)];
    if tx.change(sent, &params)? == 0 {
        return Err(Fault::Conflict);
    }
    let noted = "INSERT INTO openclaw.grant_journal (tenant, grant_digest, epoch, node) \
        VALUES ($1, $2, $3, $4)";
    let params = [tx.tenant(), text(grant), integer(epoch), text(node)];
    tx.change(noted, &params).map(drop)
}

/// Fails if the document of the agent does not hold the grant any more.
fn check_held(link: &Link, refresh: &PendingRefresh, grant: &GrantDigest) -> Result<(), Fault> {
    let asked = "SELECT 1 FROM openclaw.credential \
        WHERE tenant = $1 AND agent = $2 AND grant_digest = $3 LIMIT 1";
    let params = [
        link.tenant(),
        text(refresh.agent.as_str()),
        text(grant.as_str()),
    ];
    match link.row(asked, &params)? {
        Some(_) => Ok(()),
        None => Err(Fault::Conflict),
    }
}

/// The record of a grant whose refresh begins now.
fn begun(
    cx: &PostgresStore,
    grant: &GrantDigest,
    refresh: &PendingRefresh,
) -> Result<GrantRecord, StoreError> {
    let whose = (&refresh.provider, &refresh.profile);
    let before = cx.record(grant)?;
    Ok(GrantRecord::begun(
        before,
        grant.clone(),
        whose,
        refresh.begun_at,
    ))
}
