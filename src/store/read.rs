//! Reading one agent's document, without a lock.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::cooldown::StoreFormat;
use crate::model::id::AgentId;
use crate::model::profiles::AuthProfiles;
use crate::model::secret::Secret;
use crate::model::text::{IS_UTF16, is_utf16};
use crate::ports::files::{FileError, Pieces, TooLarge};
use crate::ports::store::{Detail, Scope, StoreError};

use super::document;
use super::document_lock::is_locked_by_peer;
use super::document_stream;
use super::error::at;
use super::io::{FileStore, Io};
use super::keep::Keep;
use super::later_release;
use super::legacy;
use super::render::Layout;

/// A document as it was found.
pub(super) struct Found {
    pub(super) doc: AuthProfiles,
    pub(super) layout: Layout,
    /// Legacy file that must not be read again once the document is stored.
    pub(super) imported: Option<PathBuf>,
    /// Files that could not be understood, with their bytes and the reason.
    pub(super) unreadable: Vec<(PathBuf, Vec<u8>, String)>,
    /// The document's file, as it was read.
    pub(super) credentials: Option<Vec<u8>>,
    /// The second file of a document that is split, as it was read.
    pub(super) state: Option<Vec<u8>>,
    /// What other programs wrote beside, and is merged: to be removed once the document is durable.
    pub(super) merged: Vec<PathBuf>,
    /// Where a later release keeps what this document would hold.
    pub(super) database: Option<PathBuf>,
}

impl Found {
    /// Whether everything that is there could be understood.
    fn is_whole(&self) -> bool {
        self.unreadable.is_empty()
    }

    /// The fault of the document itself, if it could not be understood.
    pub(super) fn check(&self, document: &Path) -> Result<(), StoreError> {
        match self.unreadable.iter().find(|(path, ..)| path == document) {
            Some((path, _, fault)) => Err(StoreError::Corrupt {
                at: at(path),
                fault: fault.clone(),
            }),
            None => Ok(()),
        }
    }
}

/// Reads what a file says. A byte that is no UTF-8 is replaced, as Node does it: one odd letter in
/// a name must not keep every login away.
pub(super) fn read_text<T>(
    bytes: &[u8],
    read: impl FnOnce(&str) -> Result<T, String>,
) -> Result<T, String> {
    if is_utf16(bytes) {
        return Err(IS_UTF16.to_owned());
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => read(text),
        Err(_) => read(Secret::new(String::from_utf8_lossy(bytes).into_owned()).expose()),
    }
}

/// How often at least, and how long apart, a document that is no JSON is read again: early releases
/// of OpenClaw write in place, some of their commands without a lock, and are caught in the middle.
pub(super) const LOOKS: usize = 5;
pub(super) const SETTLES: Duration = Duration::from_millis(20);

/// The largest document in bytes in which a login or a refresh begins: nobody has so many, and
/// all of it is held to change it.
const LARGEST: u64 = 64 * 1024 * 1024;

/// Room for what a document may grow by until it is written.
pub(super) const HEADROOM: u64 = 64 * 1024;

/// The largest document in bytes that is read: what is received for one that is not too large must
/// find its place in it.
const LARGEST_READ: u64 = LARGEST + HEADROOM;

/// How long it is read again while its writer is at work, which may be put to sleep in the middle.
const IN_PLACE: Duration = Duration::from_secs(5);

/// The document as it is now.
pub(super) fn load(
    cx: &FileStore,
    agent: &AgentId,
    scope: Scope<'_>,
) -> Result<AuthProfiles, StoreError> {
    look(cx, agent, scope, None)
}

/// The same, with no more than `detail` of secrets that are only looked at.
pub(super) fn look(
    cx: &FileStore,
    agent: &AgentId,
    scope: Scope<'_>,
    detail: Option<Detail>,
) -> Result<AuthProfiles, StoreError> {
    cx.io.files.check_directory(&cx.paths.state)?;
    let keep = || Keep::new(detail).opening(cx.vault.opened());
    let read = |keep: &mut Keep| {
        if let Some(doc) = in_pieces(cx, agent, scope, keep)? {
            return Ok(doc);
        }
        let found = find(cx, agent, (scope, keep), || is_locked_by_peer(cx, agent))?;
        found.check(&cx.paths.document(agent))?;
        Ok::<_, StoreError>(found.doc)
    };
    let mut first = keep();
    let doc = read(&mut first)?;
    if detail.is_some() || !first.has_closed() {
        return Ok(doc);
    }
    // It is to be handed out, or compared with what is.
    cx.vault.unlock()?;
    read(&mut keep())
}

/// The document as it is now, read in pieces; `None` if there is none, or anything is odd about it.
fn in_pieces(
    cx: &FileStore,
    agent: &AgentId,
    scope: Scope<'_>,
    keep: &mut Keep,
) -> Result<Option<AuthProfiles>, StoreError> {
    let Some(pieces) = open(cx, &cx.paths.document(agent))? else {
        return Ok(None);
    };
    let Some(mut doc) = document_stream::read(pieces, scope, keep)? else {
        return Ok(None);
    };
    if let Some(state) = read_document(cx, &cx.paths.state_file(agent))? {
        doc.release = StoreFormat::Late;
        let merged = read_text(&state, |text| document::merge_state(&mut doc, text));
        return Ok(merged.is_ok().then_some(doc));
    }
    Ok(Some(doc))
}

/// Opens a document, unless it is so large that it is none.
fn open(cx: &FileStore, path: &Path) -> Result<Option<Box<dyn Pieces>>, FileError> {
    let pieces = cx.io.files.open(path)?;
    pieces
        .map(|pieces| check_size(path, pieces.size()).map(|()| pieces))
        .transpose()
}

fn check_size(path: &Path, size: u64) -> Result<(), FileError> {
    check_limit(path, size, ("read", TooLarge))
}

/// Fails for a document of so many bytes that nobody reads it; `fault` says so of an operation.
pub(super) fn check_limit<E: Error + Send + Sync + 'static>(
    path: &Path,
    size: u64,
    (operation, fault): (&'static str, fn(u64, u64) -> E),
) -> Result<(), FileError> {
    match size {
        ..=LARGEST_READ => Ok(()),
        _ => Err(FileError {
            operation,
            path: path.to_owned(),
            source: io::Error::other(fault(size, LARGEST)),
        }),
    }
}

/// Reads a document whole.
fn read_document(cx: &FileStore, path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    let pieces = open(cx, path)?;
    pieces.map(|pieces| read_whole(path, pieces)).transpose()
}

fn read_whole(path: &Path, mut pieces: Box<dyn Pieces>) -> Result<Vec<u8>, FileError> {
    let size = usize::try_from(pieces.size()).unwrap_or_default();
    // One more byte than there should be, so that the end is seen.
    let mut bytes = vec![0; size + 1];
    let mut end = 0;
    loop {
        match pieces.read(&mut bytes[end..])? {
            0 => break,
            more => end += more,
        }
        // It may grow meanwhile.
        check_size(path, end as u64)?;
        if end == bytes.len() {
            bytes.resize(end * 2, 0);
        }
    }
    bytes.truncate(end);
    Ok(bytes)
}

/// The agents that have a directory, sorted, `main` always among them.
pub(super) fn agents(cx: &FileStore) -> Result<Vec<AgentId>, StoreError> {
    let FileStore { io, paths, .. } = cx;
    let mut agents = vec![AgentId::main()];
    agents.extend(paths.agent_dirs.iter().map(|(id, _)| id.clone()));
    let directory = paths.agents();
    for name in io.files.list(&directory)? {
        let id = AgentId::normalise(&name);
        let stat = io.files.stat(&directory.join(&name))?;
        if id.as_str() == name && stat.is_some_and(|stat| stat.is_dir) {
            agents.push(id);
        }
    }
    agents.sort();
    agents.dedup();
    Ok(agents)
}

/// Reads a document, again and again if it is no JSON and somebody `is_at_work` on it.
pub(super) fn find(
    cx: &FileStore,
    agent: &AgentId,
    (scope, keep): (Scope<'_>, &mut Keep),
    is_at_work: impl Fn() -> Result<bool, StoreError>,
) -> Result<Found, StoreError> {
    let start = cx.io.clock.monotonic();
    let mut looks = 1;
    loop {
        let may_change = looks < LOOKS || is_at_work()?;
        let found = read(cx, agent, scope, keep)?;
        let is_over = cx.io.clock.monotonic().saturating_sub(start) >= IN_PLACE;
        if found.is_whole() || is_over || !(may_change || is_at_work()?) {
            return Ok(found);
        }
        looks += 1;
        cx.io.clock.sleep(SETTLES);
    }
}

fn read(
    cx: &FileStore,
    agent: &AgentId,
    scope: Scope<'_>,
    keep: &mut Keep,
) -> Result<Found, StoreError> {
    let path = cx.paths.document(agent);
    let mut found = Found {
        doc: AuthProfiles::default(),
        layout: Layout::Single,
        imported: None,
        unreadable: Vec::new(),
        credentials: None,
        state: None,
        merged: Vec::new(),
        database: None,
    };
    match read_document(cx, &path)? {
        Some(bytes) => match read_text(&bytes, |text| document::parse_keeping(text, scope, keep)) {
            Ok(doc) => {
                found.doc = doc;
                found.credentials = Some(bytes);
            }
            Err(fault) => {
                found.credentials = Some(bytes.clone());
                found.unreadable.push((path, bytes, fault));
            }
        },
        None => match later_release::database(cx, agent)? {
            Some(database) => {
                let told = "contains the credentials of a later OpenClaw release";
                let sentence = format!("{} {told}", database.display());
                found.doc.faults.push(sentence);
                found.database = Some(database);
            }
            None => import(cx, agent, &mut found)?,
        },
    }
    let state = cx.paths.state_file(agent);
    if let Some(bytes) = read_document(cx, &state)? {
        found.layout = Layout::Split;
        found.doc.release = StoreFormat::Late;
        let merged = read_text(&bytes, |text| document::merge_state(&mut found.doc, text));
        match merged {
            Ok(()) => found.state = Some(bytes),
            Err(fault) => {
                let sentence = format!("{} cannot be read: {fault}", state.display());
                found.doc.faults.push(sentence);
                found.state = Some(bytes.clone());
                found.unreadable.push((state, bytes, fault));
            }
        }
    }
    Ok(found)
}

/// Copies what stands in a file to a name of its own beside it, which is returned.
pub(super) fn copy_aside(io: &Io, path: &Path, bytes: &[u8]) -> Result<PathBuf, FileError> {
    let aside = name_aside(io, path)?;
    io.files.replace(&aside, bytes)?;
    Ok(aside)
}

/// A free name beside a file that cannot be understood, dated.
pub(super) fn name_aside(io: &Io, path: &Path) -> Result<PathBuf, FileError> {
    let stamp = io.clock.now().file_stamp();
    let name = format!("{}.unreadable-{stamp}", path.display());
    let mut aside = PathBuf::from(&name);
    let mut count = 1;
    while io.files.stat(&aside)?.is_some() {
        count += 1;
        aside = PathBuf::from(format!("{name}-{count}"));
    }
    Ok(aside)
}

fn import(cx: &FileStore, agent: &AgentId, found: &mut Found) -> Result<(), StoreError> {
    let (auth, oauth) = cx.paths.legacy(agent);
    let auth_bytes = cx.io.files.read(&auth)?;
    let oauth_bytes = match oauth {
        Some(oauth) => cx.io.files.read(&oauth)?,
        None => None,
    };
    let read = |bytes: &Option<Vec<u8>>| {
        let own = |bytes| read_text(bytes, |text| Ok(text.to_owned()));
        bytes.as_deref().map(own).transpose()
    };
    let imported = read(&auth_bytes)
        .and_then(|auth| legacy::import(auth.as_deref(), read(&oauth_bytes)?.as_deref()));
    match imported {
        Ok(None) => {}
        Ok(Some(doc)) => {
            found.doc = doc;
            found.imported = auth_bytes.map(|_| auth);
        }
        Err(fault) => found
            .doc
            .faults
            .push(format!("the legacy logins cannot be imported: {fault}")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that had half the bytes when it was opened.
    struct Growing {
        size: u64,
        left: u64,
    }

    impl Pieces for Growing {
        fn size(&self) -> u64 {
            self.size / 2
        }

        fn read(&mut self, buffer: &mut [u8]) -> Result<usize, FileError> {
            let count = self.left.min(buffer.len() as u64);
            self.left -= count;
            Ok(usize::try_from(count).unwrap())
        }

        fn is_unchanged(&self) -> Result<bool, FileError> {
            Ok(false)
        }
    }

    #[test]
    fn a_document_that_grows_while_it_is_read_has_the_same_limit() {
        let read = |size| read_whole(Path::new("/a"), Box::new(Growing { size, left: size }));
        assert_eq!(read(3 * HEADROOM).unwrap().len() as u64, 3 * HEADROOM);
        let error = read(LARGEST_READ + 1).unwrap_err().to_string();
        assert!(error.contains("it is 65 MiB long"), "{error}");
    }
}
