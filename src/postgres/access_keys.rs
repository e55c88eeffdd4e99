//! The keys to the gateways on this database.

use tokio_postgres::Row;

use crate::model::access_key::{AccessKey, AccessKeys, KEPT};
use crate::model::time::Timestamp;
use crate::ports::access_keys::AccessKeyStore;
use crate::ports::store::{Location, StoreError};

use super::context::PostgresStore;
use super::documents::check_key;
use super::fault::{Fault, told, unavailable};
use super::link::{Param, integer, text};
use super::pool::Tx;
use super::seal::{RowSealer, row};
use super::tenants;

const TABLE: &str = "access_key";

impl AccessKeyStore for PostgresStore {
    fn access_keys(&self) -> Result<AccessKeys, StoreError> {
        let here = self.opened()?.here;
        let asked =
            "SELECT id, sealed FROM openclaw.access_key WHERE tenant = $1 ORDER BY position";
        let found = self.ask(|link| link.rows(asked, &[link.tenant()]))?;
        if found.is_empty() {
            self.ask(tenants::check_seen)?;
        }
        let mut keys = AccessKeys::default();
        for found in &found {
            match open(&here.rows, found) {
                Ok(key) => keys.keys.push(key),
                // Whoever can write here and has no key must not be able to keep one from being revoked.
                Err(fault) => {
                    let what = found.get::<_, &str>(0);
                    let why = told(fault, self.shown());
                    let fault = format!("the row {what} of the keys to the gateway is none: {why}");
                    keys.faults.push(fault);
                }
            }
        }
        if !keys.faults.is_empty() {
            // Unless it is our key that is another one.
            self.ask(|link| check_key(link, &here.rows))?;
        }
        Ok(keys)
    }

    fn add_access_key(&self, key: &AccessKey, now: Timestamp) -> Result<(), StoreError> {
        self.change_keys(&|tx, rows| {
            let forget = "DELETE FROM openclaw.access_key \
                WHERE tenant = $1 AND stops_at <= to_timestamp($2::bigint / 1000.0)";
            let before = i64::try_from(KEPT.as_millis()).unwrap_or(i64::MAX);
            let before = now.0.saturating_sub(before);
            tx.change(forget, &[tx.tenant(), integer(before)])?;
            // Made again it comes to the same.
            let add = "INSERT INTO openclaw.access_key (tenant, id, sealed, stops_at) \
                VALUES ($1, $2, $3, to_timestamp($4::bigint / 1000.0)) ON CONFLICT DO NOTHING";
            put(tx, rows, add, key)
        })
    }

    fn revoke_access_key(&self, id: &str, now: Timestamp) -> Result<Option<AccessKey>, StoreError> {
        self.change_keys(&|tx, rows| {
            let asked = "SELECT id, sealed FROM openclaw.access_key \
                WHERE tenant = $1 AND id = $2 FOR UPDATE";
            let Some(found) = tx.row(asked, &[tx.tenant(), text(id)])? else {
                return Ok(None);
            };
            let mut key = open(rows, &found)?;
            key.revoked_at.get_or_insert(now);
            let set = "UPDATE openclaw.access_key SET sealed = $3, revision = revision + 1, \
                stops_at = to_timestamp($4::bigint / 1000.0) WHERE tenant = $1 AND id = $2";
            put(tx, rows, set, &key)?;
            Ok(Some(key))
        })
    }
}

impl PostgresStore {
    fn change_keys<T>(
        &self,
        change: &dyn Fn(&Tx<'_>, &RowSealer) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let at = Location::new(format!("{} (keys to the gateway)", self.shown()));
        self.change(&at, &mut |tx, rows| {
            let changed = change(tx, rows)?;
            tx.notify()?;
            Ok(changed)
        })
    }
}

fn put(tx: &Tx<'_>, rows: &RowSealer, statement: &str, key: &AccessKey) -> Result<(), Fault> {
    let plain = serde_json::to_vec(key).expect("texts, numbers and lists");
    let sealed = rows.seal(row(TABLE, "", &key.id), &plain)?;
    let stops = Param::Integer(key.stops().map(|at| at.0));
    let params = [tx.tenant(), text(&*key.id), Param::Bytes(&sealed), stops];
    tx.change(statement, &params).map(drop)
}

fn open(rows: &RowSealer, found: &Row) -> Result<AccessKey, Fault> {
    let id: &str = found.get(0);
    let plain = rows.open(row(TABLE, "", id), found.get(1))?;
    let key: Option<AccessKey> = serde_json::from_str(plain.expose()).ok();
    // What opens in its place was written by this program, or a later one.
    key.filter(|key| key.id == id).ok_or_else(|| {
        let cause = format!("the key {id} to the gateway cannot be understood");
        unavailable(cause, "Use the release that made it.").into()
    })
}
