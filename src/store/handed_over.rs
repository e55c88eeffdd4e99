//! Which grants in a history are none of this store any more, and what stays of them.

use crate::model::credential::Credential;
use crate::model::grant::{GrantDigest, GrantStanding};
use crate::model::history::History;
use crate::model::moved::Moved;
use crate::ports::store::StoreError;

use super::histories::Histories;

/// Whether a change only took out a refresh token that went to another machine, or put one back that
/// came from there.
pub(super) fn is_only_moved(
    histories: &mut dyn Histories,
    old: &Credential,
    new: Option<&Credential>,
) -> Result<bool, StoreError> {
    let (Some(old), Some(new)) = (old.as_oauth(), new.and_then(Credential::as_oauth)) else {
        return Ok(false);
    };
    // Once the login was taken back, the token that is replaced may be the only one there is.
    if let Some(moved) = new.moved()
        && old.grant().as_ref() == Some(&moved.grant)
        && is_away(histories, &moved)?
    {
        return Ok(true);
    }
    let came_back = |moved: Moved| new.grant() == Some(moved.grant);
    Ok(old.moved().is_some_and(came_back))
}

/// Whether the journal says that the grant went to another machine in that bundle.
fn is_away(histories: &mut dyn Histories, moved: &Moved) -> Result<bool, StoreError> {
    let standing = standing(histories, &moved.grant)?;
    Ok(matches!(standing, Some(GrantStanding::HandedOver(known)) if known.bundle == moved.bundle))
}

/// Whether a grant is none of this store any more.
pub(super) fn is_spent(
    histories: &mut dyn Histories,
    grant: &GrantDigest,
) -> Result<bool, StoreError> {
    Ok(matches!(
        standing(histories, grant)?,
        Some(
            GrantStanding::Spent { .. }
                | GrantStanding::Revoked { .. }
                | GrantStanding::HandedOver(_)
        )
    ))
}

fn standing(
    histories: &mut dyn Histories,
    grant: &GrantDigest,
) -> Result<Option<GrantStanding>, StoreError> {
    let record = histories.record(grant)?;
    Ok(record.map(|record| record.standing()))
}

/// Takes the tokens of such grants out of the generations.
pub(super) fn strip_spent(
    histories: &mut dyn Histories,
    history: &mut History,
) -> Result<(), StoreError> {
    for generation in &mut history.generations {
        if let Some(grant) = &generation.grant
            && is_spent(histories, grant)?
        {
            generation.strip();
        }
    }
    Ok(())
}

/// Takes the refresh tokens of grants that went to another machine out of a history; true if one was
/// there.
pub fn strip_grants(history: &mut History, grants: &[GrantDigest]) -> bool {
    let saved = history
        .saved
        .take_if(|saved| saved.grant().is_some_and(|grant| grants.contains(&grant)));
    let mut is_changed = saved.is_some();
    for generation in &mut history.generations {
        let is_it = generation
            .grant
            .as_ref()
            .is_some_and(|grant| grants.contains(grant));
        if is_it && !generation.is_bare {
            generation.strip();
            is_changed = true;
        }
    }
    is_changed
}
