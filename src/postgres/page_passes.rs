//! Who is signed in to the page of the gateways on this database.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio_postgres::Row;

use crate::model::access_key::BearerDigest;
use crate::model::secret::Secret;
use crate::ports::page_passes::{PagePasses, Pass, PassKind};
use crate::ports::store::{Location, StoreError};

use super::context::PostgresStore;
use super::fault::Fault;
use super::link::{Param, integer, millis, text};
use super::pool::Tx;
use super::seal::{RowSealer, row};

const TABLE: &str = "page_pass";

const FORGET: &str = "DELETE FROM openclaw.page_pass \
    WHERE tenant = $1 AND expires_at <= clock_timestamp()";

/// Done again it comes to the same.
const PUT: &str = "INSERT INTO openclaw.page_pass (tenant, kind, digest, owner, sealed, expires_at) \
    VALUES ($1, $2, $3, $4, $5, clock_timestamp() + $6::bigint * interval '1 millisecond') \
    ON CONFLICT DO NOTHING";

const LIMIT: &str = "DELETE FROM openclaw.page_pass WHERE tenant = $1 AND kind = $2 AND (position IN \
        (SELECT position FROM openclaw.page_pass WHERE tenant = $1 AND kind = $2 AND owner = $3 \
            ORDER BY position DESC OFFSET $4) \
    OR position IN (SELECT position FROM openclaw.page_pass WHERE tenant = $1 AND kind = $2 \
        ORDER BY position DESC OFFSET $5))";

const FIND: &str = "SELECT sealed, (extract(epoch FROM expires_at - clock_timestamp()) * 1000)::bigint \
    FROM openclaw.page_pass \
    WHERE tenant = $1 AND kind = $2 AND digest = $3 AND expires_at > clock_timestamp()";

const TAKE: &str = "DELETE FROM openclaw.page_pass \
    WHERE tenant = $1 AND kind = $2 AND digest = $3 \
    RETURNING sealed, (extract(epoch FROM expires_at - clock_timestamp()) * 1000)::bigint";

/// What is sealed of a pass.
#[derive(Serialize, Deserialize)]
struct Content {
    csrf: Option<BearerDigest>,
    bearer: BearerDigest,
}

impl PagePasses for PostgresStore {
    fn put(&self, pass: &Pass, each: usize, most: usize) -> Result<(), StoreError> {
        let [each, most] = [each, most].map(|limit| i64::try_from(limit).unwrap_or(i64::MAX));
        let (kind, digest) = (word(pass.kind), pass.digest.text());
        // Tells whose passes belong together, and not whose they are.
        let owner = BearerDigest::of(&Secret::new(pass.bearer.text())).text();
        self.change_passes(&|tx, rows| {
            let sealed = seal(rows, pass)?;
            tx.change(FORGET, &[tx.tenant()])?;
            let (of, ends) = (text(&owner), millis(pass.left));
            let put = [
                tx.tenant(),
                text(kind),
                text(&digest),
                of,
                Param::Bytes(&sealed),
                ends,
            ];
            tx.change(PUT, &put)?;
            let of = text(&owner);
            let limits = [tx.tenant(), text(kind), of, integer(each), integer(most)];
            tx.change(LIMIT, &limits).map(drop)
        })
    }

    fn find(&self, kind: PassKind, digest: &BearerDigest) -> Result<Option<Pass>, StoreError> {
        let here = self.opened()?.here;
        let params = [self.tenant(), text(word(kind)), text(digest.text())];
        let found = self.ask(|link| link.row(FIND, &params))?;
        Ok(found.and_then(|found| open(&here.rows, kind, digest, &found)))
    }

    fn take(&self, kind: PassKind, digest: &BearerDigest) -> Result<Option<Pass>, StoreError> {
        self.change_passes(&|tx, rows| {
            let params = [tx.tenant(), text(word(kind)), text(digest.text())];
            let found = tx.row(TAKE, &params)?;
            Ok(found.and_then(|found| open(rows, kind, digest, &found)))
        })
    }
}

impl PostgresStore {
    fn change_passes<T>(
        &self,
        change: &dyn Fn(&Tx<'_>, &RowSealer) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let at = Location::new(format!("{} (sessions of the page)", self.shown()));
        self.change(&at, &mut |tx, rows| change(tx, rows))
    }
}

fn seal(rows: &RowSealer, pass: &Pass) -> Result<Vec<u8>, Fault> {
    let content = Content {
        csrf: pass.csrf.clone(),
        bearer: pass.bearer.clone(),
    };
    let plain = serde_json::to_vec(&content).expect("texts");
    rows.seal(row(TABLE, word(pass.kind), &pass.digest.text()), &plain)
}

/// A pass that is good; none if somebody else wrote it.
fn open(rows: &RowSealer, kind: PassKind, digest: &BearerDigest, found: &Row) -> Option<Pass> {
    let left = u64::try_from(found.get::<_, i64>(1))
        .ok()
        .filter(|left| *left > 0)?;
    let plain = rows.open(row(TABLE, word(kind), &digest.text()), found.get(0));
    let content: Content = serde_json::from_str(plain.ok()?.expose()).ok()?;
    Some(Pass {
        kind,
        digest: digest.clone(),
        csrf: content.csrf,
        bearer: content.bearer,
        left: Duration::from_millis(left),
    })
}

fn word(kind: PassKind) -> &'static str {
    match kind {
        PassKind::Session => "session",
        PassKind::Link => "link",
    }
}
