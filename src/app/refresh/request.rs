//! The request of a refresh: one profile whose access token must be valid.

use std::time::Duration;

use crate::app::context::Context;
use crate::app::credential::assessment::is_valid;
use crate::app::credential::facts::Facts;
use crate::app::credential::facts_reader::{FactsReader, find_login};
use crate::app::credential::obstacle::Obstacle;
use crate::app::failure::{Failure, Kind};
use crate::app::hooks::event::ProfileRef;
use crate::model::credential::{OAuth, SecretFault};
use crate::model::expiry::End;
use crate::model::grant::GrantStanding;
use crate::model::hint::Command;
use crate::model::id::{AgentId, ProfileId};
use crate::model::provider::Provider;
use crate::ports::store::Scope;

use super::backoff::WAIT_FOR_OTHERS;
use super::outcome::{RefreshPolicy, RefreshResult, ValidToken};

/// A profile, and when its token is to be refreshed.
#[derive(Clone, Copy)]
pub(super) struct RefreshRequest<'a> {
    pub(super) cx: Context<'a>,
    pub(super) owner: &'a AgentId,
    pub(super) profile: &'a ProfileId,
    pub(super) provider: &'a Provider,
    pub(super) policy: RefreshPolicy,
}

impl<'a> RefreshRequest<'a> {
    /// The profile, for events about it.
    pub(super) fn whose(&self) -> ProfileRef<'a> {
        ProfileRef {
            agent: self.owner,
            profile: self.profile,
            provider: &self.provider.id,
        }
    }
}

/// Loads the login; a client's token counts as one.
pub(super) fn load_login(request: &RefreshRequest<'_>) -> Result<OAuth, Failure> {
    let scope = Scope::Profile(request.profile);
    let document = request.cx.store.load(request.owner, scope)?;
    let (_, login) = find_login(&document, request.profile)?;
    // What does not open is never sent, and never taken for a login that has ended.
    if let Some(fault) = seal_fault(&login) {
        let failure = Failure::about(request.profile, Kind::Storage, fault.words());
        return Err(failure.hint(Command::new("secrets status")));
    }
    Ok(login.into_owned())
}

fn seal_fault(login: &OAuth) -> Option<SecretFault> {
    let secrets = [&login.access, &login.refresh].into_iter().flatten();
    let mut faults = secrets.filter_map(SecretFault::of);
    faults.find(|fault| matches!(fault, SecretFault::Sealed(_)))
}

/// Reads the facts that the document holds about a login.
pub(super) fn document_facts(request: &RefreshRequest<'_>, login: &OAuth) -> Facts {
    let reader = FactsReader::new(request.cx);
    reader.of_login(request.owner, request.profile, login, request.provider)
}

/// Whether a failed refresh falls back to the stored token: it is valid for another moment, and no
/// new one is insisted on.
pub(super) fn falls_back(request: &RefreshRequest<'_>, facts: &Facts) -> bool {
    request.policy != RefreshPolicy::Always && is_valid(facts, request.cx.clock.now())
}

/// Whether a refresh would bring hardly more than the token that is there: that came with the grant a moment
/// ago, or a new one lives for less than is asked for and this one has half of that left. Who asks for more
/// than the provider ever gives would spend a refresh token with each call, and many who come at once one
/// each.
pub(super) fn brings_no_more(request: &RefreshRequest<'_>, facts: &Facts) -> bool {
    let now = request.cx.clock.now();
    let (RefreshPolicy::MinValid(Some(least)), Some(issued)) = (request.policy, facts.proven_at())
    else {
        return false;
    };
    if facts.standing != GrantStanding::Good || !is_valid(facts, now) {
        return false;
    }
    let millis = |length: Duration| i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
    let age = issued.until(now);
    let is_too_short = facts.expires_at().is_some_and(|end| {
        let whole = issued.until(end);
        whole < millis(least) && now.until(end) >= whole / 2
    });
    age >= 0 && (age < millis(WAIT_FOR_OTHERS) || is_too_short)
}

/// Returns a token that needs no refresh now; `obstacle` prevents the next one.
pub(super) fn valid_token(
    request: &RefreshRequest<'_>,
    credential: OAuth,
    how: RefreshResult,
    obstacle: Option<&Obstacle>,
) -> ValidToken {
    let now = request.cx.clock.now();
    let left = End::known_of(credential.expires).map(|end| now.until(end));
    ValidToken {
        warning: obstacle.map(|obstacle| obstacle.warning(left)),
        later_failure: obstacle.and_then(Obstacle::later_failure),
        credential,
        how,
    }
}

/// Falls back to the stored token with a warning; fails if it is not valid.
pub(super) fn fall_back(
    request: &RefreshRequest<'_>,
    facts: &Facts,
    credential: OAuth,
    obstacle: &Obstacle,
) -> Result<ValidToken, Failure> {
    match falls_back(request, facts) {
        true => {
            let how = RefreshResult::StillAlive;
            Ok(valid_token(request, credential, how, Some(obstacle)))
        }
        false => Err(obstacle.failure(request.profile)),
    }
}
