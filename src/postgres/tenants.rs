//! Whose rows there are.

use crate::model::tenant::TenantId;
use crate::ports::database::Tenant;
use crate::ports::store::StoreError;

use super::context::PostgresStore;
use super::deployment::check_tables;
use super::fault::{Fault, told};
use super::link::{Link, text};
use super::schema;

const ALL: &str = "SELECT t.id, count(c.profile) FROM openclaw.tenant t \
    LEFT JOIN openclaw.credential c ON c.tenant = t.id GROUP BY t.id ORDER BY t.id";

const ADD: &str = "INSERT INTO openclaw.tenant (id) VALUES ($1) ON CONFLICT DO NOTHING";

impl PostgresStore {
    /// The tenants that this role may see.
    pub(super) fn list_tenants(&self) -> Result<Vec<Tenant>, StoreError> {
        let found = self.ask_all(|link| link.rows(ALL, &[]))?;
        let read = |row: &tokio_postgres::Row| Tenant {
            id: row.get(0),
            credentials: row.get::<_, i64>(1).unsigned_abs(),
        };
        Ok(found.iter().map(read).collect())
    }

    /// Adds a tenant. Done again it comes to the same.
    pub(super) fn put_tenant(&self, tenant: &TenantId) -> Result<bool, StoreError> {
        let added = self.ask_all(|link| link.change(ADD, &[text(tenant.as_str())]))?;
        Ok(added > 0)
    }

    /// Asks what is no single tenant's.
    fn ask_all<T>(&self, ask: impl FnMut(&Link) -> Result<T, Fault>) -> Result<T, StoreError> {
        let pool = self.pool()?;
        let looked = pool.read(schema::look);
        let looked = looked.map_err(|fault| told(fault, pool.shown()))?;
        check_tables(looked.tables, pool.shown())?;
        pool.read(ask).map_err(|fault| told(fault, pool.shown()))
    }
}

/// Every tenant that this role may see.
pub(super) fn all(link: &Link) -> Result<Vec<TenantId>, Fault> {
    let found = link.rows("SELECT id FROM openclaw.tenant ORDER BY id", &[])?;
    let parsed = found.iter().map(|row| TenantId::parse(row.get(0)));
    // A name that is none belongs to nobody: no process can work for it.
    Ok(parsed.filter_map(Result::ok).collect())
}
