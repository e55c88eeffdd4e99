//! Writing a document under its locks.

use std::path::{Path, PathBuf};

use crate::model::id::AgentId;
use crate::ports::files::{FileError, Outgrown, Reservation};
use crate::ports::store::{MediumError, Scope, StoreError};

use super::document_lock::Locked;
use super::io::{FileStore, Io};
use super::later_release;
use super::overwrite::{self, Change};
use super::read::{self, Found, HEADROOM, check_limit};
use super::render::{self, Layout};
use super::sealed::Sealing;

/// Space for the next content of an agent's document. What is received now must be stored where it
/// is read again, so it fails for a document that is too large to grow.
pub(super) fn reserve<'a>(
    cx: &'a FileStore,
    agent: &AgentId,
) -> Result<Box<dyn Reservation + 'a>, FileError> {
    let next_size = |path: &Path| -> Result<u64, FileError> {
        let size = cx.io.files.stat(path)?.map_or(0, |stat| stat.size);
        let next = size.saturating_add(HEADROOM);
        check_growth(path, next)?;
        Ok(next)
    };
    next_size(&cx.paths.state_file(agent))?;
    let path = cx.paths.document(agent);
    let size = next_size(&path)?;
    cx.io.files.reserve(&path, size)
}

/// Fails for the next content of a file if it has so many bytes that nobody would read it.
fn check_growth(path: &Path, size: u64) -> Result<(), FileError> {
    check_limit(path, size, ("write", Outgrown))
}

/// Reads the document again, now that nobody of ours can change it.
pub(super) fn find(cx: &FileStore, locked: &Locked) -> Result<Found, StoreError> {
    let scope = (Scope::All, &mut cx.keep());
    let found = read::find(cx, &locked.agent, scope, || Ok(false));
    let found = found.map_err(|error| match error {
        // What was to be written is not: a reader that is refused has only not been told.
        StoreError::Unavailable(error) => StoreError::Unavailable(MediumError {
            is_refused: false,
            ..error
        }),
        error => error,
    })?;
    match found.database {
        Some(database) => Err(later_release::later_generation(cx, &database)),
        None => Ok(found),
    }
}

/// The same, with what another program wrote and a process of ours that died had not merged yet;
/// true if there was any.
pub(super) fn find_all(cx: &FileStore, locked: &Locked) -> Result<(Found, bool), StoreError> {
    let mut found = find(cx, locked)?;
    let is_new = overwrite::take_in_left(cx, locked, &mut found);
    Ok((found, is_new))
}

/// Writes what was found and changed back in its layout: credentials first, so that a failure
/// in between costs only what was learnt by using them. Where nothing else changed than that,
/// and it has a file of its own, the credentials are left alone. `change` is what was made of it, and
/// is made again in what another program wrote meanwhile.
pub(super) fn write(
    cx: &FileStore,
    (locked, sealing): (&Locked, &Sealing),
    found: &mut Found,
    space: Option<Box<dyn Reservation + '_>>,
    change: Change<'_>,
) -> Result<(), StoreError> {
    // First of all: what cannot be sealed is not written.
    let rendered = render::render_sealed(&found.doc, found.layout, sealing)?;
    quarantine(&cx.io, found)?;
    keep_copy(cx, &locked.agent, found)?;
    let is_split = found.layout == Layout::Split;
    let is_same = is_split && found.credentials.as_ref() == Some(rendered.credentials.expose());
    if let Some(state) = &rendered.state {
        // Before the credentials, so that both are written or none.
        let path = cx.paths.state_file(&locked.agent);
        check_growth(&path, state.expose().len() as u64)?;
    }
    if !is_same {
        let path = cx.paths.document(&locked.agent);
        check_growth(&path, rendered.credentials.expose().len() as u64)?;
        overwrite::put_document(cx, (&path, sealing), found, space, change)?;
    }
    if is_split {
        let path = cx.paths.state_file(&locked.agent);
        overwrite::put_state(cx, &path, found).map_err(|error| match is_same {
            true => error.into(),
            false => StoreError::HalfWritten(error.into()),
        })?;
    }
    finish(cx, &locked.agent, found);
    Ok(())
}

/// What may fail without harm once the document is durable.
fn finish(cx: &FileStore, agent: &AgentId, found: &mut Found) {
    let files = &cx.io.files;
    overwrite::remove_merged(&**files, found);
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
        let aside = read::copy_aside(io, path, bytes)?;
        found.doc.faults.push(format!(
            "{} was unreadable ({fault}); its content was moved to {}",
            path.display(),
            aside.display()
        ));
    }
    Ok(())
}

/// Copies a document of which the next content leaves something out: bytes that were replaced, or
/// `profiles` that are no object.
fn keep_copy(cx: &FileStore, agent: &AgentId, found: &mut Found) -> Result<(), StoreError> {
    if !found.unreadable.is_empty() {
        return Ok(());
    }
    let is_replaced = found.doc.extra.get("profiles").is_some() && !found.doc.entries().is_empty();
    let files = [
        (
            cx.paths.document(agent),
            found.credentials.as_ref(),
            is_replaced,
        ),
        (cx.paths.state_file(agent), found.state.as_ref(), false),
    ];
    for (path, bytes, is_replaced) in files {
        let Some(bytes) = bytes else {
            continue;
        };
        let fault = match std::str::from_utf8(bytes) {
            Err(_) => "it is not UTF-8 text",
            Ok(_) if is_replaced => "`profiles` is not an object",
            Ok(_) => continue,
        };
        let aside = read::copy_aside(&cx.io, &path, bytes)?;
        found.doc.faults.push(format!(
            "{} could not be kept as it was ({fault}); a copy is in {}",
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
