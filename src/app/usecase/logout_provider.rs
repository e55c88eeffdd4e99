//! Logs out of a provider: every profile of it that an agent sees is revoked, where the provider can
//! do that, and removed with what the history keeps of it. Nothing that a server says keeps a login
//! here.

use std::time::Duration;

use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::app::login::noted::settle::{Meant, settle};
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::ports::http::{Http, HttpError, Patience, Request as HttpRequest, Response};
use crate::ports::store::Scope;

use super::logout;

/// How long a server may take to answer: whoever logs out waits for it.
const REVOCATION_LIMIT: Duration = Duration::from_secs(10);

/// Parameters of [`run`].
#[derive(Clone, Debug)]
pub struct Request {
    /// The agent.
    pub agent: AgentId,
    /// The provider.
    pub provider: ProviderId,
    /// Only this profile of it.
    pub profile: Option<ProfileId>,
}

/// What was removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The profiles.
    pub profiles: Vec<ProfileId>,
    /// Whether there were any and all of them were revoked.
    pub revoked: bool,
}

/// Removes them. That there are none is no failure.
///
/// # Errors
/// What the store says, [`Kind::Busy`] and [`Kind::Locked`]; profiles before the one that failed are
/// removed then.
pub fn run(cx: Context<'_>, request: &Request) -> Result<Outcome, Failure> {
    let http = HastyHttp(cx.http);
    let cx = Context { http: &http, ..cx };
    cx.require_agent(&request.agent)?;
    settle(
        cx,
        Meant {
            agent: &request.agent,
            provider: &request.provider,
            profile: request.profile.as_ref(),
        },
    )?;
    let effective = cx.effective(&request.agent, Scope::Provider(&request.provider))?;
    let is_meant = |profile: &ProfileId| request.profile.as_ref().is_none_or(|it| it == profile);
    let seen = effective.profiles().into_iter().filter(|seen| {
        let provider = seen.credential.provider();
        provider.as_ref() == Some(&request.provider) && is_meant(seen.id)
    });
    let profiles: Vec<ProfileId> = seen.map(|seen| seen.id.clone()).collect();
    let mut outcome = Outcome::default();
    let mut is_revoked = true;
    for profile in profiles {
        let revoked = match remove(cx, request, &profile) {
            // Gone meanwhile, by another hand or as a copy of the one before.
            Err(failure) if failure.kind == Kind::NotFound => continue,
            removed => removed?,
        };
        is_revoked &= revoked;
        outcome.profiles.push(profile);
    }
    outcome.revoked = is_revoked && !outcome.profiles.is_empty();
    Ok(outcome)
}

/// Removes a profile: whether it was revoked.
fn remove(cx: Context<'_>, request: &Request, profile: &ProfileId) -> Result<bool, Failure> {
    let removed = logout::remove(
        cx,
        &logout::Request {
            agent: request.agent.clone(),
            profile: profile.clone(),
            yes: true,
            dry_run: false,
            revoke: true,
            force: true,
            forget: true,
        },
    )?;
    Ok(removed.revocation.is_some_and(|revocation| revocation.done))
}

/// A client that waits less.
struct HastyHttp<'a>(&'a dyn Http);

impl Http for HastyHttp<'_> {
    fn send(&self, request: &HttpRequest) -> Result<Response, HttpError> {
        let patience = Patience {
            limit: REVOCATION_LIMIT,
            stop: &|| false,
        };
        self.send_within(request, &patience)
    }

    fn send_within(
        &self,
        request: &HttpRequest,
        patience: &Patience<'_>,
    ) -> Result<Response, HttpError> {
        self.0.send_within(request, patience)
    }
}
