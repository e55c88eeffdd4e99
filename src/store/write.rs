//! Writing a document under its locks.

use std::path::{Path, PathBuf};

use crate::model::id::AgentId;
use crate::model::secret::Secret;
use crate::ports::files::{FileError, Files, Reservation};
use crate::ports::store::{Scope, StoreError};

use super::document::{self, Layout};
use super::document_lock::Locked;
use super::history;
use super::io::{FileStore, Io};
use super::read::{self, Found};

/// Room for what a document may grow by until it is written.
const HEADROOM: u64 = 64 * 1024;

/// Space for the next content of an agent's document.
pub(super) fn reserve<'a>(
    cx: &'a FileStore,
    agent: &AgentId,
) -> Result<Box<dyn Reservation + 'a>, FileError> {
    let path = cx.paths.document(agent);
    let size = cx.io.files.stat(&path)?.map_or(0, |stat| stat.size);
    cx.io.files.reserve(&path, size.saturating_add(HEADROOM))
}

/// Reads the document again, now that nobody can change it.
pub(super) fn find(cx: &FileStore, locked: &Locked) -> Result<Found, StoreError> {
    let found = read::find(cx, &locked.agent, Scope::All, || Ok(false))?;
    match found.database {
        Some(database) => Err(read::later_generation(cx, &database)),
        None => Ok(found),
    }
}

/// Writes what was found and changed back in its layout: credentials first, so that a failure
/// in between costs only what was learnt by using them. Where nothing else changed than that,
/// and it has a file of its own, the credentials are left alone.
pub(super) fn write(
    cx: &FileStore,
    locked: &Locked,
    found: &mut Found,
    space: Option<Box<dyn Reservation + '_>>,
) -> Result<(), StoreError> {
    quarantine(&cx.io, found)?;
    let rendered = document::render(&found.doc, found.layout);
    let files = &cx.io.files;
    let bytes = rendered.credentials.expose();
    let is_split = found.layout == Layout::Split;
    let is_same = is_split && found.credentials.as_deref() == Some(bytes.as_slice());
    let filled = !is_same && space.is_some_and(|space| space.fill(bytes).is_ok());
    if !is_same && !filled {
        files.replace(&cx.paths.document(&locked.agent), bytes)?;
    }
    if is_split {
        let path = cx.paths.state_file(&locked.agent);
        let state = rendered.state.as_ref();
        write_state(&**files, &path, state, found.state.as_deref()).map_err(
            |error| match is_same {
                true => error.into(),
                false => StoreError::HalfWritten(error.into()),
            },
        )?;
    }
    finish(cx, &locked.agent, found);
    Ok(())
}

/// The second file of a document that is split, now that the first is as it shall be.
fn write_state(
    files: &dyn Files,
    path: &Path,
    new: Option<&Secret<Vec<u8>>>,
    old: Option<&[u8]>,
) -> Result<(), FileError> {
    match new {
        Some(new) if Some(new.expose().as_slice()) == old => Ok(()),
        Some(new) => files.replace(path, new.expose()),
        None => files.remove(path),
    }
}

/// What may fail without harm once the document is durable.
fn finish(cx: &FileStore, agent: &AgentId, found: &mut Found) {
    let files = &cx.io.files;
    history::note_refreshes(cx, agent, &mut found.doc);
    if let Some(auth) = &found.imported {
        // Left in place, it would bring its logins back when the store is deleted one day.
        if let Err(error) = files.rename(auth, &auth.with_extension("json.imported")) {
            found
                .doc
                .faults
                .push(format!("an imported file is still there: {error}"));
        }
    }
    for (path, is_dir, mode) in modes(cx, agent) {
        let wanted = if is_dir { 0o700 } else { 0o600 };
        if let Err(error) = files.set_mode(&path, mode & wanted) {
            tracing::warn!(%error, "permissions could not be tightened");
        }
    }
}

/// Copies what could not be understood, byte for byte, before it is overwritten.
fn quarantine(io: &Io, found: &mut Found) -> Result<(), StoreError> {
    for (path, bytes, fault) in &found.unreadable {
        let aside = read::name_aside(io, path)?;
        io.files.replace(&aside, bytes)?;
        found.doc.faults.push(format!(
            "{} was unreadable ({fault}); its content was moved to {}",
            path.display(),
            aside.display()
        ));
    }
    Ok(())
}

/// Path, whether it is a directory, and mode of what is open to others.
pub(super) fn modes(cx: &FileStore, agent: &AgentId) -> Vec<(PathBuf, bool, u32)> {
    let FileStore { io, paths, .. } = cx;
    let all = [
        paths.directory(agent),
        paths.document(agent),
        paths.histories(agent),
    ];
    let found = all.into_iter().filter_map(|path| {
        let stat = io.files.stat(&path).ok().flatten()?;
        let allowed = if stat.is_dir { 0o700 } else { 0o600 };
        (stat.mode & !allowed != 0).then_some((path, stat.is_dir, stat.mode))
    });
    found.collect()
}
