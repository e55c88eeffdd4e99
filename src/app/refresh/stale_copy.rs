//! Stale copies of a login: restored from a backup, or missed when the others were refreshed.
//!
//! Its refresh token is spent. To send it would at best be refused; at worst the provider takes it
//! for theft and revokes the successor, too (RFC 9700 section 4.14.2). So the copy takes the place
//! of its successor, if that lies in any document here.

use crate::app::failure::Failure;
use crate::model::credential::{Credential, OAuth};
use crate::model::id::{AgentId, ProfileId};
use crate::ports::store::Scope;

use super::request::RefreshRequest;

/// Replaces the stale copy by what `profile` of `agent` holds, unless either has changed since.
pub(super) fn adopt_successor(
    request: &RefreshRequest<'_>,
    stale: &OAuth,
    (agent, profile): (&AgentId, &ProfileId),
) -> Result<(), Failure> {
    let store = request.cx.store;
    let document = store.load(agent, Scope::Profile(profile))?;
    let Some(Credential::OAuth(successor)) = document.get(profile) else {
        return Ok(());
    };
    let mut replaced = false;
    store.update(request.owner, &mut |document| {
        let copy = document.get(request.profile).and_then(Credential::as_oauth);
        replaced = copy.is_some_and(|copy| copy.grant() == stale.grant());
        match copy.filter(|_| replaced) {
            Some(copy) => {
                let renewed = Credential::OAuth(copy.renewed(successor));
                document.put(request.profile.clone(), renewed);
                true
            }
            None => false,
        }
    })?;
    if replaced {
        request.cx.warn(format!(
            "{} of agent {} was an outdated copy of a login; replaced it with {profile} of agent {agent}",
            request.profile, request.owner
        ));
    }
    Ok(())
}
