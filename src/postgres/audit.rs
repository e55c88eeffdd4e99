//! What was done with which key to a gateway: a row for each, for 90 days.

use crate::model::audit::AuditEntry;
use crate::ports::store::StoreError;

use super::context::{Opened, PostgresStore};
use super::link::text;
use super::once::Repeat;

/// All in one statement.
const ADD: &str = "INSERT INTO openclaw.audit \
    (tenant, node, at, key, action, agent, provider, profile, about, outcome) \
    SELECT $1, $2, to_timestamp(at / 1000.0), key, action, agent, provider, profile, about, outcome \
    FROM jsonb_to_recordset($3::jsonb) AS entry (at bigint, key text, action text, agent text, \
        provider text, profile text, about text, outcome text)";

/// No more at once than one statement has time for.
const FORGET: &str = "DELETE FROM openclaw.audit WHERE tenant = $1 AND position IN \
    (SELECT position FROM openclaw.audit \
        WHERE tenant = $1 AND at < clock_timestamp() - interval '90 days' ORDER BY at LIMIT 1000)";

/// Adds entries once under this name, and forgets old ones.
pub(super) fn append(
    cx: &PostgresStore,
    name: &str,
    entries: &[AuditEntry],
) -> Result<(), StoreError> {
    let Opened { pool, here } = cx.opened()?;
    let all = serde_json::to_string(entries).expect("texts and numbers");
    let blocked = || format!("the database at {}", pool.shown());
    let done = cx.commit_once((name, Repeat::Doubted), &blocked, &mut |tx| {
        tx.change(FORGET, &[tx.tenant()])?;
        tx.change(ADD, &[tx.tenant(), text(&*here.node), text(&*all)])
    });
    done.map(drop)
}
