//! What profiles held before: one small file per profile in `auth-history` beside the document.
//!
//! The document never depends on it. A change that a person asked for is written here first, so
//! that it can be undone, and fails before anything is changed if that is not possible; what a
//! refresh replaced is noted only once its successor is durable, and a failure of that is only
//! logged. Everything here happens under the document's lock.

use std::path::{Path, PathBuf};

use crate::model::credential::{Credential, OAuth};
use crate::model::grant::{GrantDigest, GrantStanding};
use crate::model::history::{Cause, Generation, History};
use crate::model::id::{AgentId, ProfileId};
use crate::model::profiles::{AuthProfiles, Content};
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::ports::files::{FileError, Files};
use crate::ports::store::{self, HistoryListing, StoreError};

use super::document_lock;
use super::entry;
use super::io::FileStore;
use super::journal;
use super::paths::{history_name, history_stem};
use super::raw_json::{self, Members, Writer};
use super::read;

/// How many generations of a profile are kept unless something else is asked for.
pub const DEFAULT_LIMIT: usize = 5;

/// More are never kept: each change writes all of them.
pub const MOST: usize = 100;

const VERSION: &str = "1";

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

/// A history that is to be written again once the document is durable.
pub(super) struct Later {
    path: PathBuf,
    history: History,
}

/// Before the document is replaced: writes down what the change replaces or removes. Returns
/// what is left to do when the document is durable.
pub(super) fn keep(
    cx: &FileStore,
    agent: &AgentId,
    doc: &mut AuthProfiles,
) -> Result<Vec<Later>, StoreError> {
    let mut later = Vec::new();
    let limit = (cx.limit)();
    for (id, old) in doc.take_past() {
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
        let cause = cause(cx, &old, new.as_ref(), &history);
        history.add(old, new.as_ref(), cause, cx.io.clock.now(), limit);
        strip_spent(cx, &mut history);
        cx.io.files.create_dirs(&cx.paths.histories(agent))?;
        write(&*cx.io.files, &path, &history)?;
        if new.is_some_and(|new| history.leave_out(&new)) {
            later.push(Later { path, history });
        }
    }
    Ok(later)
}

/// Leaves out what was put back, now that it is durably in the profile.
pub(super) fn leave_out_present(cx: &FileStore, later: Vec<Later>) {
    for Later { path, history } in later {
        if let Err(error) = write(&*cx.io.files, &path, &history) {
            tracing::warn!(%error, "what was put back is still among the generations");
        }
    }
}

/// After a refresh is durable: notes that it was the first since the last change by a person.
/// The successor is all that counts, so nothing that goes wrong here is more than logged.
pub(super) fn note_refreshes(cx: &FileStore, agent: &AgentId, doc: &mut AuthProfiles) {
    let past = doc.take_past();
    if past.is_empty() || (cx.limit)() == 0 {
        return;
    }
    for (id, old) in past {
        let noted = match doc.get(&id) {
            Some(new) => note_refresh(cx, agent, &id, old, new),
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
    new: &Credential,
) -> Result<(), FileError> {
    let grant = |credential: &Credential| credential.as_oauth()?.grant();
    if grant(&old) == grant(new) {
        return Ok(());
    }
    let path = cx.paths.history(agent, id);
    let (mut history, _) = open(cx, &path, id)?;
    if history.ends_with_refresh() {
        return Ok(());
    }
    let limit = (cx.limit)();
    history.add(old, None, Cause::Refresh, cx.io.clock.now(), limit);
    if let Some(spent) = history.generations.first_mut() {
        spent.strip();
    }
    cx.io.files.create_dirs(&cx.paths.histories(agent))?;
    write(&*cx.io.files, &path, &history)
}

/// The history of a profile, empty if there is none. One that cannot be read is set aside, and
/// a sentence says so.
fn open(
    cx: &FileStore,
    path: &Path,
    id: &ProfileId,
) -> Result<(History, Option<String>), FileError> {
    let fault = match read_file(&*cx.io.files, path)? {
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

fn cause(cx: &FileStore, old: &Credential, new: Option<&Credential>, history: &History) -> Cause {
    match new {
        None => Cause::Logout,
        Some(new) if history.holds(new) => Cause::Undo,
        Some(Credential::OAuth(new)) => {
            let old = old.as_oauth().and_then(OAuth::grant);
            let successor = old.and_then(|old| successor(cx, &old));
            match successor.is_some() && successor == new.grant() {
                true => Cause::Refresh,
                false => Cause::Login,
            }
        }
        Some(Credential::Token(_) | Credential::ApiKey(_)) => Cause::Paste,
    }
}

/// What the grant was spent for, if the journal knows that it is spent. A journal that cannot
/// be read knows nothing.
fn successor(cx: &FileStore, grant: &GrantDigest) -> Option<GrantDigest> {
    journal::read(cx, grant).ok()??.successor()
}

fn strip_spent(cx: &FileStore, history: &mut History) {
    let is_over = |grant: &GrantDigest| {
        let record = journal::read(cx, grant).ok().flatten();
        matches!(
            record.map(|record| record.standing()),
            Some(GrantStanding::Spent { .. } | GrantStanding::Revoked { .. })
        )
    };
    for generation in &mut history.generations {
        if generation.grant.as_ref().is_some_and(is_over) {
            generation.strip();
        }
    }
}

impl store::History for FileStore {
    fn history(
        &self,
        agent: &AgentId,
        profile: Option<&ProfileId>,
    ) -> Result<HistoryListing, StoreError> {
        let directory = self.paths.histories(agent);
        let mut kept = HistoryListing {
            limit: (self.limit)(),
            ..HistoryListing::default()
        };
        let names = match profile {
            Some(profile) => vec![history_name(profile)],
            None => self.io.files.list(&directory)?,
        };
        for name in names.iter().filter(|name| name.ends_with(".json")) {
            let path = directory.join(name);
            let fault = match read_file(&*self.io.files, &path) {
                Ok(None) => continue,
                Ok(Some(Ok(history))) if *name == history_name(&history.profile) => {
                    kept.histories.push(history);
                    continue;
                }
                Ok(Some(Ok(_))) => "it has the file name of another profile".to_owned(),
                Ok(Some(Err(fault))) => fault,
                Err(error) => error.source.to_string(),
            };
            let sentence = format!("{} cannot be read: {fault}", path.display());
            kept.faults.push(sentence);
        }
        kept.histories.sort_by(|a, b| a.profile.cmp(&b.profile));
        Ok(kept)
    }

    /// Removes whatever bears the name of the profile: what was set aside and what a crash left
    /// hold secrets, too.
    fn clear_history(
        &self,
        agent: &AgentId,
        profile: Option<&ProfileId>,
    ) -> Result<(), StoreError> {
        let directory = self.paths.histories(agent);
        if self.io.files.stat(&directory)?.is_none() {
            return Ok(());
        }
        let _locked = document_lock::lock(self, agent)?;
        let wanted = profile.map(history_stem);
        for name in self.io.files.list(&directory)? {
            if wanted.as_ref().is_none_or(|stem| name.contains(stem)) {
                self.io.files.remove(&directory.join(&name))?;
            }
        }
        Ok(())
    }
}

fn read_file(files: &dyn Files, path: &Path) -> Result<Option<Result<History, String>>, FileError> {
    let bytes = files.read(path)?.map(Secret::new);
    Ok(bytes.map(|bytes| {
        let text = std::str::from_utf8(bytes.expose()).map_err(|_| "it is not UTF-8 text")?;
        parse(text)
    }))
}

fn parse(text: &str) -> Result<History, String> {
    let members = Members::read(text)?;
    if members.get("version").is_none_or(|n| n.get() != VERSION) {
        return Err("its version is not supported".to_owned());
    }
    let profile = members.get("profile").and_then(raw_json::text);
    let profile = profile.and_then(|profile| ProfileId::parse(&profile).ok());
    let profile = profile.ok_or("it does not name a profile")?;
    let generations = members.get("generations").ok_or("it has no generations")?;
    let mut history = History::new(profile);
    for (number, value) in Members::read(generations.get())?.iter() {
        // Nobody has changed a profile so often, and the next number must be one, too.
        let number = number.parse::<u32>().ok().map(u64::from);
        let generation = number.and_then(|number| {
            let members = Members::read(value.get()).ok()?;
            read_generation(number, &members)
        });
        let what = format!(
            "its generation {} is invalid",
            history.generations.len() + 1
        );
        history.generations.push(generation.ok_or(what)?);
    }
    // The newest first, whoever wrote it.
    history
        .generations
        .sort_by_key(|g| std::cmp::Reverse(g.number));
    Ok(history)
}

fn read_generation(number: u64, members: &Members<'_>) -> Option<Generation> {
    match entry::read("generation", members.get("credential")?) {
        Content::Valid(_, credential) => Some(Generation {
            number,
            replaced_at: raw_json::millis(members.get("replacedAt")?)?,
            cause: members.get("by").and_then(raw_json::read)?,
            credential,
            grant: members.get("grant").and_then(raw_json::read),
            is_bare: members.get("bare").is_some_and(|bare| bare.get() == "true"),
        }),
        Content::Invalid { .. } => None,
    }
}

fn write(files: &dyn Files, path: &Path, history: &History) -> Result<(), FileError> {
    // It can be undone from now on; an error would say that the change itself was made.
    files.replace_relaxed(path, render(history).expose())
}

fn render(history: &History) -> Secret<Vec<u8>> {
    let text = Writer::object(|file| {
        file.raw("version", VERSION);
        file.text("profile", history.profile.as_str());
        file.member("generations", |all| {
            for generation in &history.generations {
                all.member(&generation.number.to_string(), |one| {
                    let Timestamp(at) = generation.replaced_at;
                    one.raw("replacedAt", &at.to_string());
                    one.text("by", generation.cause.as_ref());
                    if let Some(grant) = &generation.grant {
                        one.text("grant", grant.as_str());
                    }
                    if generation.is_bare {
                        one.raw("bare", "true");
                    }
                    entry::write(one, "credential", &generation.credential, None);
                });
            }
        });
    });
    text.into_file()
}
