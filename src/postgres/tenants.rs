//! Whose rows there are.

use crate::model::tenant::TenantId;

use super::fault::Fault;
use super::link::Link;

/// Every tenant that this role may see.
pub(super) fn all(link: &Link) -> Result<Vec<TenantId>, Fault> {
    let found = link.rows("SELECT id FROM openclaw.tenant ORDER BY id", &[])?;
    let parsed = found.iter().map(|row| TenantId::parse(row.get(0)));
    // A name that is none belongs to nobody: no process can work for it.
    Ok(parsed.filter_map(Result::ok).collect())
}
