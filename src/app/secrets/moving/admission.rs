//! Which logins of a bundle may come in, and what is written down of their grants before they do.

use super::content::{AgentContent, Content};
use super::marker::Marker;
use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::model::credential::{Credential, OAuth};
use crate::model::grant::{GrantDigest, GrantRecord, GrantStanding};

/// Why a login would not work here, by what is known of its grant. A bundle tells how often the grant
/// was handed over (`moves`).
///
/// # Errors
/// If the journal cannot be read.
pub(in crate::app::secrets) fn grant_fault(
    cx: Context<'_>,
    new: &Credential,
    moves: Option<u32>,
) -> Result<Option<String>, Failure> {
    let grant = new.as_oauth().and_then(OAuth::grant);
    let record = match grant {
        Some(grant) => cx.store.grant_record(&grant)?,
        None => None,
    };
    let Some(record) = record else {
        return Ok(None);
    };
    let local = cx.clock.local();
    Ok(match record.standing() {
        GrantStanding::Spent { since, .. } | GrantStanding::NotUnderstood { since, .. } => {
            Some(format!(
                "its refresh token was used {}, and works no more",
                local.spoken_past(since)
            ))
        }
        GrantStanding::Revoked { at } => Some(format!("it was revoked {}", local.spoken_past(at))),
        // No clock: two machines need not agree on the time.
        GrantStanding::HandedOver(moved) if moves.is_none_or(|moves| moves <= record.moves) => {
            let older = moves.map_or("", |_| ", and this bundle is older");
            let at = local.spoken_past(moved.at);
            Some(match moved.is_in_database() {
                true => format!("it was moved to {} {at}{older}", moved.destination()),
                false => format!(
                    "it was moved to another machine {at} in {}{older}",
                    moved.to
                ),
            })
        }
        _ => None,
    })
}

/// Whether this machine handed a login of a bundle over, in the same or a later one.
pub(super) fn is_superseded(cx: Context<'_>, content: &Content) -> Result<bool, Failure> {
    let all = content.agents.iter();
    for record in all.flat_map(|one| &one.grants) {
        let known = cx.store.grant_record(&record.grant)?;
        if known.is_some_and(|known| known.is_handed_over() && record.moves <= known.moves) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a login went to another machine, and comes back now.
pub(super) fn is_back(cx: Context<'_>, new: &Credential) -> Result<bool, Failure> {
    let grant = new.as_oauth().and_then(OAuth::grant);
    let record = match grant {
        Some(grant) => cx.store.grant_record(&grant)?,
        None => None,
    };
    Ok(record.is_some_and(|record| record.is_handed_over()))
}

/// Writes down where the grants came from before anybody can send them.
///
/// # Errors
/// If the journal or a marker cannot be written; it can be done again.
pub(super) fn bind(cx: Context<'_>, one: &AgentContent, logins: &[&OAuth]) -> Result<(), Failure> {
    let grants = logins.iter().filter_map(|login| login.grant());
    let grants: Vec<GrantDigest> = grants.collect();
    // First: until the journal says that they are here, they are only not used.
    Marker::let_go(cx, &grants)?;
    for grant in &grants {
        let told = one.grants.iter().find(|record| record.grant == *grant);
        let known = cx.store.grant_record(grant)?;
        if let Some(new) = told.and_then(|told| renewed(told, known)) {
            cx.store.record_login(&new)?;
        }
    }
    Ok(())
}

/// What is known of a grant from now on, if that is more than before.
fn renewed(told: &GrantRecord, known: Option<GrantRecord>) -> Option<GrantRecord> {
    let Some(known) = known else {
        return Some(told.clone());
    };
    let moves = told.moves.max(known.moves);
    // It was handed over from here once, and comes back.
    if known.is_handed_over() {
        return Some(GrantRecord {
            moves,
            attempt: None,
            ..told.clone()
        });
    }
    if known.binding.is_some() {
        let is_more = moves > known.moves;
        return is_more.then_some(GrantRecord { moves, ..known });
    }
    Some(GrantRecord {
        moves,
        attempt: known.attempt,
        ..told.clone()
    })
}

/// How often the bundle says that the grant of a login was handed over.
pub(super) fn moves(one: &AgentContent, new: &Credential) -> u32 {
    let grant = new.as_oauth().and_then(OAuth::grant);
    let mut records = one.grants.iter();
    let told = records.find(|record| Some(&record.grant) == grant.as_ref());
    told.map_or(0, |record| record.moves)
}
