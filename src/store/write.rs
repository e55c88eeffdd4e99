//! Reading one agent's document, and writing it under its locks: ours first, then OpenClaw's.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::cooldown::StoreFormat;
use crate::model::id::AgentId;
use crate::model::profiles::AuthProfiles;
use crate::model::secret::Secret;
use crate::ports::files::{FileError, FileLock, Reservation};
use crate::ports::store::{Scope, StoreError};

use super::document::{self, Layout};
use super::file::FileStore;
use super::legacy;
use super::openclaw_lock_holder::Holder;

/// A document as it was found.
pub(super) struct Found {
    pub(super) doc: AuthProfiles,
    pub(super) layout: Layout,
    /// Legacy file that must not be read again once the document is stored.
    imported: Option<PathBuf>,
    /// Files that could not be understood, with their bytes and the reason.
    unreadable: Vec<(PathBuf, Vec<u8>, String)>,
    /// The document's file, as it was read.
    credentials: Option<Vec<u8>>,
    /// The second file of a document that is split, as it was read.
    state: Option<Vec<u8>>,
    /// Where a later release keeps what this document would hold.
    database: Option<PathBuf>,
}

impl Found {
    /// Whether everything that is there could be understood.
    fn is_whole(&self) -> bool {
        self.unreadable.is_empty()
    }

    /// The fault of the document itself, if it could not be understood.
    pub(super) fn check(&self, document: &Path) -> Result<(), StoreError> {
        match self.unreadable.iter().find(|(path, ..)| path == document) {
            Some((path, _, fault)) => Err(StoreError::Unreadable {
                path: path.clone(),
                fault: fault.clone(),
            }),
            None => Ok(()),
        }
    }
}

fn text(bytes: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())
}

/// How often at least, and how long apart, a document that is no JSON is read again: early releases
/// of OpenClaw write in place, some of their commands without a lock, and are caught in the middle.
const LOOKS: usize = 5;
const SETTLES: Duration = Duration::from_millis(20);

/// How long it is read again while its writer is at work, which may be put to sleep in the middle.
const IN_PLACE: Duration = Duration::from_secs(5);

impl FileStore {
    /// Reads a document, again and again if it is no JSON and somebody `is_at_work` on it.
    pub(super) fn find(
        &self,
        agent: &AgentId,
        scope: Scope<'_>,
        is_at_work: impl Fn() -> Result<bool, StoreError>,
    ) -> Result<Found, StoreError> {
        let start = self.clock.monotonic();
        let mut looks = 1;
        loop {
            let may_change = looks < LOOKS || is_at_work()?;
            let found = self.read(agent, scope)?;
            let is_over = self.clock.monotonic().saturating_sub(start) >= IN_PLACE;
            if found.is_whole() || is_over || !(may_change || is_at_work()?) {
                return Ok(found);
            }
            looks += 1;
            self.clock.sleep(SETTLES);
        }
    }

    fn read(&self, agent: &AgentId, scope: Scope<'_>) -> Result<Found, StoreError> {
        let path = self.document(agent);
        let mut found = Found {
            doc: AuthProfiles::default(),
            layout: Layout::Single,
            imported: None,
            unreadable: Vec::new(),
            credentials: None,
            state: None,
            database: None,
        };
        match self.files.read(&path)? {
            Some(bytes) => match text(&bytes).and_then(|text| document::parse(text, scope)) {
                Ok(doc) => {
                    found.doc = doc;
                    found.credentials = Some(bytes);
                }
                Err(fault) => found.unreadable.push((path, bytes, fault)),
            },
            None => match self.database(agent)? {
                Some(database) => {
                    let told = "holds the credentials of a later OpenClaw release";
                    let sentence = format!("{} {told}", database.display());
                    found.doc.faults.push(sentence);
                    found.database = Some(database);
                }
                None => self.import(agent, &mut found)?,
            },
        }
        let state = self.state_file(agent);
        if let Some(bytes) = self.files.read(&state)? {
            found.layout = Layout::Split;
            found.doc.release = StoreFormat::Late;
            let merged = text(&bytes).and_then(|text| document::merge_state(&mut found.doc, text));
            match merged {
                Ok(()) => found.state = Some(bytes),
                Err(fault) => {
                    let sentence = format!("{} cannot be read: {fault}", state.display());
                    found.doc.faults.push(sentence);
                    found.unreadable.push((state, bytes, fault));
                }
            }
        }
        Ok(found)
    }

    /// A free name beside a file that cannot be understood, dated.
    pub(super) fn name_aside(&self, path: &Path) -> Result<PathBuf, FileError> {
        let stamp = self.clock.now().file_stamp();
        let name = format!("{}.unreadable-{stamp}", path.display());
        let mut aside = PathBuf::from(&name);
        let mut count = 1;
        while self.files.stat(&aside)?.is_some() {
            count += 1;
            aside = PathBuf::from(format!("{name}-{count}"));
        }
        Ok(aside)
    }

    fn import(&self, agent: &AgentId, found: &mut Found) -> Result<(), StoreError> {
        let (auth, oauth) = self.legacy(agent);
        let auth_bytes = self.files.read(&auth)?;
        let oauth_bytes = match oauth {
            Some(oauth) => self.files.read(&oauth)?,
            None => None,
        };
        let read = |bytes: &Option<Vec<u8>>| {
            bytes
                .as_deref()
                .map(text)
                .map(|t| t.map(str::to_owned))
                .transpose()
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
}

/// A document under its locks. Fields drop in order: OpenClaw's locks go first, then ours.
pub(super) struct Locked<'a> {
    pub(super) store: &'a FileStore,
    pub(super) agent: AgentId,
    /// None if another process of ours, or a refresh of this one, keeps OpenClaw out.
    pub(super) _holder: Option<Holder>,
    pub(super) _lock: Box<dyn FileLock>,
}

impl Locked<'_> {
    /// Reads the document again, now that nobody can change it.
    pub(super) fn find(&self) -> Result<Found, StoreError> {
        let found = self.store.find(&self.agent, Scope::All, || Ok(false))?;
        match found.database {
            Some(database) => Err(self.store.later_generation(database)),
            None => Ok(found),
        }
    }

    /// Writes what was found and changed back in its layout: credentials first, so that a failure
    /// in between costs only what was learnt by using them. Where nothing else changed than that,
    /// and it has a file of its own, the credentials are left alone.
    pub(super) fn write(
        &self,
        found: &mut Found,
        space: Option<Box<dyn Reservation + '_>>,
    ) -> Result<(), StoreError> {
        self.quarantine(found)?;
        let rendered = document::render(&found.doc, found.layout);
        let files = &self.store.files;
        let bytes = rendered.credentials.expose();
        let is_split = found.layout == Layout::Split;
        let is_same = is_split && found.credentials.as_deref() == Some(bytes.as_slice());
        let filled = !is_same && space.is_some_and(|space| space.fill(bytes).is_ok());
        if !is_same && !filled {
            files.replace(&self.store.document(&self.agent), bytes)?;
        }
        if is_split {
            let written = self.write_state(rendered.state.as_ref(), found.state.as_deref());
            written.map_err(match is_same {
                true => StoreError::File,
                false => StoreError::HalfWritten,
            })?;
        }
        self.finish(found);
        Ok(())
    }

    /// The second file of a document that is split, now that the first is as it shall be.
    fn write_state(
        &self,
        new: Option<&Secret<Vec<u8>>>,
        old: Option<&[u8]>,
    ) -> Result<(), FileError> {
        let files = &self.store.files;
        let path = self.store.state_file(&self.agent);
        match new {
            Some(new) if Some(new.expose().as_slice()) == old => Ok(()),
            Some(new) => files.replace(&path, new.expose()),
            None => files.remove(&path),
        }
    }

    /// What may fail without harm once the document is durable.
    fn finish(&self, found: &mut Found) {
        let files = &self.store.files;
        self.store.note_refreshes(&self.agent, &mut found.doc);
        if let Some(auth) = &found.imported {
            // Left in place, it would bring its logins back when the store is deleted one day.
            if let Err(error) = files.rename(auth, &auth.with_extension("json.imported")) {
                found
                    .doc
                    .faults
                    .push(format!("an imported file is still there: {error}"));
            }
        }
        for (path, is_dir, mode) in self.store.modes(&self.agent) {
            let wanted = if is_dir { 0o700 } else { 0o600 };
            if let Err(error) = files.set_mode(&path, mode & wanted) {
                tracing::warn!(%error, "permissions could not be tightened");
            }
        }
    }

    /// Copies what could not be understood, byte for byte, before it is overwritten.
    fn quarantine(&self, found: &mut Found) -> Result<(), StoreError> {
        let files = &self.store.files;
        for (path, bytes, fault) in &found.unreadable {
            let aside = self.store.name_aside(path)?;
            files.replace(&aside, bytes)?;
            found.doc.faults.push(format!(
                "{} was not readable ({fault}); its content was set aside as {}",
                path.display(),
                aside.display()
            ));
        }
        Ok(())
    }
}
