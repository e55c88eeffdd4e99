//! The row of a grant: its lease, and what is known of it.

use crate::model::grant::{GrantDigest, GrantRecord};
use crate::ports::files::FileLock;
use crate::ports::store::StoreError;

use super::context::PostgresStore;
use super::fault::Fault;
use super::link::{Link, integer, maybe, text};

/// What is let go when it is dropped: the row, and then the lock of the kernel.
pub(super) struct Lease<'a> {
    pub(super) cx: &'a PostgresStore,
    pub(super) grant: GrantDigest,
    pub(super) epoch: i64,
    /// Whether the row stays as it is: a request may be under way, or it is let go already.
    pub(super) stays: bool,
    /// Held until the row is let go.
    pub(super) lock: Option<Box<dyn FileLock>>,
}

impl Lease<'_> {
    /// Removes the file of the lock with it: nobody needs that of a grant that is spent.
    pub(super) fn remove_lock(&mut self) {
        if let Some(lock) = self.lock.take()
            && let Err(error) = lock.remove()
        {
            tracing::warn!(%error, "the lock of a spent grant is left");
        }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if self.stays {
            return;
        }
        let free = "UPDATE openclaw.grant_lease SET holder = NULL, note = NULL, phase = 'idle', \
            until = NULL WHERE tenant = $1 AND grant_digest = $2 AND epoch = $3";
        let (grant, epoch) = (self.grant.as_str(), self.epoch);
        let params = [self.cx.tenant(), text(grant), integer(epoch)];
        // It ends by itself.
        if let Err(error) = self.cx.ask(|link| link.change(free, &params)) {
            tracing::debug!(%error, "a lease was not given back");
        }
    }
}

/// What is known of a grant.
pub(super) fn record(link: &Link, grant: &GrantDigest) -> Result<Option<GrantRecord>, Fault> {
    let asked = "SELECT record FROM openclaw.grant_lease WHERE tenant = $1 AND grant_digest = $2";
    let found = link.row(asked, &[link.tenant(), text(grant.as_str())])?;
    let record = found.and_then(|row| row.get::<_, Option<String>>(0));
    // It is advice: a record that is damaged counts as absent.
    Ok(record.and_then(|record| serde_json::from_str(&record).ok()))
}

/// Writes a record, and leaves who holds the grant: unless the grant was spent since the record was read, or
/// a request that the record does not know of may be under way.
const PUT: &str = "INSERT INTO openclaw.grant_lease AS l (tenant, grant_digest, record, successor) \
    VALUES ($1, $2, $3, $4) \
    ON CONFLICT (tenant, grant_digest) DO UPDATE SET record = $3, successor = $4, \
        recorded_at = clock_timestamp() \
    WHERE (l.successor IS NULL OR l.successor = $4) AND (l.phase <> 'sent' \
        OR l.record::jsonb -> 'attempt' IS NOT DISTINCT FROM $3::jsonb -> 'attempt')";

fn put_record(link: &Link, record: &GrantRecord) -> Result<(), Fault> {
    let successor = record.successor();
    let successor = successor.as_ref().map(GrantDigest::as_str);
    let params = [
        link.tenant(),
        text(record.grant.as_str()),
        text(written(record)),
        maybe(successor),
    ];
    match link.change(PUT, &params)? {
        0 => Err(Fault::Conflict),
        _ => Ok(()),
    }
}

/// The text of a record.
pub(super) fn written(record: &GrantRecord) -> String {
    serde_json::to_string(record).expect("texts and numbers")
}

/// Whether a grant is known to be spent.
pub(super) fn is_spent(cx: &PostgresStore, grant: &GrantDigest) -> Result<bool, StoreError> {
    let asked = "SELECT 1 FROM openclaw.grant_lease \
        WHERE tenant = $1 AND grant_digest = $2 AND successor IS NOT NULL";
    let found = cx.ask(|link| link.row(asked, &[link.tenant(), text(grant.as_str())]));
    Ok(found?.is_some())
}

impl PostgresStore {
    /// What is known of a grant.
    pub(super) fn record(&self, grant: &GrantDigest) -> Result<Option<GrantRecord>, StoreError> {
        self.ask(|link| record(link, grant))
    }

    /// Writes a record of a grant that nobody is spending.
    pub(super) fn put_record(&self, record: &GrantRecord) -> Result<(), StoreError> {
        self.ask(|link| put_record(link, record))
    }
}
