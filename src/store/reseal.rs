//! Writing anew what is not sealed as the vault says: after a change of the store or of the key.
//!
//! One replace for each file, so a kill leaves every file in the old or the new form, and both are
//! read. What nobody here can read is left as it is.

use std::path::{Path, PathBuf};

use crate::model::credential::Credential;
use crate::model::id::AgentId;
use crate::model::profiles::AuthProfiles;
use crate::model::secret::Secret;
use crate::model::state_files::TRASH;
use crate::ports::store::{Documents as _, GrantLock, GrantLocks as _, Scope, StoreError};

use super::document;
use super::document_lock;
use super::history;
use super::history_file;
use super::io::FileStore;
use super::lock_path::PATIENCE;
use super::paths::{DOCUMENT, HISTORIES};
use super::read::read_text;
use super::render::{self, Layout};
use super::saved_answer;
use super::sealed::Sealing;

/// Writes an agent's document and its histories. Returns the files in which something does not open.
pub(super) fn agent(cx: &FileStore, agent: &AgentId) -> Result<Vec<PathBuf>, StoreError> {
    let mut all = |doc: &mut AuthProfiles| !doc.entries().is_empty();
    let written = cx.update(agent, &mut all)?;
    let mut left = Vec::new();
    if has_closed(cx, written.profiles().map(|(_, credential)| credential)) {
        left.push(cx.paths.document(agent));
    }
    let directory = cx.paths.histories(agent);
    if cx.io.files.stat(&directory)?.is_some() {
        let cx = &cx.asking_nobody();
        let _locked = document_lock::lock(cx, agent, &cx.commit_wait(PATIENCE))?;
        let _histories = history::lock(cx, agent)?;
        // Under the locks, as in `FileStore::update`.
        left.extend(histories(cx, &directory, &cx.sealing()?)?);
    }
    Ok(left)
}

/// Whether one of these is closed although the vault is open.
fn has_closed<'a>(cx: &FileStore, mut all: impl Iterator<Item = &'a Credential>) -> bool {
    cx.vault.opened().is_some() && all.any(Credential::is_sealed)
}

/// Writes the answers that are saved, those outside the state directory, too. Returns the files in
/// which something does not open, and whether the refresh of one is under way in another process.
pub(super) fn answers(cx: &FileStore) -> Result<(Vec<PathBuf>, bool), StoreError> {
    let sealing = cx.sealing()?;
    let cx = &cx.asking_nobody();
    let (mut left, mut is_waiting) = (Vec::new(), false);
    for grant in saved_answer::grants(cx)? {
        match cx.try_lock_grant(&grant)? {
            GrantLock::Held(_held) => left.extend(saved_answer::reseal(cx, &grant, &sealing)?),
            GrantLock::Taken { .. } => is_waiting = true,
            GrantLock::Spent { .. } => {}
        }
    }
    Ok((left, is_waiting))
}

/// Writes what lies in the trash, which nobody else writes.
pub(super) fn trash(cx: &FileStore) -> Result<Vec<PathBuf>, StoreError> {
    let sealing = cx.sealing()?;
    let trash = cx.paths.state.join(TRASH);
    let mut left = Vec::new();
    for name in cx.io.files.list(&trash)? {
        // An agent of the state directory lies there with its `agent`, another one without.
        for directory in [trash.join(&name).join("agent"), trash.join(&name)] {
            left.extend(trashed(cx, &directory, &sealing)?);
        }
    }
    Ok(left)
}

fn trashed(
    cx: &FileStore,
    directory: &Path,
    sealing: &Sealing,
) -> Result<Vec<PathBuf>, StoreError> {
    let mut left = Vec::new();
    let path = directory.join(DOCUMENT);
    if let Some(bytes) = cx.io.files.read(&path)?.map(Secret::new) {
        let keep = &mut cx.keep();
        let read = |text: &str| document::parse_keeping(text, Scope::All, keep);
        match read_text(bytes.expose(), read) {
            Ok(doc) => {
                if has_closed(cx, doc.profiles().map(|(_, credential)| credential)) {
                    left.push(path.clone());
                }
                let written = render::render_sealed(&doc, Layout::Single, sealing)?;
                cx.io.files.replace(&path, written.credentials.expose())?;
            }
            Err(_) => left.push(path),
        }
    }
    left.extend(histories(cx, &directory.join(HISTORIES), sealing)?);
    Ok(left)
}

fn histories(
    cx: &FileStore,
    directory: &Path,
    sealing: &Sealing,
) -> Result<Vec<PathBuf>, StoreError> {
    let mut left = Vec::new();
    for name in cx.io.files.list(directory)? {
        let path = directory.join(&name);
        if !name.ends_with(".json") {
            continue;
        }
        match history_file::read_file(cx, &path)? {
            Some(Ok(history)) => {
                let saved = history.saved.iter().map(|saved| &saved.credential);
                let all = saved.chain(history.generations.iter().map(|one| &one.credential));
                if has_closed(cx, all) {
                    left.push(path.clone());
                }
                history_file::write(&*cx.io.files, &path, &history, sealing)?;
            }
            Some(Err(_)) => left.push(path),
            None => {}
        }
    }
    Ok(left)
}
