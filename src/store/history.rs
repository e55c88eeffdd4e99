//! What profiles held before: one small file per profile in `auth-history` beside the document, by
//! the rules of `history_rules.rs`.
//!
//! Everything here happens under a lock of its own. That is taken under the document's, which may be
//! let go before it: so others write the document while a refresh waits for its history to be
//! durable, and whoever changes this history next waits for it.

use crate::model::credential::Credential;
use crate::model::grant::{GrantDigest, GrantRecord};
use crate::model::history::History;
use crate::model::id::{AgentId, ProfileId};
use crate::model::profiles::AuthProfiles;
use crate::model::time::Timestamp;
use crate::ports::files::FileLock;
use crate::ports::store::StoreError;

use super::histories::Histories;
use super::history_file;
use super::history_rules;
use super::io::FileStore;
use super::journal;
use super::lock_path::PATIENCE;
use super::read;

/// How many generations of a profile are kept unless something else is asked for.
pub const DEFAULT_LIMIT: usize = 5;

/// More are never kept: each change writes all of them.
pub const MOST: usize = 100;

/// The limit that a setting asks for. One that is no number asks for nothing, and is logged.
pub fn limit(setting: Option<&str>) -> usize {
    match setting.map(str::parse::<usize>) {
        None => DEFAULT_LIMIT,
        Some(Ok(limit)) => limit.min(MOST),
        Some(Err(_)) => {
            tracing::warn!("the number of generations to keep is no number; {DEFAULT_LIMIT} are");
            DEFAULT_LIMIT
        }
    }
}

/// The histories of an agent, locked for a change.
pub(super) struct LockedHistories<'a> {
    cx: &'a FileStore,
    agent: &'a AgentId,
    #[expect(dead_code, reason = "held")]
    lock: Box<dyn FileLock>,
}

/// Locks the histories of an agent. Only for who holds the lock of its document.
pub(super) fn lock<'a>(
    cx: &'a FileStore,
    agent: &'a AgentId,
) -> Result<LockedHistories<'a>, StoreError> {
    let FileStore { io, paths, .. } = cx;
    let target = io.files.resolve(&paths.document(agent))?;
    let lock = io.lock(&paths.history_lock(&target), &cx.commit_wait(PATIENCE))?;
    Ok(LockedHistories { cx, agent, lock })
}

impl Histories for LockedHistories<'_> {
    fn limit(&self) -> usize {
        (self.cx.limit)()
    }

    fn now(&self) -> Timestamp {
        self.cx.io.clock.now()
    }

    fn open(&mut self, id: &ProfileId) -> Result<(History, Option<String>), StoreError> {
        let FileStore { io, paths, .. } = self.cx;
        let path = &paths.history(self.agent, id);
        let fault = match history_file::read_file(self.cx, path)? {
            None => return Ok((History::new(id.clone()), None)),
            Some(Ok(history)) if history.profile == *id => return Ok((history, None)),
            Some(Ok(_)) => "it belongs to another profile".to_owned(),
            Some(Err(fault)) => fault,
        };
        let aside = read::name_aside(io, path)?;
        io.files.rename(path, &aside)?;
        let told = format!(
            "the history of {id} was unreadable ({fault}) and was moved to {}",
            aside.display()
        );
        Ok((History::new(id.clone()), Some(told)))
    }

    fn put(&mut self, mut history: History) -> Result<(), StoreError> {
        let FileStore { io, paths, .. } = self.cx;
        history.forget_bindings();
        io.files.create_dirs(&paths.histories(self.agent))?;
        let path = paths.history(self.agent, &history.profile);
        history_file::write(&*io.files, &path, &history, &self.cx.sealing()?)
    }

    fn forget(&mut self, id: &ProfileId) -> Result<(), StoreError> {
        let FileStore { io, paths, .. } = self.cx;
        Ok(io.files.remove(&paths.history(self.agent, id))?)
    }

    /// A journal that cannot be read knows nothing.
    fn record(&mut self, grant: &GrantDigest) -> Result<Option<GrantRecord>, StoreError> {
        Ok(journal::read(self.cx, grant).ok().flatten())
    }
}

/// Before the document is replaced: writes down what the change replaces or removes.
pub(super) fn keep(
    cx: &FileStore,
    agent: &AgentId,
    doc: &mut AuthProfiles,
) -> Result<(), StoreError> {
    match doc.has_past() {
        true => history_rules::keep(&mut lock(cx, agent)?, doc),
        false => Ok(()),
    }
}

/// Now that the document is durable: writes down what it says of every profile that was changed. The
/// document is all that counts, so nothing that goes wrong here is more than logged.
pub(super) fn note_saved(cx: &FileStore, agent: &AgentId, doc: &AuthProfiles) {
    if (cx.limit)() == 0 || !history_rules::has_stored(doc) {
        return;
    }
    let locked = lock(cx, agent);
    if let Err(error) = locked.and_then(|mut all| history_rules::note_saved(&mut all, doc)) {
        tracing::warn!(%error, "the history was not told of what was stored");
    }
}

/// The history of a profile, if there is one that can be read.
pub(super) fn read_one(cx: &FileStore, agent: &AgentId, id: &ProfileId) -> Option<History> {
    let read = history_file::read_file(cx, &cx.paths.history(agent, id));
    read.ok().flatten()?.ok()
}

/// Keeps what another program stored in a profile that holds something else now.
pub(super) fn keep_foreign(cx: &FileStore, agent: &AgentId, id: &ProfileId, other: &Credential) {
    if (cx.limit)() == 0 {
        return;
    }
    let locked = lock(cx, agent);
    if let Err(error) = locked.and_then(|mut all| history_rules::keep_foreign(&mut all, id, other))
    {
        tracing::warn!(%error, "the history was not told of what another program stored");
    }
}

/// After a refresh is durable: notes what it stored. The successor is all that counts, so nothing
/// that goes wrong here is more than logged.
pub(super) fn note_refreshes(histories: &mut LockedHistories<'_>, doc: &mut AuthProfiles) {
    if let Err(error) = history_rules::note_refreshes(histories, doc) {
        tracing::warn!(%error, "the history was not told of a refresh");
    }
}
