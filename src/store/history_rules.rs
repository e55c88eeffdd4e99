//! What is kept of what profiles held before, whatever it is kept in.
//!
//! The document never depends on it. A change that a person asked for is noted first, so that it can
//! be undone, and fails before anything is changed if that is not possible; what a refresh replaced
//! is noted only once its successor is durable. What the document says then is kept besides: another
//! program may write an older one back at any time.

use crate::model::credential::{Credential, OAuth};
use crate::model::grant::{Binding, GrantDigest};
use crate::model::history::{Cause, Generation, History, Saved};
use crate::model::id::ProfileId;
use crate::model::mentions::Mentions;
use crate::model::profiles::{AuthProfiles, Content, Past};
use crate::ports::store::StoreError;

use super::handed_over::{is_only_moved, is_spent, strip_spent};
use super::histories::Histories;

/// Before a document is stored: notes what its change replaces or removes. Histories that could not
/// be read are named in its `faults`.
///
/// # Errors
/// If it cannot be noted, and the change could not be undone.
pub fn keep(histories: &mut dyn Histories, doc: &mut AuthProfiles) -> Result<(), StoreError> {
    for past in doc.take_past() {
        let new = doc.get(&past.id).cloned();
        doc.faults.extend(keep_one(histories, past, new.as_ref())?);
    }
    Ok(())
}

/// Returns why the history of the profile could not be read, if that is so.
fn keep_one(
    histories: &mut dyn Histories,
    past: Past,
    new: Option<&Credential>,
) -> Result<Option<String>, StoreError> {
    let Past {
        id,
        credential: old,
        mentions,
    } = past;
    // A client gets another token whenever it asks: nobody wants the old one back.
    let is_of_client = old.is_of_client() && new.is_some_and(Credential::is_of_client);
    if is_of_client || new == Some(&old) {
        return Ok(None);
    }
    if histories.limit() == 0 {
        histories.forget(&id)?;
        return Ok(None);
    }
    let (mut history, fault) = histories.open(&id)?;
    if is_only_moved(histories, &old, new)? {
        // The same login: nothing to go back to, and nothing of a refresh token that left stays.
        keep_displaced(histories, &mut history, &old, new)?;
        history.saved = None;
    } else {
        note_change(histories, &mut history, (old, mentions), new)?;
    }
    strip_spent(histories, &mut history)?;
    histories.put(history)?;
    Ok(fault)
}

fn note_change(
    histories: &mut dyn Histories,
    history: &mut History,
    (old, mentions): (Credential, Mentions),
    new: Option<&Credential>,
) -> Result<(), StoreError> {
    let is_moved = is_successor(histories, &old, new, history)?;
    let cause = match is_moved {
        true => Cause::Refresh,
        false => cause(&old, new, history),
    };
    keep_displaced(histories, history, &old, new)?;
    if !(is_moved && history.ends_with_refresh()) {
        history.add(old, new, cause, histories.now(), histories.limit());
        if let Some(added) = history.generations.first_mut() {
            added.mentions = mentions;
        }
    }
    if new.is_none() {
        history.saved = None;
    }
    let replaced = history.generations.first();
    if let Some(replaced) = replaced.and_then(|one| one.grant.clone()) {
        bind(histories, history, replaced, None)?;
    }
    Ok(())
}

/// Keeps what was stored last if another program put `old` in its place, and `new` is not what was
/// stored last.
fn keep_displaced(
    histories: &mut dyn Histories,
    history: &mut History,
    old: &Credential,
    new: Option<&Credential>,
) -> Result<(), StoreError> {
    if history.saved.is_none()
        || history.is_saved(old)
        || new.is_some_and(|new| history.is_saved(new))
    {
        return Ok(());
    }
    let is_over = match old.as_oauth().and_then(OAuth::grant) {
        Some(grant) => is_spent(histories, &grant)?,
        None => false,
    };
    history.keep_displaced(Some(old), |_| is_over, histories.limit());
    Ok(())
}

/// Whether [`note_saved`] would note anything of a document that was just stored.
pub fn has_stored(doc: &AuthProfiles) -> bool {
    stored(doc).next().is_some()
}

/// The credentials that a change put in a document.
pub fn stored(doc: &AuthProfiles) -> impl Iterator<Item = (&ProfileId, &Credential)> {
    let entries = doc.entries().iter();
    entries.filter_map(|entry| match &entry.content {
        Content::Valid(id, new) if entry.text.is_none() && !new.is_of_client() => Some((id, new)),
        _ => None,
    })
}

/// Notes what a document that is durable, or will be with this, says of every profile that was
/// changed, so that it can be brought back if another program writes an older document.
///
/// # Errors
/// The first that could not be noted; the others are tried all the same.
pub fn note_saved(histories: &mut dyn Histories, doc: &AuthProfiles) -> Result<(), StoreError> {
    if histories.limit() == 0 {
        return Ok(());
    }
    let mut noted = Ok(());
    for (id, new) in stored(doc) {
        noted = noted.and(note_one(histories, id, (new, doc)));
    }
    noted
}

fn note_one(
    histories: &mut dyn Histories,
    id: &ProfileId,
    (new, doc): (&Credential, &AuthProfiles),
) -> Result<(), StoreError> {
    let (history, _) = histories.open(id)?;
    let is_it = |saved: &Saved| saved.credential == *new;
    if history.saved.as_ref().is_some_and(is_it) && !history.holds(new) {
        return Ok(());
    }
    save(histories, history, (new, doc))
}

/// Notes what is stored now, and where its grant came from, as the document or the journal says.
fn save(
    histories: &mut dyn Histories,
    mut history: History,
    (new, doc): (&Credential, &AuthProfiles),
) -> Result<(), StoreError> {
    history.save(new, histories.now(), histories.limit());
    if let Some(grant) = history.saved.as_ref().and_then(Saved::grant) {
        let told = doc.bindings.get(&grant).cloned();
        bind(histories, &mut history, grant, told)?;
    }
    histories.put(history)
}

/// Notes where a grant came from, if that is told or the journal knows.
fn bind(
    histories: &mut dyn Histories,
    history: &mut History,
    grant: GrantDigest,
    told: Option<Binding>,
) -> Result<(), StoreError> {
    let binding = match told.or_else(|| history.bindings.get(&grant).cloned()) {
        Some(binding) => Some(binding),
        None => histories.record(&grant)?.and_then(|record| record.binding),
    };
    if let Some(binding) = binding {
        history.bindings.insert(grant, binding);
    }
    Ok(())
}

/// Keeps what another program stored in a profile that holds something else now.
pub(super) fn keep_foreign(
    histories: &mut dyn Histories,
    id: &ProfileId,
    other: &Credential,
) -> Result<(), StoreError> {
    let (mut history, _) = histories.open(id)?;
    if history.holds(other) || history.is_saved(other) {
        return Ok(());
    }
    let (now, limit) = (histories.now(), histories.limit());
    history.add(other.clone(), None, Cause::OtherProgram, now, limit);
    strip_spent(histories, &mut history)?;
    histories.put(history)
}

/// Notes what a refresh stored, and that it was the first since the last change by a person.
///
/// # Errors
/// The first profile of which it could not be noted; the others are tried all the same.
pub fn note_refreshes(
    histories: &mut dyn Histories,
    doc: &mut AuthProfiles,
) -> Result<(), StoreError> {
    let past = doc.take_past();
    if histories.limit() == 0 {
        return Ok(());
    }
    let mut noted = Ok(());
    for Past { id, credential, .. } in past {
        if let Some(new) = doc.get(&id) {
            noted = noted.and(note_refresh(histories, &id, credential, (new, doc)));
        }
    }
    noted
}

fn note_refresh(
    histories: &mut dyn Histories,
    id: &ProfileId,
    old: Credential,
    (new, doc): (&Credential, &AuthProfiles),
) -> Result<(), StoreError> {
    let grant = |credential: &Credential| credential.as_oauth()?.grant();
    let (mut history, _) = histories.open(id)?;
    keep_displaced(histories, &mut history, &old, None)?;
    if history.is_saved(&old) {
        // What it holds is spent, or goes on in the new one.
        history.saved = None;
    }
    if grant(&old) != grant(new) && !history.ends_with_refresh() {
        let (now, limit) = (histories.now(), histories.limit());
        history.add(old, None, Cause::Refresh, now, limit);
        if let Some(spent) = history.generations.first_mut() {
            spent.strip();
        }
    }
    save(histories, history, (new, doc))
}

/// Keeps the successor of a grant that no profile of the document holds any more, if another
/// program took it out; false if a change of ours did, for the newer wish wins.
///
/// # Errors
/// If it cannot be kept.
pub fn keep_successor(
    histories: &mut dyn Histories,
    id: &ProfileId,
    (spent, new): (&GrantDigest, &OAuth),
    doc: &AuthProfiles,
) -> Result<bool, StoreError> {
    if histories.limit() == 0 {
        return Ok(false);
    }
    let (mut history, _) = histories.open(id)?;
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
    save(histories, history, (&Credential::OAuth(renewed), doc))?;
    Ok(true)
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
    histories: &mut dyn Histories,
    old: &Credential,
    new: Option<&Credential>,
    history: &History,
) -> Result<bool, StoreError> {
    let grant = |credential: &Credential| credential.as_oauth().and_then(OAuth::grant);
    let (Some(old), Some(new)) = (grant(old), new.and_then(grant)) else {
        return Ok(false);
    };
    let record = histories.record(&old)?;
    let Some(successor) = record.and_then(|record| record.successor()) else {
        return Ok(false);
    };
    let kept = history.saved.as_ref().and_then(Saved::grant);
    Ok(successor == new || kept == Some(new))
}
