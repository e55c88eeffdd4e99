//! Roles of the database that belong to tenants, and own nothing.

use std::collections::BTreeSet;

use super::fault::{Fault, unavailable};
use super::link::text;
use super::pool::Tx;

/// Whether a role is one that row-level security does not hold back.
const JUDGE: &str = "SELECT r.rolsuper OR r.rolbypassrls OR pg_has_role(r.oid, t.relowner, 'MEMBER') \
    FROM pg_catalog.pg_roles r, pg_catalog.pg_class t \
    WHERE r.rolname = $1 AND t.oid = 'openclaw.tenant'::regclass";

/// What a role needs: to look at everything, as far as its rows go, and to write where each row has a
/// tenant. The names of tables and roles are quoted by the server.
const GRANTS: &str = "SELECT format('GRANT USAGE ON SCHEMA openclaw TO %1$I; \
        GRANT SELECT ON ALL TABLES IN SCHEMA openclaw TO %1$I', $1) \
    || string_agg(format('; GRANT INSERT, UPDATE, DELETE ON openclaw.%I TO %I', table_name, $1), '') \
    FROM information_schema.columns WHERE table_schema = 'openclaw' AND column_name = 'tenant'";

/// Roles that were dropped since are nobody's.
const ROLES: &str = "SELECT DISTINCT t.role::text FROM openclaw.tenant t \
    JOIN pg_catalog.pg_roles r ON r.rolname = t.role";

/// Fails for a role that is not there, and for one that would see the rows of all.
pub(super) fn judge(tx: &Tx<'_>, role: &str) -> Result<(), Fault> {
    let (cause, remedy) = match tx.row(JUDGE, &[text(role)])?.map(|found| found.get(0)) {
        Some(Some(false)) => return Ok(()),
        Some(_) => (
            format!(
                "the role {role} sees the rows of all tenants: it owns the tables, or is above them"
            ),
            "Make one that may do nothing else: CREATE ROLE NAME LOGIN PASSWORD '...'.",
        ),
        None => (
            format!("the server has no role {role}"),
            "Make it first: CREATE ROLE NAME LOGIN PASSWORD '...'.",
        ),
    };
    Err(unavailable(cause, remedy).into())
}

/// Gives a role what it needs to work.
pub(super) fn grant(tx: &Tx<'_>, role: &str) -> Result<(), Fault> {
    let found = tx.row(GRANTS, &[text(role)])?;
    match found.and_then(|found| found.get::<_, Option<String>>(0)) {
        Some(grants) => tx.batch(&grants),
        None => Ok(()),
    }
}

/// The same for the role of every tenant: a migration may have added tables.
pub(super) fn grant_all(tx: &Tx<'_>) -> Result<(), Fault> {
    let found = tx.rows(ROLES, &[])?;
    let roles: BTreeSet<String> = found.iter().map(|found| found.get(0)).collect();
    roles.iter().try_for_each(|role| grant(tx, role))
}
