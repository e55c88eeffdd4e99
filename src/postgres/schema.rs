//! The tables: which there are, and how they come to be.
//!
//! Each migration is one transaction under a lock of the database, and only adds. One that an older
//! program cannot live with says so by the lowest version that may still write, or read.

use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::ports::database::Tables;

use super::fault::Fault;
use super::link::{Link, integer, text};
use super::pool::{Pool, Tx};
use super::roles;

/// A migration: its name, its statements, and the lowest version of this list that may read and write
/// once it is applied.
struct Migration {
    name: &'static str,
    statements: &'static str,
    min_reader: i64,
    min_writer: i64,
}

/// Those that this program knows, in their order: their versions are 1, 2, …
const MIGRATIONS: [Migration; 6] = [
    Migration {
        name: "first",
        statements: include_str!("migrations/0001_first.sql"),
        min_reader: 1,
        min_writer: 1,
    },
    Migration {
        name: "shared",
        statements: include_str!("migrations/0002_shared.sql"),
        min_reader: 1,
        min_writer: 1,
    },
    Migration {
        name: "logins",
        statements: include_str!("migrations/0003_logins.sql"),
        min_reader: 1,
        min_writer: 1,
    },
    Migration {
        name: "page",
        statements: include_str!("migrations/0004_page.sql"),
        min_reader: 1,
        min_writer: 1,
    },
    Migration {
        name: TENANTS,
        statements: include_str!("migrations/0005_tenants.sql"),
        min_reader: 1,
        min_writer: 1,
    },
    Migration {
        name: "committed",
        statements: include_str!("migrations/0006_committed.sql"),
        min_reader: 1,
        min_writer: 1,
    },
];

/// The version that this program knows.
const KNOWN: i64 = MIGRATIONS.len() as i64;

/// From that one on a role sees the rows of its tenant alone.
const TENANTS: &str = "tenants";

/// Names the lock under which one process changes the tables: any number that nobody else uses.
const LOCK: i64 = 0x6f70_656e_636c_6177;

/// How long a migration may take, and wait for one of another process.
const PATIENCE: Duration = Duration::from_secs(300);

const BASE: &str = "
    CREATE SCHEMA IF NOT EXISTS openclaw;
    CREATE TABLE IF NOT EXISTS openclaw.schema_version (
        version bigint PRIMARY KEY,
        name text NOT NULL,
        checksum text NOT NULL,
        min_reader bigint NOT NULL,
        min_writer bigint NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )";

impl Migration {
    fn checksum(&self) -> String {
        format!("{:x}", Sha256::digest(self.statements))
    }
}

/// How the tables stand to this program.
fn tables(link: &Link) -> Result<Tables, Fault> {
    let there = "SELECT count(*) FROM pg_catalog.pg_tables \
        WHERE schemaname = 'openclaw' AND tablename = 'schema_version'";
    let row = link.row(there, &[])?;
    if row.is_none_or(|row| row.get::<_, i64>(0) == 0) {
        return Ok(Tables::Missing);
    }
    let asked = "SELECT count(*) FILTER (WHERE version <= $1), \
        coalesce(max(greatest(min_reader, min_writer)), 0) FROM openclaw.schema_version";
    let row = link.row(asked, &[integer(KNOWN)])?;
    let (applied, lowest) = row.map_or((0, 0), |row| (row.get(0), row.get(1)));
    Ok(judge(applied, lowest))
}

/// Which database it is, and what its key is tried on.
pub(super) struct Identity {
    pub(super) id: String,
    pub(super) key_check: Vec<u8>,
}

/// What has to be known of a database before it is used.
pub(super) struct Looked {
    pub(super) tables: Tables,
    /// The clock of the server, in milliseconds since the Unix epoch.
    pub(super) clock: i64,
    /// Absent until somebody has used it.
    pub(super) deployment: Option<Identity>,
    /// Whether there is the tenant that is worked for.
    pub(super) has_tenant: bool,
    /// The role that is connected, if it does not own the tables.
    pub(super) role: Option<String>,
}

const LOOK: &str = "SELECT \
    (SELECT count(*) FILTER (WHERE version <= $1) FROM openclaw.schema_version), \
    (SELECT coalesce(max(greatest(min_reader, min_writer)), 0) FROM openclaw.schema_version), \
    (extract(epoch FROM clock_timestamp()) * 1000)::bigint, d.id, d.key_check, \
    EXISTS (SELECT 1 FROM openclaw.tenant WHERE id = $2), \
    (SELECT current_user::text FROM pg_catalog.pg_class t \
        WHERE t.oid = 'openclaw.tenant'::regclass AND NOT pg_has_role(t.relowner, 'USAGE')) \
    FROM (VALUES (1)) one LEFT JOIN openclaw.deployment d ON true";

/// Looks at a database, which takes one question where everything is as it should be.
pub(super) fn look(link: &Link) -> Result<Looked, Fault> {
    let found = match link.row(LOOK, &[integer(KNOWN), link.tenant()]) {
        // A table is not there.
        Err(Fault::Refused(..)) | Ok(None) => {
            return Ok(Looked {
                tables: tables(link)?,
                clock: clock(link)?,
                deployment: None,
                has_tenant: false,
                role: None,
            });
        }
        Ok(Some(found)) => found,
        Err(fault) => return Err(fault),
    };
    let id: Option<String> = found.get(3);
    Ok(Looked {
        tables: judge(found.get(0), found.get(1)),
        clock: found.get(2),
        deployment: id.map(|id| Identity {
            id,
            key_check: found.get(4),
        }),
        has_tenant: found.get(5),
        role: found.get(6),
    })
}

fn clock(link: &Link) -> Result<i64, Fault> {
    let asked = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    let found = link.row(asked, &[])?;
    found
        .map(|found| found.get(0))
        .ok_or_else(|| Fault::Gone("it tells no time".to_owned()))
}

fn judge(applied: i64, lowest: i64) -> Tables {
    match KNOWN - applied {
        _ if lowest > KNOWN => Tables::Ahead,
        0 => Tables::Ready,
        KNOWN => Tables::Missing,
        missing => Tables::Behind(usize::try_from(missing).unwrap_or_default()),
    }
}

/// Lets one process at a time change the tables, and who may touch them, until the end of its transaction.
pub(super) fn lock(tx: &Tx<'_>) -> Result<(), Fault> {
    // The server itself releases it if this process dies.
    let lock = "SELECT pg_advisory_xact_lock($1)::text";
    tx.row(lock, &[integer(LOCK)]).map(drop)
}

/// Applies what is missing, and returns the names.
pub(super) fn migrate(pool: &Pool) -> Result<Vec<String>, Fault> {
    let mut applied = Vec::new();
    for (version, migration) in (1_i64..).zip(&MIGRATIONS) {
        let done = pool.transaction(|tx| {
            tx.allow(PATIENCE)?;
            lock(tx)?;
            apply(tx, version, migration)
        })?;
        if done {
            applied.push(migration.name.to_owned());
        }
    }
    Ok(applied)
}

fn apply(tx: &Tx<'_>, version: i64, migration: &Migration) -> Result<bool, Fault> {
    tx.batch(BASE)?;
    let known = "SELECT checksum FROM openclaw.schema_version WHERE version = $1";
    if tx.row(known, &[integer(version)])?.is_some() {
        return Ok(false);
    }
    tx.batch(migration.statements)?;
    if migration.name == TENANTS {
        roles::carry_on(tx)?;
    }
    let note = "INSERT INTO openclaw.schema_version \
        (version, name, checksum, min_reader, min_writer) VALUES ($1, $2, $3, $4, $5)";
    let noted = [
        integer(version),
        text(migration.name),
        text(migration.checksum()),
        integer(migration.min_reader),
        integer(migration.min_writer),
    ];
    tx.change(note, &noted)?;
    // With the last one or not at all: where it is applied nothing grants them any more.
    if version == KNOWN {
        roles::grant_all(tx)?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_form_may_be_used_as_long_as_it_allows_that() {
        assert_eq!(judge(KNOWN, 1), Tables::Ready);
        assert_eq!(judge(KNOWN, KNOWN), Tables::Ready);
        assert_eq!(judge(KNOWN, KNOWN + 1), Tables::Ahead);
        assert_eq!(judge(0, 0), Tables::Missing);
    }
}
