//! What became of every grant we refreshed: one small file for each that lives, without secrets,
//! and `spent.rs` for those that do not.
//!
//! An attempt is written down before its request is sent. One that is found open later means that
//! the process died on the way and the token may be spent. The journal is advice: a file that is
//! damaged counts as absent, for a credential must never be locked out by it.

use std::collections::HashSet;

use crate::model::grant::{GrantDigest, GrantRecord};
use crate::ports::files::FileError;

use super::io::FileStore;
use super::record;
use super::spent;

/// The record of a grant, if there is a readable one.
pub(super) fn read(cx: &FileStore, grant: &GrantDigest) -> Result<Option<GrantRecord>, FileError> {
    let bytes = cx.io.files.read(&cx.paths.record(grant))?;
    let record = bytes.and_then(|bytes| record::parse(&bytes));
    let Some(record) = record.filter(|record| record.grant == *grant) else {
        return spent::find(cx, grant);
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
    let closed = spent::find(cx, grant)?;
    let closed = closed.filter(|closed| begun(closed) == begun(&record));
    Ok(Some(closed.unwrap_or(record)))
}

/// Whether a grant is spent. One that lives has a file of its own, which need not be read.
pub(super) fn is_spent(cx: &FileStore, grant: &GrantDigest) -> Result<bool, FileError> {
    if cx.io.files.stat(&cx.paths.record(grant))?.is_some() {
        return Ok(false);
    }
    let record = spent::find(cx, grant)?;
    Ok(record.is_some_and(|record| record.successor().is_some()))
}

/// Writes a record durably.
pub(super) fn write(cx: &FileStore, record: &GrantRecord) -> Result<(), FileError> {
    let FileStore { io, paths, .. } = cx;
    io.files.create_dirs(&paths.journal())?;
    // Whoever reads it from now on sees it, and a loss of power costs only advice.
    let target = paths.record(&record.grant);
    io.files.replace_relaxed(&target, &record::pretty(record))
}

/// Writes down durably that a grant is spent, and lets its own file go.
pub(super) fn retire(
    cx: &FileStore,
    record: GrantRecord,
    referenced: &dyn Fn() -> Option<HashSet<GrantDigest>>,
) -> Result<(), FileError> {
    let file = cx.paths.record(&record.grant);
    let record = [record];
    let retired = spent::add(cx, &record, referenced);
    match retired.map(|()| cx.io.files.remove(&file)) {
        Ok(removed) => removed,
        Err(error) => {
            tracing::warn!(%error, "the record of a spent grant keeps a file of its own");
            let [record] = record;
            write(cx, &record)
        }
    }
}
