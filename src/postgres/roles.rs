//! Roles of the database that belong to tenants, and own nothing.

use std::collections::BTreeSet;

use crate::model::tenant::TenantId;

use super::fault::{Fault, unavailable};
use super::link::{Link, text};
use super::pool::Tx;

/// Whether a role can log in; what it is, or can make itself, that row-level security does not hold back; and
/// the role of another tenant that it is a member of, or the other way round. A role of a name that the server
/// keeps for itself gives more than rows.
const JUDGE: &str = "SELECT r.rolcanlogin, \
    (SELECT x.rolname::text FROM pg_catalog.pg_roles x WHERE pg_has_role(r.oid, x.oid, 'MEMBER') \
        AND (x.rolsuper OR x.rolbypassrls OR x.rolreplication OR x.oid = t.relowner \
            OR x.rolname LIKE 'pg\\_%' \
            OR x.rolcreaterole AND current_setting('server_version_num')::integer < 160000) \
        ORDER BY x.oid <> r.oid, x.rolname LIMIT 1), \
    (SELECT x.rolname::text FROM openclaw.tenant o JOIN pg_catalog.pg_roles x ON x.rolname = o.role \
        WHERE o.id <> $2 AND x.oid <> r.oid \
            AND (pg_has_role(r.oid, x.oid, 'MEMBER') OR pg_has_role(x.oid, r.oid, 'MEMBER')) \
        ORDER BY x.rolname LIMIT 1) \
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

/// Which tenants have one.
const NAMED: &str = "SELECT id, role::text FROM openclaw.tenant WHERE role IS NOT NULL ORDER BY id";

/// Roles that work with tables which know no tenants yet, and do not own them. Who may write to everything that
/// the server holds is no gateway, and a database that nobody has used has none.
const WRITERS: &str = "SELECT r.rolname::text FROM pg_catalog.pg_roles r, pg_catalog.pg_class t \
    WHERE t.oid = 'openclaw.credential'::regclass AND r.rolcanlogin \
        AND has_schema_privilege(r.oid, t.relnamespace, 'USAGE') \
        AND has_table_privilege(r.oid, t.oid, 'INSERT') \
        AND NOT (r.rolsuper OR r.rolbypassrls OR pg_has_role(r.oid, t.relowner, 'USAGE')) \
        AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles x \
            WHERE x.rolname = 'pg_write_all_data' AND pg_has_role(r.oid, x.oid, 'USAGE')) \
        AND EXISTS (SELECT 1 FROM openclaw.deployment) ORDER BY 1";

const CARRY_ON: &str = "UPDATE openclaw.tenant SET role = $1::text::name WHERE id = 'main'";

/// Why a role is none for a tenant, and what to do; nothing of one that is.
fn fault(link: &Link, tenant: &str, role: &str) -> Result<Option<(String, &'static str)>, Fault> {
    let Some(found) = link.row(JUDGE, &[text(role), text(tenant)])? else {
        return Ok(Some((
            format!("the server has no role {role}"),
            "Make it first: CREATE ROLE NAME LOGIN PASSWORD '...'.",
        )));
    };
    let (can_log_in, above, other): (bool, Option<&str>, Option<&str>) =
        (found.get(0), found.get(1), found.get(2));
    let sees_all =
        format!("the role {role} sees the rows of all tenants, or can make itself see them");
    let why = match (above, other) {
        (Some(above), _) if above == role => sees_all,
        (Some(above), _) => format!("{sees_all}: it is a member of {above}"),
        (None, Some(other)) => format!(
            "the role {role} and that of another tenant, {other}, see the rows of both: \
            one is a member of the other"
        ),
        (None, None) if can_log_in => return Ok(None),
        (None, None) => {
            let why = format!("the role {role} cannot log in");
            return Ok(Some((why, "Let it: ALTER ROLE NAME LOGIN PASSWORD '...'.")));
        }
    };
    let remedy = "Make one that may do nothing else: CREATE ROLE NAME LOGIN PASSWORD '...'.";
    Ok(Some((why, remedy)))
}

/// Fails for a role that is not there, that cannot connect, and that sees more than the rows of the tenant.
pub(super) fn judge(tx: &Tx<'_>, tenant: &TenantId, role: &str) -> Result<(), Fault> {
    match fault(tx, tenant.as_str(), role)? {
        Some((cause, remedy)) => Err(unavailable(cause, remedy).into()),
        None => Ok(()),
    }
}

/// What is wrong by now with the roles of the tenants that can be seen, and what to do.
pub(super) fn faults(link: &Link) -> Result<Vec<(String, String)>, Fault> {
    let mut faults = Vec::new();
    for found in link.rows(NAMED, &[])? {
        let (tenant, role): (&str, &str) = (found.get(0), found.get(1));
        if let Some((cause, remedy)) = fault(link, tenant, role)? {
            faults.push((format!("{tenant}: {cause}"), remedy.to_owned()));
        }
    }
    Ok(faults)
}

/// Makes the role that worked with the tables before there were tenants that of `main`: it would see nothing any
/// more, and say that nothing is stored.
pub(super) fn carry_on(tx: &Tx<'_>) -> Result<(), Fault> {
    let found = tx.rows(WRITERS, &[])?;
    let writers: Vec<&str> = found.iter().map(|found| found.get(0)).collect();
    match &writers[..] {
        [] => Ok(()),
        [role] => tx.change(CARRY_ON, &[text(*role)]).map(drop),
        several => {
            let names = several.join(", ");
            let cause = format!(
                "several roles write to the tables and do not own them, and from this release on one alone sees \
                the rows of a tenant: {names}; all go on as before"
            );
            let remedy = "Let every machine connect as one of them, take the rights on the tables from the others, \
                and migrate again.";
            Err(unavailable(cause, remedy).into())
        }
    }
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
