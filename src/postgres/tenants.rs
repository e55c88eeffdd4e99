//! Whose rows there are.

use tokio_postgres::Row;

use crate::model::tenant::TenantId;
use crate::ports::database::Tenant;
use crate::ports::store::StoreError;

use super::context::PostgresStore;
use super::deployment::check_tables;
use super::fault::{Fault, told, unavailable};
use super::link::{Link, maybe, text};
use super::roles;
use super::schema;

const ALL: &str = "SELECT t.id, t.role::text, count(c.profile) FROM openclaw.tenant t \
    LEFT JOIN openclaw.credential c ON c.tenant = t.id GROUP BY t.id ORDER BY t.id";

const ADD: &str = "INSERT INTO openclaw.tenant AS old (id, role) VALUES ($1, $2::text::name) \
    ON CONFLICT (id) DO UPDATE SET role = excluded.role \
        WHERE excluded.role IS NOT NULL AND old.role IS DISTINCT FROM excluded.role";

impl PostgresStore {
    /// The tenants that this role may see.
    pub(super) fn list_tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        let pool = self.pool()?;
        check_tables(self.look()?.tables, pool.shown())?;
        let found = pool.read(|link| link.rows(ALL, &[]));
        let found = found.map_err(|fault| told(fault, pool.shown()))?;
        let read = |row: &Row| Tenant {
            id: row.get(0),
            role: row.get(1),
            credentials: row.get::<_, i64>(2).unsigned_abs(),
        };
        Ok(found.iter().map(read).collect())
    }

    /// Adds a tenant, or gives it a role. Done again it comes to the same.
    pub(super) fn put_tenant(
        &self,
        tenant: &TenantId,
        role: Option<&str>,
    ) -> Result<bool, StoreError> {
        self.check_owned()?;
        let pool = self.pool()?;
        let changed = pool.transaction(|tx| {
            if let Some(role) = role {
                // A migration may be adding a table, and somebody else be granting rights on the same ones.
                schema::lock(tx)?;
                roles::judge(tx, tenant, role)?;
                roles::grant(tx, role)?;
            }
            tx.change(ADD, &[text(tenant.as_str()), maybe(role)])
        });
        let changed = changed.map_err(|fault| told(fault, pool.shown()))?;
        // The first who opens a database says its key, which a role that owns nothing cannot do.
        self.opened()?;
        Ok(changed > 0)
    }

    /// Fails for a role that does not own the tables, and so neither sees nor may change what is about all
    /// tenants.
    pub(super) fn check_owned(&self) -> Result<(), StoreError> {
        let looked = self.look()?;
        let at = self.shown();
        check_tables(looked.tables, at)?;
        let Some(role) = looked.role else {
            return Ok(());
        };
        let cause = format!("the role {role} does not own the tables at {at}; nothing was changed");
        let remedy = "Use the address of the user that owns them: this is about all tenants.";
        Err(unavailable(cause, remedy))
    }
}

/// Fails if this role does not see the tenant any more: it sees no row of it either, and would say of each that
/// it is not there.
pub(super) fn check_seen(link: &Link) -> Result<(), Fault> {
    let asked = "SELECT 1 FROM openclaw.tenant WHERE id = $1";
    if link.row(asked, &[link.tenant()])?.is_some() {
        return Ok(());
    }
    let cause = "the user of the database does not see its tenant any more".to_owned();
    let remedy = "As the owner of the tables, see whose it is: `gateway tenant list`.";
    Err(unavailable(cause, remedy).into())
}

/// Every tenant that this role may see.
pub(super) fn all(link: &Link) -> Result<Vec<TenantId>, Fault> {
    let found = link.rows("SELECT id FROM openclaw.tenant ORDER BY id", &[])?;
    let parsed = found.iter().map(|row| TenantId::parse(row.get(0)));
    // A name that is none belongs to nobody: no process can work for it.
    Ok(parsed.filter_map(Result::ok).collect())
}
