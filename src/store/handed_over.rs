//! Which grants in a history are none of this machine any more, and what stays of them.

use crate::model::credential::Credential;
use crate::model::grant::{GrantDigest, GrantStanding};
use crate::model::history::{History, Saved};
use crate::model::moved::Moved;

use super::io::FileStore;
use super::journal;

/// Whether a change only took out a refresh token that went to another machine, or put one back that
/// came from there.
pub(super) fn is_only_moved(cx: &FileStore, old: &Credential, new: Option<&Credential>) -> bool {
    let (Some(old), Some(new)) = (old.as_oauth(), new.and_then(Credential::as_oauth)) else {
        return false;
    };
    // Once the login was taken back, the token that is replaced may be the only one there is.
    let went = |moved: Moved| old.grant().as_ref() == Some(&moved.grant) && is_away(cx, &moved);
    let came_back = |moved: Moved| new.grant() == Some(moved.grant);
    new.moved().is_some_and(went) || old.moved().is_some_and(came_back)
}

/// Whether the journal says that the grant went to another machine in that bundle.
fn is_away(cx: &FileStore, moved: &Moved) -> bool {
    let standing = standing(cx, &moved.grant);
    matches!(standing, Some(GrantStanding::HandedOver(known)) if known.bundle == moved.bundle)
}

/// Whether a grant is none of this machine any more.
pub(super) fn is_spent(cx: &FileStore, grant: &GrantDigest) -> bool {
    matches!(
        standing(cx, grant),
        Some(
            GrantStanding::Spent { .. }
                | GrantStanding::Revoked { .. }
                | GrantStanding::HandedOver(_)
        )
    )
}

/// A journal that cannot be read knows nothing.
fn standing(cx: &FileStore, grant: &GrantDigest) -> Option<GrantStanding> {
    let record = journal::read(cx, grant).ok().flatten();
    record.map(|record| record.standing())
}

/// Takes the tokens of such grants out of the generations.
pub(super) fn strip_spent(cx: &FileStore, history: &mut History) {
    let is_over = |grant: &GrantDigest| is_spent(cx, grant);
    for generation in &mut history.generations {
        if generation.grant.as_ref().is_some_and(is_over) {
            generation.strip();
        }
    }
}

/// Takes the refresh token of a grant that went to another machine out of a history; true if it was
/// there.
pub(super) fn strip_grant(history: &mut History, grant: &GrantDigest) -> bool {
    let is_it = |saved: &mut Saved| saved.grant().as_ref() == Some(grant);
    let saved = history.saved.take_if(is_it);
    let mut is_changed = saved.is_some();
    for generation in &mut history.generations {
        if !generation.is_bare && generation.grant.as_ref() == Some(grant) {
            generation.strip();
            is_changed = true;
        }
    }
    is_changed
}
