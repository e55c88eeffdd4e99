//! Opening every row once, to find those that do not open.

use crate::ports::database::{DamagedRow, RowKind, Scan};
use crate::ports::store::StoreError;
use crate::store::parts;

use super::context::PostgresStore;
use super::fault::Fault;
use super::link::{integer, text};
use super::seal::{Place, RowSealer, row};

/// So many rows are in memory at once.
const PAGE: i64 = 200;

/// Rows of one kind: their table, what names them there and in their seal, what is sealed, and what else
/// is told of them.
pub(super) struct Source {
    pub(super) kind: RowKind,
    pub(super) table: &'static str,
    pub(super) names: [&'static str; 2],
    pub(super) column: &'static str,
    told: [&'static str; 2],
    /// Which rows count.
    only: &'static str,
}

impl Source {
    const fn new(kind: RowKind, table: &'static str, names: [&'static str; 2]) -> Self {
        Self {
            kind,
            table,
            names,
            column: "sealed",
            told: [NONE, NONE],
            only: "true",
        }
    }

    /// The place that the row of these names is sealed for.
    pub(super) fn place<'a>(&self, agent: &'a str, name: &'a str) -> Place<'a> {
        match self.kind {
            RowKind::Rest => row(self.table, agent, "rest"),
            _ => row(self.table, agent, name),
        }
    }
}

const NONE: &str = "NULL::text";
const EMPTY: &str = "''::text";

const SOURCES: [Source; 7] = [
    Source {
        told: ["provider", "kind"],
        ..Source::new(RowKind::Credential, "credential", ["agent", "profile"])
    },
    Source::new(RowKind::History, "history", ["agent", "profile"]),
    Source {
        column: "rest",
        only: "rest IS NOT NULL",
        ..Source::new(RowKind::Rest, "agent", ["id", EMPTY])
    },
    Source {
        column: "convert_to(state, 'UTF8')",
        ..Source::new(RowKind::Usage, "agent_usage", ["agent", EMPTY])
    },
    Source::new(RowKind::AccessKey, "access_key", [EMPTY, "id"]),
    Source {
        told: ["provider", NONE],
        only: "sealed IS NOT NULL AND step <> 'ended' AND expires_at > clock_timestamp()",
        ..Source::new(
            RowKind::LoginAttempt,
            "login_attempt",
            [EMPTY, "state_hash"],
        )
    },
    Source {
        only: "expires_at > clock_timestamp()",
        ..Source::new(RowKind::PagePass, "page_pass", ["kind", "digest"])
    },
];

/// What is sealed, and kept when the key is another one.
pub(super) fn kept() -> impl Iterator<Item = &'static Source> {
    SOURCES.iter().filter(|source| match source.kind {
        RowKind::Credential | RowKind::History | RowKind::Rest | RowKind::AccessKey => true,
        RowKind::Usage | RowKind::LoginAttempt | RowKind::PagePass => false,
    })
}

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
        match opens(rows, source, (&agent, &name), found.get(2)) {
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
    source: &Source,
    (agent, name): (&str, &str),
    content: &[u8],
) -> Result<bool, Fault> {
    // The one kind that is not sealed.
    if source.kind == RowKind::Usage {
        return Ok(std::str::from_utf8(content).is_ok_and(parts::is_state));
    }
    match rows.open(source.place(agent, name), content) {
        Ok(_) => Ok(true),
        Err(Fault::Store(_)) => Ok(false),
        Err(fault) => Err(fault),
    }
}
