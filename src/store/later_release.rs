//! The databases in which later releases of OpenClaw keep credentials: they are named, and never
//! written.

use std::path::{Path, PathBuf};

use crate::model::id::{AgentId, printable};
use crate::ports::files::FileError;
use crate::ports::store::StoreError;

use super::error::at;
use super::io::FileStore;

/// The database in which a later release keeps the credentials of an agent, if there is one.
pub(super) fn database(cx: &FileStore, agent: &AgentId) -> Result<Option<PathBuf>, FileError> {
    for path in cx.paths.databases(agent) {
        if cx.io.files.stat(&path)?.is_some() {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Asked before anything is created in a directory that another release owns.
pub(super) fn check_generation(cx: &FileStore, agent: &AgentId) -> Result<(), StoreError> {
    if cx.io.files.stat(&cx.paths.document(agent))?.is_some() {
        return Ok(());
    }
    match database(cx, agent)? {
        Some(database) => Err(later_generation(cx, &database)),
        None => Ok(()),
    }
}

/// As much of a database as holds its version, in bytes.
const HEADER: usize = 64;

/// Names the database, and the release that it belongs to.
pub(super) fn later_generation(cx: &FileStore, path: &Path) -> StoreError {
    let mut header = [0; HEADER];
    let pieces = cx.io.files.open(path).ok().flatten();
    // Without it the version is unknown.
    let length = pieces.and_then(|mut pieces| pieces.read(&mut header).ok());
    let schema = schema_of(&header[..length.unwrap_or_default()])
        .map(|schema| format!("its schema is number {schema}"));
    let release = cx.paths.written_by.as_ref();
    let release = release.map(|release| {
        let release = printable(release, 40);
        format!("OpenClaw {release} wrote the configuration")
    });
    let known: Vec<String> = schema.into_iter().chain(release).collect();
    StoreError::LaterGeneration {
        at: at(path),
        detail: match known.is_empty() {
            true => "unknown version".to_owned(),
            false => known.join(", and "),
        },
    }
}

/// `user_version` in the header of an SQLite database (its file format, section 1.3.12).
fn schema_of(database: &[u8]) -> Option<u32> {
    let header = database.strip_prefix(b"SQLite format 3\0")?;
    let bytes = header.get(44..48)?.try_into().ok()?;
    Some(u32::from_be_bytes(bytes))
}
