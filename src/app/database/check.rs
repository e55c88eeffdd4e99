//! `gateway doctor`: how a database fares, and what should be done about it.

use std::path::Path;

use super::damage;
use crate::app::context::Context;
use crate::app::doctor::{Status, Verdict};
use crate::app::failure::Failure;
use crate::app::secrets::moving::left_bundle::LeftBundle;
use crate::model::hint::{Command, Hint};
use crate::ports::database::{Database, DatabaseCheck, LARGEST_OFFSET, NOTABLE_OFFSET, Tables};

/// A check that was made.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its stable name.
    pub name: &'static str,
    /// The verdict.
    pub verdict: Verdict,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Report {
    /// Where the database is.
    pub at: String,
    /// The checks, in order.
    pub checks: Vec<Check>,
}

impl Report {
    /// Counts the checks with this outcome.
    pub fn count(&self, status: Status) -> usize {
        let all = self.checks.iter();
        all.filter(|check| check.verdict.status == status).count()
    }
}

/// Looks at a database, whose address is in `url_file` if an option names that, and at what an import
/// from the files has left in the directory of what this machine must not lose. Changes nothing.
///
/// # Errors
/// If it cannot be reached.
pub fn run(
    files: Context<'_>,
    (database, directory): (&dyn Database, &Path),
    url_file: Option<&Path>,
) -> Result<Report, Failure> {
    let check = database.check()?;
    let mut id = None;
    let mut verdicts = vec![
        (
            "server",
            Verdict::ok(format!("PostgreSQL {}", check.server)),
        ),
        ("tables", tables(&check, url_file)),
        ("key", key(&check)),
        ("clock", clock(&check)),
        ("standby", standby(&check)),
        ("encryption", encryption(&check)),
    ];
    // Nothing tells of tables that are not there.
    if check.tables == Tables::Ready {
        verdicts.push(("tenant", tenant(&check)));
        let faults = check.role_faults.iter().cloned();
        let faults = faults.map(|(found, advice)| Verdict::warning(found, advice));
        verdicts.extend(faults.map(|verdict| ("role", verdict)));
    }
    if check.has_tenant {
        verdicts.push(("notifications", notifications(&check)));
    }
    if check.has_tenant && check.is_key_right == Some(true) {
        id = Some(database.id()?);
        let found = damage::verdicts(&database.damaged()?);
        verdicts.extend(found.into_iter().map(|verdict| ("rows", verdict)));
    }
    let imports = imports(files, directory, id.as_deref());
    verdicts.extend(imports.into_iter().map(|verdict| ("import", verdict)));
    let checks = verdicts.into_iter();
    Ok(Report {
        at: database.shown(),
        checks: checks
            .map(|(name, verdict)| Check { name, verdict })
            .collect(),
    })
}

fn tables(check: &DatabaseCheck, url_file: Option<&Path>) -> Verdict {
    let migrate = || {
        let command = Command::new("gateway migrate");
        match url_file {
            Some(file) => command.option("--database-url-file", &file.display()),
            None => command,
        }
    };
    match check.tables {
        Tables::Ready => Verdict::ok("are what this release needs"),
        Tables::Missing => Verdict::failed("there are none", migrate()),
        Tables::Behind(1) => Verdict::failed("1 migration is missing", migrate()),
        Tables::Behind(count) => {
            Verdict::failed(format!("{count} migrations are missing"), migrate())
        }
        Tables::Ahead => Verdict::failed("a later release made them", "install that release"),
    }
}

fn key(check: &DatabaseCheck) -> Verdict {
    match check.is_key_right {
        Some(true) => Verdict::ok("opens what is stored"),
        None => Verdict::ok("is not in use yet: nothing is stored"),
        Some(false) => Verdict::failed(
            "does not open what is stored",
            "name the file of the right one in GOCLAW_ENCRYPTION_KEY_FILE",
        ),
    }
}

fn tenant(check: &DatabaseCheck) -> Verdict {
    let tenant = &check.tenant;
    match check.has_tenant {
        true => Verdict::ok(format!("{tenant} is there")),
        false => Verdict::failed(
            format!("{tenant} is not there, or the user of the address may not see it"),
            Hint::from("as the owner of the tables: ").run(add_tenant(check)),
        ),
    }
}

/// What lets the user of the address see the tenant.
pub(super) fn add_tenant(check: &DatabaseCheck) -> Command {
    let add = Command::new("gateway tenant add").name(check.tenant.as_str());
    match &check.role {
        Some(role) => add.option("--role", role),
        None => add,
    }
}

/// What is on its way.
fn imports(files: Context<'_>, directory: &Path, id: Option<&str>) -> Vec<Verdict> {
    match LeftBundle::interrupted(files, directory) {
        Ok(left) if left.is_empty() => vec![Verdict::ok("none was interrupted")],
        Ok(left) => left.iter().map(|left| left.verdict(id)).collect(),
        Err(failure) => vec![Verdict::warning(
            failure.to_string(),
            failure.hint.unwrap_or_default(),
        )],
    }
}

fn clock(check: &DatabaseCheck) -> Verdict {
    let offset = check.clock_offset;
    let found = format!("{:.1} s away from the server's", offset.as_secs_f64());
    let advice = "set both clocks by NTP";
    match () {
        () if offset >= LARGEST_OFFSET => Verdict::failed(found, advice),
        () if offset >= NOTABLE_OFFSET => Verdict::warning(found, advice),
        () => Verdict::ok(found),
    }
}

fn notifications(check: &DatabaseCheck) -> Verdict {
    match check.is_notified {
        Some(true) => Verdict::ok("arrive"),
        None => Verdict::ok("are not tried yet: nothing is stored"),
        Some(false) => Verdict::warning(
            "do not arrive: changes of other machines are found by asking",
            "connect to the server itself, not through a pool by transaction",
        ),
    }
}

fn standby(check: &DatabaseCheck) -> Verdict {
    match (check.is_synchronous, check.is_followed) {
        (true, true) => Verdict::ok("has each commit before it counts"),
        (true, false) => Verdict::warning(
            "commits wait for one, and none follows the server: nothing can be stored",
            "start the standby, or empty synchronous_standby_names",
        ),
        (false, true) => Verdict::warning(
            "none waits for commits: if the server is replaced by one, the last logins may be lost",
            "set synchronous_standby_names, and leave synchronous_commit on",
        ),
        (false, false) => Verdict::ok("none follows the server"),
    }
}

fn encryption(check: &DatabaseCheck) -> Verdict {
    match check.is_encrypted {
        true => Verdict::ok("the connection is encrypted, or does not leave this machine"),
        false => Verdict::warning(
            "the connection is not encrypted",
            "if the server is on another machine, remove sslmode=disable from its address",
        ),
    }
}
