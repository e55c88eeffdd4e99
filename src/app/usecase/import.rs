//! `models auth import`: takes the credentials of a file of another shape, or in another place, into
//! an agent's own document. Nothing is replaced, and the file stays as it is.

use std::path::{Path, PathBuf};

use crate::app::context::Context;
use crate::app::credential::taken_away::is_spent;
use crate::app::deposit::{has_own_order, make_selectable};
use crate::app::failure::{Failure, Kind};
use crate::model::credential::{Credential, OAuth};
use crate::model::hint::Command;
use crate::model::id::{AgentId, ProfileId};
use crate::model::profiles::AuthProfiles;

use super::order;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The file.
    pub path: PathBuf,
    /// The profiles that were added.
    pub imported: Vec<ProfileId>,
    /// Those of the file that the store holds already, or held until they were refreshed.
    pub skipped: Vec<ProfileId>,
}

/// Imports every credential of a file; with `dry_run` only says which.
///
/// # Errors
/// [`Kind::NotFound`] if there is no such file or no credential in it, and what the store says.
pub fn run(
    cx: Context<'_>,
    agent: &AgentId,
    file: &Path,
    dry_run: bool,
) -> Result<Outcome, Failure> {
    cx.require_agent(agent)?;
    let path = cx.dirs.cwd.join(file);
    let Some(stray) = cx.store_files.stray(&path)? else {
        let message = format!("{} does not exist; nothing was imported", path.display());
        return Err(Failure::new(Kind::NotFound, message).hint(Command::new("doctor")));
    };
    if stray.document.profiles().next().is_none() {
        let message = format!("{} holds no credential that is understood", path.display());
        return Err(Failure::new(Kind::NotFound, message).hint(Command::new("models auth login")));
    }
    let outcome = store(cx, agent, &stray.document, dry_run)?;
    Ok(Outcome { path, ..outcome })
}

/// Stores those credentials of a document that are not there yet; with `dry_run` only says which.
///
/// # Errors
/// What the store says.
pub(in crate::app) fn store(
    cx: Context<'_>,
    agent: &AgentId,
    from: &AuthProfiles,
    dry_run: bool,
) -> Result<Outcome, Failure> {
    let found: Vec<_> = from.profiles().collect();
    let mut outcome = Outcome {
        path: PathBuf::new(),
        imported: Vec::new(),
        skipped: Vec::new(),
    };
    let mut added = Vec::new();
    let mut change = |document: &mut AuthProfiles| {
        // Another program may have written meanwhile, and then it is done once more.
        added.clear();
        outcome.skipped.clear();
        for (id, new) in &found {
            if is_here(cx, document, new) {
                outcome.skipped.push((*id).clone());
                continue;
            }
            let id = vacant(document, id);
            if !document.put(id.clone(), (*new).clone()) {
                outcome.skipped.push(id);
                continue;
            }
            append_to_order(document, &id, new);
            added.push((id, *new));
        }
        !added.is_empty()
    };
    match dry_run {
        true => drop(change(
            &mut cx.store.load(agent, crate::ports::store::Scope::All)?,
        )),
        false => drop(cx.change(agent, change)?),
    }
    for (id, new) in &added {
        outcome.imported.push(id.clone());
        if let (Some(provider), false) = (new.provider(), dry_run) {
            let is_ordered = has_own_order(cx, agent, &provider);
            make_selectable(cx, id, (&provider, new.kind()), new.email(), is_ordered)?;
        }
    }
    Ok(outcome)
}

/// Whether a document holds a credential, under whatever name, or held it until it was refreshed.
fn is_here(cx: Context<'_>, document: &AuthProfiles, new: &Credential) -> bool {
    let grant = |one: &Credential| one.as_oauth().and_then(OAuth::grant);
    let new_grant = grant(new);
    if new_grant.as_ref().is_some_and(|grant| is_spent(cx, grant)) {
        return true;
    }
    let mut all = document.profiles();
    all.any(|(_, held)| {
        let is_same = match &new_grant {
            Some(new) => grant(held).as_ref() == Some(new),
            None => held.bearer().is_some() && held.bearer() == new.bearer(),
        };
        is_same && held.provider() == new.provider()
    })
}

/// Returns the id, with a number if something else has it.
fn vacant(document: &AuthProfiles, id: &ProfileId) -> ProfileId {
    let is_free = |id: &ProfileId| {
        let mut entries = document.entries().iter();
        entries.all(|entry| entry.key.trim() != id.as_str())
    };
    let numbered =
        (2..).filter_map(|number| ProfileId::parse(&format!("{}-{number}", id.as_str())).ok());
    let mut names = std::iter::once(id.clone()).chain(numbered);
    names.find(is_free).unwrap_or_else(|| id.clone())
}

/// Puts a profile last in the order of its provider, if there is one: else it would never be used.
fn append_to_order(document: &mut AuthProfiles, id: &ProfileId, new: &Credential) {
    let Some(provider) = new.provider() else {
        return;
    };
    let Some(ids) = document.order_of(&provider) else {
        return;
    };
    if !ids.iter().any(|other| other.trim() == id.as_str()) {
        let ids = [ids, &[id.as_str().to_owned()]].concat();
        order::put(&mut document.order, &provider, Some(&ids));
    }
}
