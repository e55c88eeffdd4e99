//! Opening every credential and history once, to find those that do not open.

use crate::ports::database::{DamagedRow, Scan};
use crate::ports::store::StoreError;

use super::context::PostgresStore;
use super::fault::Fault;
use super::link::{integer, text};
use super::seal::row;

/// So many rows are in memory at once.
const PAGE: i64 = 200;

/// Goes through credentials and histories, page by page.
pub(super) fn run(cx: &PostgresStore) -> Result<Scan, StoreError> {
    let mut scan = Scan::default();
    for table in ["credential", "history"] {
        let mut last = (String::new(), String::new());
        while page(cx, table, &mut last, &mut scan)? {}
    }
    Ok(scan)
}

/// Whether there may be another page.
fn page(
    cx: &PostgresStore,
    table: &'static str,
    last: &mut (String, String),
    scan: &mut Scan,
) -> Result<bool, StoreError> {
    let rows = &cx.opened()?.here.rows;
    let asked = format!(
        "SELECT agent, profile, sealed FROM openclaw.{table} \
        WHERE tenant = $1 AND (agent, profile) > ($2, $3) ORDER BY agent, profile LIMIT $4"
    );
    let found = cx.ask(|link| {
        let params = [link.tenant(), text(&*last.0), text(&*last.1), integer(PAGE)];
        link.rows(&asked, &params)
    })?;
    for found in &found {
        let (agent, profile): (String, String) = (found.get(0), found.get(1));
        scan.rows += 1;
        match rows.open(row(table, &agent, &profile), found.get(2)) {
            Ok(_) => {}
            Err(Fault::Store(_)) => scan.damaged.push(DamagedRow {
                agent: agent.clone(),
                profile: profile.clone(),
                is_history: table == "history",
            }),
            Err(fault) => return Err(super::fault::told(fault, cx.shown())),
        }
        *last = (agent, profile);
    }
    Ok(!found.is_empty())
}
