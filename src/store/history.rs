//! What profiles held before: one small file per profile in `auth-history` beside the document.
//!
//! The document never depends on it. A change that a person asked for is written here first, so
//! that it can be undone, and fails before anything is changed if that is not possible; what a
//! refresh replaced is noted only once its successor is durable, and a failure of that is only
//! logged. What the document says then is kept besides: another program may write an older one back
//! at any time. Everything here happens under a lock of its own. That is taken under the document's,
//! which may be let go before it: so others write the document while a refresh waits for its history
//! to be durable, and whoever changes this history next waits for it.

use std::path::Path;

use crate::model::credential::{Credential, OAuth};
use crate::model::grant::{Binding, GrantDigest};
use crate::model::history::{Cause, Generation, History, Saved};
use crate::model::id::{AgentId, ProfileId};
use crate::model::profiles::{AuthProfiles, Content, Past};
use crate::ports::files::{FileError, FileLock};
use crate::ports::store::StoreError;

use super::handed_over::{is_only_moved, is_spent, strip_spent};
use super::history_file;
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
pub(super) struct LockedHistories(#[expect(dead_code, reason = "held")] Box<dyn FileLock>);

/// Locks the histories of an agent. Only for who holds the lock of its document.
pub(super) fn lock(cx: &FileStore, agent: &AgentId) -> Result<LockedHistories, StoreError> {
    let FileStore { io, paths, .. } = cx;
    let target = io.files.resolve(&paths.document(agent))?;
    let lock = io.lock(&paths.history_lock(&target), &cx.commit_wait(PATIENCE))?;
    Ok(LockedHistories(lock))
}

/// Before the document is replaced: writes down what the change replaces or removes.
pub(super) fn keep(
    cx: &FileStore,
    agent: &AgentId,
    doc: &mut AuthProfiles,
) -> Result<(), StoreError> {
    let limit = (cx.limit)();
    let past = doc.take_past();
    if past.is_empty() {
        return Ok(());
    }
    let _locked = lock(cx, agent)?;
    for Past {
        id,
        credential: old,
        mentions,
    } in past
    {
        let new = doc.get(&id).cloned();
        if new.as_ref() == Some(&old) {
            continue;
        }
        // A client gets another token whenever it asks: nobody wants the old one back.
        if old.is_of_client() && new.as_ref().is_some_and(Credential::is_of_client) {
            continue;
        }
        let path = cx.paths.history(agent, &id);
        if limit == 0 {
            cx.io.files.remove(&path)?;
            continue;
        }
        let (mut history, fault) = open(cx, &path, &id)?;
        doc.faults.extend(fault);
        if is_only_moved(cx, &old, new.as_ref()) {
            // The same login: nothing to go back to, and nothing of a refresh token that left stays.
            if !new.as_ref().is_some_and(|new| history.is_saved(new)) {
                history.keep_displaced(Some(&old), |grant| is_spent(cx, grant), limit);
            }
            history.saved = None;
            strip_spent(cx, &mut history);
            put(cx, agent, history)?;
            continue;
        }
        let is_moved = is_successor(cx, &old, new.as_ref(), &history);
        let cause = match is_moved {
            true => Cause::Refresh,
            false => cause(&old, new.as_ref(), &history),
        };
        if !new.as_ref().is_some_and(|new| history.is_saved(new)) {
            history.keep_displaced(Some(&old), |grant| is_spent(cx, grant), limit);
        }
        if !(is_moved && history.ends_with_refresh()) {
            history.add(old, new.as_ref(), cause, cx.io.clock.now(), limit);
            if let Some(added) = history.generations.first_mut() {
                added.mentions = mentions;
            }
        }
        if new.is_none() {
            history.saved = None;
        }
        if let Some(replaced) = history
            .generations
            .first()
            .and_then(|one| one.grant.clone())
        {
            bind(cx, &mut history, replaced, None);
        }
        strip_spent(cx, &mut history);
        put(cx, agent, history)?;
    }
    Ok(())
}

/// Now that the document is durable: writes down what it says of every profile that was changed,
/// so that it can be brought back if another program writes an older document. The document is all
/// that counts, so nothing that goes wrong here is more than logged.
pub(super) fn note_saved(cx: &FileStore, agent: &AgentId, doc: &AuthProfiles) {
    if (cx.limit)() == 0 {
        return;
    }
    let stored = doc
        .entries()
        .iter()
        .filter_map(|entry| match &entry.content {
            Content::Valid(id, new) if entry.text.is_none() && !new.is_of_client() => {
                Some((id, new))
            }
            _ => None,
        });
    let changed: Vec<_> = stored.collect();
    if changed.is_empty() {
        return;
    }
    let untold = |error: StoreError| {
        tracing::warn!(%error, "the history was not told of what was stored");
    };
    let _locked = match lock(cx, agent) {
        Ok(locked) => locked,
        Err(error) => return untold(error),
    };
    for (id, new) in changed {
        if let Err(error) = note_one(cx, agent, id, (new, doc)) {
            untold(error);
        }
    }
}

fn note_one(
    cx: &FileStore,
    agent: &AgentId,
    id: &ProfileId,
    (new, doc): (&Credential, &AuthProfiles),
) -> Result<(), StoreError> {
    let (mut history, _) = open(cx, &cx.paths.history(agent, id), id)?;
    let is_it = |saved: &Saved| saved.credential == *new;
    if history.saved.as_ref().is_some_and(is_it) && !history.holds(new) {
        return Ok(());
    }
    history.save(new, cx.io.clock.now(), (cx.limit)());
    bind_saved(cx, &mut history, doc);
    put(cx, agent, history)
}

/// Notes where the grant that was stored last came from, as the document or the journal says.
fn bind_saved(cx: &FileStore, history: &mut History, doc: &AuthProfiles) {
    if let Some(grant) = history.saved.as_ref().and_then(Saved::grant) {
        let told = doc.bindings.get(&grant).cloned();
        bind(cx, history, grant, told);
    }
}

/// Notes where a grant came from, if that is told or the journal knows.
fn bind(cx: &FileStore, history: &mut History, grant: GrantDigest, told: Option<Binding>) {
    let known = || match history.bindings.get(&grant) {
        Some(known) => Some(known.clone()),
        None => journal::read(cx, &grant).ok().flatten()?.binding,
    };
    if let Some(binding) = told.or_else(known) {
        history.bindings.insert(grant, binding);
    }
}

/// Writes a history, whose lock is held.
pub(super) fn put(cx: &FileStore, agent: &AgentId, mut history: History) -> Result<(), StoreError> {
    let files = &*cx.io.files;
    history.forget_bindings();
    files.create_dirs(&cx.paths.histories(agent))?;
    let path = cx.paths.history(agent, &history.profile);
    history_file::write(files, &path, &history, &cx.sealing()?)
}

/// The history of a profile, if there is one that can be read.
pub(super) fn read_one(cx: &FileStore, agent: &AgentId, id: &ProfileId) -> Option<History> {
    let read = history_file::read_file(cx, &cx.paths.history(agent, id));
    read.ok().flatten()?.ok()
}

/// Keeps what another program stored in a profile that holds something else now.
pub(super) fn keep_foreign(cx: &FileStore, agent: &AgentId, id: &ProfileId, other: &Credential) {
    let limit = (cx.limit)();
    let keep = || -> Result<(), StoreError> {
        let _locked = lock(cx, agent)?;
        let (mut history, _) = open(cx, &cx.paths.history(agent, id), id)?;
        if history.holds(other) || history.is_saved(other) {
            return Ok(());
        }
        let now = cx.io.clock.now();
        history.add(other.clone(), None, Cause::OtherProgram, now, limit);
        strip_spent(cx, &mut history);
        put(cx, agent, history)
    };
    if limit > 0
        && let Err(error) = keep()
    {
        tracing::warn!(%error, "the history was not told of what another program stored");
    }
}

/// After a refresh is durable: notes that it was the first since the last change by a person, and
/// what it stored. The successor is all that counts, so nothing that goes wrong here is more than
/// logged.
pub(super) fn note_refreshes(
    cx: &FileStore,
    agent: &AgentId,
    doc: &mut AuthProfiles,
    _: &LockedHistories,
) {
    let past = doc.take_past();
    if past.is_empty() || (cx.limit)() == 0 {
        return;
    }
    for Past { id, credential, .. } in past {
        let noted = match doc.get(&id) {
            Some(new) => note_refresh(cx, agent, &id, credential, (new, doc)),
            None => Ok(()),
        };
        if let Err(error) = noted {
            tracing::warn!(%error, "the history was not told of a refresh");
        }
    }
}

fn note_refresh(
    cx: &FileStore,
    agent: &AgentId,
    id: &ProfileId,
    old: Credential,
    (new, doc): (&Credential, &AuthProfiles),
) -> Result<(), StoreError> {
    let grant = |credential: &Credential| credential.as_oauth()?.grant();
    let (mut history, _) = open(cx, &cx.paths.history(agent, id), id)?;
    let limit = (cx.limit)();
    history.keep_displaced(Some(&old), |grant| is_spent(cx, grant), limit);
    if history.is_saved(&old) {
        // What it holds is spent, or goes on in the new one.
        history.saved = None;
    }
    if grant(&old) != grant(new) && !history.ends_with_refresh() {
        history.add(old, None, Cause::Refresh, cx.io.clock.now(), limit);
        if let Some(spent) = history.generations.first_mut() {
            spent.strip();
        }
    }
    history.save(new, cx.io.clock.now(), limit);
    bind_saved(cx, &mut history, doc);
    put(cx, agent, history)
}

/// Keeps the successor of a grant that no profile of the document holds any more, if another
/// program took it out; false if a change of ours did, for the newer wish wins.
pub(super) fn keep_successor(
    cx: &FileStore,
    (agent, id): (&AgentId, &ProfileId),
    (spent, new): (&GrantDigest, &OAuth),
    (doc, _): (&AuthProfiles, &LockedHistories),
) -> Result<bool, StoreError> {
    if (cx.limit)() == 0 {
        return Ok(false);
    }
    let (mut history, _) = open(cx, &cx.paths.history(agent, id), id)?;
    let old = history.saved.as_ref();
    let old = old.filter(|saved| saved.grant().as_ref() == Some(spent));
    let is_ours = |generation: &Generation| generation.grant.as_ref() == Some(spent);
    if old.is_none() && history.generations.iter().any(is_ours) {
        return Ok(false);
    }
    let renewed = match old.and_then(|saved| saved.credential.as_oauth()) {
        Some(old) => old.renewed(new),
        None => new.clone(),
    };
    if old.is_some() {
        // Spent by now.
        history.saved = None;
    }
    let (now, limit) = (cx.io.clock.now(), (cx.limit)());
    history.save(&Credential::OAuth(renewed), now, limit);
    bind_saved(cx, &mut history, doc);
    put(cx, agent, history)?;
    Ok(true)
}

/// The history of a profile, empty if there is none. One that cannot be read is set aside, and
/// a sentence says so.
fn open(
    cx: &FileStore,
    path: &Path,
    id: &ProfileId,
) -> Result<(History, Option<String>), FileError> {
    let fault = match history_file::read_file(cx, path)? {
        None => None,
        Some(Ok(history)) if history.profile == *id => return Ok((history, None)),
        Some(Ok(_)) => Some("it belongs to another profile".to_owned()),
        Some(Err(fault)) => Some(fault),
    };
    let Some(fault) = fault else {
        return Ok((History::new(id.clone()), None));
    };
    let aside = read::name_aside(&cx.io, path)?;
    cx.io.files.rename(path, &aside)?;
    let told = format!(
        "the history of {id} was unreadable ({fault}) and was moved to {}",
        aside.display()
    );
    Ok((History::new(id.clone()), Some(told)))
}

fn cause(old: &Credential, new: Option<&Credential>, history: &History) -> Cause {
    let is_back = |new| history.is_saved(new) && !history.is_saved(old);
    match new {
        None => Cause::Logout,
        Some(new) if history.holds(new) || is_back(new) => Cause::Undo,
        Some(Credential::OAuth(_)) => Cause::Login,
        Some(Credential::Token(_) | Credential::ApiKey(_)) => Cause::Paste,
    }
}

/// Whether a change puts the successor of a spent login in its place.
fn is_successor(
    cx: &FileStore,
    old: &Credential,
    new: Option<&Credential>,
    history: &History,
) -> bool {
    let grant = |credential: &Credential| credential.as_oauth().and_then(OAuth::grant);
    let (Some(old), Some(new)) = (grant(old), new.and_then(grant)) else {
        return false;
    };
    // A journal that cannot be read knows nothing.
    let record = journal::read(cx, &old).ok().flatten();
    let Some(successor) = record.and_then(|record| record.successor()) else {
        return false;
    };
    let kept = history.saved.as_ref().and_then(Saved::grant);
    successor == new || kept == Some(new)
}
