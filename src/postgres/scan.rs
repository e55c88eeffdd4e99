//! Opening every row once, to find those that do not open.

use crate::ports::database::{DamagedRow, RowKind, Scan};
use crate::ports::store::StoreError;
use crate::store::parts;

use super::context::PostgresStore;
use super::fault::Fault;
use super::link::{integer, text};
use super::seal::{RowSealer, row};

/// So many rows are in memory at once.
const PAGE: i64 = 200;

/// Rows of one kind: their table, what names them there and in their seal, what is sealed, and what else
/// is told of them.
struct Source {
    kind: RowKind,
    table: &'static str,
    names: [&'static str; 2],
    column: &'static str,
    told: [&'static str; 2],
    /// Which rows count.
    only: &'static str,
}

const NONE: &str = "NULL::text";
const EMPTY: &str = "''::text";

const SOURCES: [Source; 7] = [
    Source {
        kind: RowKind::Credential,
        table: "credential",
        names: ["agent", "profile"],
        column: "sealed",
        told: ["provider", "kind"],
        only: "true",
    },
    Source {
        kind: RowKind::History,
        table: "history",
        names: ["agent", "profile"],
        column: "sealed",
        told: [NONE, NONE],
        only: "true",
    },
    Source {
        kind: RowKind::Rest,
        table: "agent",
        names: ["id", EMPTY],
        column: "rest",
        told: [NONE, NONE],
        only: "rest IS NOT NULL",
    },
    Source {
        kind: RowKind::Usage,
        table: "agent_usage",
        names: ["agent", EMPTY],
        column: "convert_to(state, 'UTF8')",
        told: [NONE, NONE],
        only: "true",
    },
    Source {
        kind: RowKind::AccessKey,
        table: "access_key",
        names: [EMPTY, "id"],
        column: "sealed",
        told: [NONE, NONE],
        only: "true",
    },
    Source {
        kind: RowKind::LoginAttempt,
        table: "login_attempt",
        names: [EMPTY, "state_hash"],
        column: "sealed",
        told: ["provider", NONE],
        only: "sealed IS NOT NULL AND step <> 'ended' AND expires_at > clock_timestamp()",
    },
    Source {
        kind: RowKind::PagePass,
        table: "page_pass",
        names: ["kind", "digest"],
        column: "sealed",
        told: [NONE, NONE],
        only: "expires_at > clock_timestamp()",
    },
];

/// Goes through all of a tenant, page by page.
pub(super) fn run(cx: &PostgresStore) -> Result<Scan, StoreError> {
    let mut scan = Scan::default();
    for source in &SOURCES {
        let mut last = (String::new(), String::new());
        while page(cx, source, &mut last, &mut scan)? {}
    }
    Ok(scan)
}

/// Whether there may be another page.
fn page(
    cx: &PostgresStore,
    source: &Source,
    last: &mut (String, String),
    scan: &mut Scan,
) -> Result<bool, StoreError> {
    let rows = &cx.opened()?.here.rows;
    let Source {
        kind,
        table,
        names: [agent, name],
        column,
        told: [provider, what],
        only,
    } = source;
    let asked = format!(
        "SELECT {agent}, {name}, {column}, {provider}, {what} FROM openclaw.{table} \
        WHERE tenant = $1 AND ({agent}, {name}) > ($2, $3) AND {only} \
        ORDER BY {agent}, {name} LIMIT $4"
    );
    let found = cx.ask(|link| {
        let params = [link.tenant(), text(&*last.0), text(&*last.1), integer(PAGE)];
        link.rows(&asked, &params)
    })?;
    for found in &found {
        let (agent, name): (String, String) = (found.get(0), found.get(1));
        scan.rows += 1;
        match opens(rows, *kind, (table, &agent, &name), found.get(2)) {
            Ok(true) => {}
            Ok(false) => scan.damaged.push(DamagedRow {
                kind: *kind,
                agent: agent.clone(),
                name: name.clone(),
                provider: found.get(3),
                what: found.get(4),
            }),
            Err(fault) => return Err(super::fault::told(fault, cx.shown())),
        }
        *last = (agent, name);
    }
    Ok(!found.is_empty())
}

fn opens(
    rows: &RowSealer,
    kind: RowKind,
    (table, agent, name): (&str, &str, &str),
    content: &[u8],
) -> Result<bool, Fault> {
    let place = match kind {
        // The one kind that is not sealed.
        RowKind::Usage => return Ok(std::str::from_utf8(content).is_ok_and(parts::is_state)),
        RowKind::Rest => row(table, agent, "rest"),
        _ => row(table, agent, name),
    };
    match rows.open(place, content) {
        Ok(_) => Ok(true),
        Err(Fault::Store(_)) => Ok(false),
        Err(fault) => Err(fault),
    }
}
