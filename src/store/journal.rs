//! What became of every grant we refreshed: one small file for each that lives, without secrets,
//! and `spent.rs` for those that do not.
//!
//! An attempt is written down before its request is sent. One that is found open later means that
//! the process died on the way and the token may be spent. The journal is advice: a file that is
//! damaged counts as absent, for a credential must never be locked out by it.

use std::collections::HashSet;

use crate::model::grant::{GrantDigest, GrantRecord};
use crate::ports::files::{FileError, Files};

use super::io::Io;
use super::paths::StorePaths;
use super::record;
use super::spent;

/// The record of a grant, if there is a readable one.
pub(super) fn read(
    files: &dyn Files,
    paths: &StorePaths,
    grant: &GrantDigest,
) -> Result<Option<GrantRecord>, FileError> {
    let bytes = files.read(&paths.record(grant))?;
    let record = bytes.and_then(|bytes| record::parse(&bytes));
    let Some(record) = record.filter(|record| record.grant == *grant) else {
        return spent::find(files, paths, grant);
    };
    let is_open = |record: &GrantRecord| {
        let attempt = record.attempt.as_ref();
        attempt.is_some_and(|attempt| attempt.outcome.is_none())
    };
    if !is_open(&record) {
        return Ok(Some(record));
    }
    // Whoever closed it may have died between the two files.
    let begun = |record: &GrantRecord| record.attempt.as_ref().map(|attempt| attempt.begun_at);
    let closed = spent::find(files, paths, grant)?;
    let closed = closed.filter(|closed| begun(closed) == begun(&record));
    Ok(Some(closed.unwrap_or(record)))
}

/// Writes a record durably.
pub(super) fn write(
    files: &dyn Files,
    paths: &StorePaths,
    record: &GrantRecord,
) -> Result<(), FileError> {
    let target = paths.record(&record.grant);
    files.create_dirs(&paths.journal())?;
    let bytes = record::pretty(record).map_err(|error| FileError {
        operation: "write",
        path: target.clone(),
        source: error.into(),
    })?;
    match files.replace(&target, &bytes) {
        // Whoever reads it from now on sees it, and a loss of power costs only advice.
        Err(error) if error.is_in_place() => Ok(()),
        other => other,
    }
}

/// Writes down durably that a grant is spent, and lets its own file go.
pub(super) fn retire(
    io: &Io,
    paths: &StorePaths,
    record: GrantRecord,
    referenced: &dyn Fn() -> Option<HashSet<GrantDigest>>,
) -> Result<(), FileError> {
    let file = paths.record(&record.grant);
    let record = [record];
    let retired = spent::add(io, paths, &record, referenced);
    match retired.map(|()| io.files.remove(&file)) {
        Ok(removed) => removed,
        Err(error) => {
            tracing::warn!(%error, "the record of a spent grant keeps a file of its own");
            let [record] = record;
            write(&*io.files, paths, &record)
        }
    }
}
