//! Putting a document in the place of the one that was read, whatever a program that ignores our
//! locks writes there meanwhile.
//!
//! What it wrote comes out as the new document goes in. The change is then made again in what it
//! wrote, as if that had been read, and so on until what comes out is what went in before. So both
//! are in the document; nothing that came out is removed before that.

use std::path::{Path, PathBuf};

use crate::model::history::History;
use crate::model::profiles::{AuthProfiles, Content, Entry};
use crate::ports::files::{Displaced, FileError, Files, Replaced, Reservation};
use crate::ports::store::{Scope, StoreError};
use crate::ports::swap;

use super::document;
use super::document_lock::Locked;
use super::history;
use super::io::FileStore;
use super::read::{self, Found, LOOKS, SETTLES, read_text};
use super::render;
use super::sealed::Sealing;

/// More often in a row nobody writes within the moment that it takes.
const ROUNDS: usize = 100;

/// The change that is to be stored; false if there is nothing to change after all.
pub(super) type Change<'a> = &'a mut dyn FnMut(&mut AuthProfiles) -> bool;

/// Puts what was found and changed in the place of the document.
pub(super) fn put_document(
    cx: &FileStore,
    (path, sealing): (&Path, &Sealing),
    found: &mut Found,
    mut space: Option<Box<dyn Reservation + '_>>,
    change: Change<'_>,
) -> Result<(), StoreError> {
    let mut expected = found.credentials.clone();
    // What is in the place, as other programs made it.
    // What was imported lies in no document yet, whatever another program makes of that.
    let mut clean = found.imported.as_ref().map(|_| found.doc.clone());
    for _ in 0..ROUNDS {
        let rendered = render::render_sealed(&found.doc, found.layout, sealing)?.credentials;
        let bytes = rendered.expose();
        let filled = space
            .take()
            .and_then(|space| space.fill_over(expected.as_deref(), bytes).ok());
        let replaced = match filled {
            Some(replaced) => replaced,
            None => cx.io.files.replace_over(path, expected.as_deref(), bytes)?,
        };
        let Some(theirs) = Theirs::of(cx, path, replaced, found)? else {
            return Ok(());
        };
        let whole = |text: Option<&[u8]>| whole(cx, text, found.state.as_deref());
        let base = whole(expected.as_deref());
        let mut doc = clean.take().unwrap_or_else(|| base.clone());
        doc.merge(&base, whole(theirs.bytes.as_deref()));
        doc.release = found.doc.release;
        doc.faults.clone_from(&found.doc.faults);
        clean = Some(doc.clone());
        let mut changed = doc.clone();
        let is_changed = change(&mut changed);
        found.doc = if is_changed { changed } else { doc };
        expected = match theirs.at {
            Some(at) => {
                found.merged.push(at);
                Some(bytes.clone())
            }
            // Nothing of ours is there.
            None if !is_changed => return Ok(()),
            None => theirs.bytes,
        };
    }
    Err(busy(path).into())
}

/// Puts the second file of a document that is split in its place.
pub(super) fn put_state(cx: &FileStore, path: &Path, found: &mut Found) -> Result<(), FileError> {
    let mut expected = found.state.clone();
    for _ in 0..ROUNDS {
        let state = render::render_state(&found.doc, found.layout);
        let Some(state) = state else {
            return cx.io.files.remove(path);
        };
        let bytes = state.expose();
        if expected.as_ref() == Some(bytes) {
            return Ok(());
        }
        let replaced = cx.io.files.replace_over(path, expected.as_deref(), bytes)?;
        let Some(theirs) = Theirs::of(cx, path, replaced, found)? else {
            return Ok(());
        };
        // It says only what was learnt and wished, of which ours is the newest.
        let base = whole(cx, None, expected.as_deref());
        let mut doc = whole(cx, None, theirs.bytes.as_deref());
        doc.merge(&base, whole(cx, None, Some(bytes)));
        found.doc.order = doc.order;
        found.doc.last_good = doc.last_good;
        found.doc.usage = doc.usage;
        found.doc.state_extra = doc.state_extra;
        expected = match theirs.at {
            Some(at) => {
                found.merged.push(at);
                Some(bytes.clone())
            }
            None => theirs.bytes,
        };
    }
    Err(busy(path))
}

fn busy(path: &Path) -> FileError {
    FileError {
        operation: "write",
        path: path.to_owned(),
        source: std::io::Error::other("another program writes it without pause"),
    }
}

/// A document of these files; what cannot be understood counts as empty, and is kept elsewhere.
fn whole(cx: &FileStore, credentials: Option<&[u8]>, state: Option<&[u8]>) -> AuthProfiles {
    let read = |text: &str| document::parse_keeping(text, Scope::All, &mut cx.keep());
    let parse = |bytes| read_text(bytes, read);
    let parsed = credentials.map(parse).and_then(Result::ok);
    let mut doc = parsed.unwrap_or_default();
    if let Some(state) = state {
        // It is as it was where this fails.
        let _ = read_text(state, |text| document::merge_state(&mut doc, text));
    }
    doc
}

/// What another program wrote in the place of a file.
struct Theirs {
    /// Its content; `None` if it removed the file.
    bytes: Option<Vec<u8>>,
    /// Where it lies, if ours is in its place.
    at: Option<PathBuf>,
}

impl Theirs {
    /// `None` if there is nothing to merge: all is well, or what came out is no document and was
    /// set aside.
    fn of(
        cx: &FileStore,
        path: &Path,
        replaced: Replaced,
        found: &mut Found,
    ) -> Result<Option<Self>, FileError> {
        let (mut bytes, at) = match replaced {
            Replaced::Done => return Ok(None),
            Replaced::Displaced(Displaced { path, bytes }) => (Some(bytes), Some(path)),
            Replaced::Changed(now) => (now, None),
        };
        let files = &cx.io.files;
        for _ in 0..LOOKS {
            let Some(text) = &bytes else {
                break;
            };
            if is_whole(text) {
                break;
            }
            // It writes in place, and was caught in the middle.
            cx.io.clock.sleep(SETTLES);
            bytes = files.read(at.as_deref().unwrap_or(path))?;
        }
        let is_torn = bytes.as_ref().is_some_and(|bytes| !is_whole(bytes));
        if is_torn {
            let aside = read::name_aside(&cx.io, path)?;
            match &at {
                Some(at) => files.rename(at, &aside)?,
                None => files.replace(&aside, bytes.as_deref().unwrap_or_default())?,
            }
            found.doc.faults.push(format!(
                "another program wrote what is no document; it was moved to {}",
                aside.display()
            ));
            if at.is_some() {
                return Ok(None);
            }
        }
        Ok(Some(Self { bytes, at }))
    }
}

fn is_whole(bytes: &[u8]) -> bool {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string());
    text.and_then(|text| document::parse(text, Scope::All))
        .is_ok()
}

/// Takes in what came out of the place of a document when the process that put another one in
/// died. Returns whether there is anything new.
pub(super) fn take_in_left(cx: &FileStore, locked: &Locked, found: &mut Found) -> bool {
    let mut is_new = false;
    for path in [
        cx.paths.document(&locked.agent),
        cx.paths.state_file(&locked.agent),
    ] {
        let left = swap::left(&*cx.io.files, &path).unwrap_or_else(|error| {
            tracing::warn!(%error, "what another program wrote was not looked for");
            swap::Left::default()
        });
        found.merged.extend(left.needless);
        for Displaced { path: at, bytes } in left.foreign {
            if !is_whole(&bytes) {
                continue;
            }
            let theirs = match path == cx.paths.document(&locked.agent) {
                true => whole(cx, Some(&bytes), None),
                false => whole(cx, None, Some(&bytes)),
            };
            // What a logout of ours removed stays away.
            let history = |entry: &Entry| history_of(cx, locked, entry);
            let is_wanted = |entry: &Entry| !history(entry).is_some_and(|one| one.is_logged_out());
            for other in found.doc.add_missing(theirs, is_wanted) {
                if let Content::Valid(id, credential) = &other.content {
                    history::keep_foreign(cx, &locked.agent, id, credential);
                }
            }
            found.merged.push(at);
            is_new = true;
        }
    }
    is_new
}

fn history_of(cx: &FileStore, locked: &Locked, entry: &Entry) -> Option<History> {
    let Content::Valid(id, _) = &entry.content else {
        return None;
    };
    history::read_one(cx, &locked.agent, id)
}

/// Removes what is merged, now that the document is durable.
pub(super) fn remove_merged(files: &dyn Files, found: &mut Found) {
    for path in found.merged.drain(..) {
        if let Err(error) = files.remove(&path) {
            tracing::warn!(%error, "what is merged is still there; the next write looks at it again");
        }
    }
}
