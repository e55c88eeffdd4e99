//! `models auth refresh`: refreshes one profile, or all that an agent sees, side by side.

use std::borrow::Cow;
use std::time::Duration;

use crate::model::credential::{Credential, Kind as CredentialKind, OAuth};
use crate::model::grant::GrantDigest;
use crate::model::hint::Command;
use crate::model::id::{AgentId, ProfileId};
use crate::model::profiles::VisibleProfile;
use crate::model::provider::Provider;
use crate::model::time::Timestamp;
use crate::ports::store::Scope;

use crate::app::batch::{self, Ending, Job, Limits};
use crate::app::context::Context;
use crate::app::credential::facts_reader::as_login;
use crate::app::failure::{Failure, Kind, StoreEffect};
use crate::app::refresh::accept_endpoint;
use crate::app::refresh::ensure_fresh::ensure_fresh;
use crate::app::refresh::leave::{LeftLogins, leave_for_later};
use crate::app::refresh::outcome::{RefreshPolicy, RefreshResult, ValidToken};
use crate::app::refresh::target::host_of;

/// The result for one profile.
#[derive(Clone, Debug)]
pub struct Report {
    /// The profile.
    pub profile: ProfileId,
    /// When its token expired before.
    pub before: Option<Timestamp>,
    /// Whether a new token was stored, be it that a signal came right after.
    pub is_refreshed: bool,
    /// The valid token, or why there is none.
    pub result: Result<ValidToken, Failure>,
}

/// Refreshes one profile, or every OAuth profile that the agent sees; with `force` also tokens that
/// are still fresh.
///
/// # Errors
/// If the documents cannot be read, or the named profile is none or is not refreshable. What
/// becomes of each profile stands in its report; the reports are in the order of the profiles.
pub fn run(
    cx: Context<'_>,
    agent: &AgentId,
    profile: Option<&ProfileId>,
    force: bool,
) -> Result<Vec<Report>, Failure> {
    cx.require_agent(agent)?;
    let scope = profile.map_or(Scope::All, Scope::Profile);
    let effective = cx.effective(agent, scope)?;
    let profiles = effective.profiles();
    let mut targets = Vec::new();
    for seen in &profiles {
        if profile.is_some_and(|wanted| wanted != seen.id) {
            continue;
        }
        match (Target::of(cx, seen), profile) {
            (Some(target), _) => targets.push(target),
            (None, Some(_)) => return Err(never_refreshed(seen)),
            (None, None) => {}
        }
    }
    if let (Some(id), true) = (profile, targets.is_empty()) {
        return Err(Failure::not_seen(&effective, id));
    }
    let policy = match (force, profile) {
        (true, _) => RefreshPolicy::Always,
        (false, Some(_)) => RefreshPolicy::MinValid(None),
        (false, None) => RefreshPolicy::Due,
    };
    Ok(refresh_all(cx, &targets, policy))
}

/// Accepts the token endpoint to which an imported login would be sent.
///
/// # Errors
/// If another endpoint would be used, or the profile is none or is not refreshable.
pub fn accept_endpoint(
    cx: Context<'_>,
    agent: &AgentId,
    profile: &ProfileId,
    endpoint: &str,
) -> Result<(), Failure> {
    cx.require_agent(agent)?;
    let effective = cx.effective(agent, Scope::Profile(profile))?;
    let profiles = effective.profiles();
    let seen = profiles.iter().find(|seen| seen.id == profile);
    let seen = seen.ok_or_else(|| Failure::not_seen(&effective, profile))?;
    let target = Target::of(cx, seen).ok_or_else(|| never_refreshed(seen))?;
    let whose = (seen.owner, seen.id);
    accept_endpoint::accept_endpoint(cx, whose, &target.provider?, &target.login, endpoint)
}

/// A login to refresh.
struct Target<'a> {
    seen: &'a VisibleProfile<'a>,
    login: Cow<'a, OAuth>,
    provider: Result<Provider, Failure>,
}

impl<'a> Target<'a> {
    /// Returns the target for a profile; `None` if it is no login.
    fn of(cx: Context<'_>, seen: &'a VisibleProfile<'a>) -> Option<Self> {
        let credential: &'a Credential = seen.credential;
        let login = as_login(credential)?;
        let id = credential.provider()?;
        let provider = cx.provider_of(&id, credential);
        Some(Self {
            seen,
            login,
            provider: provider.map_err(Failure::from),
        })
    }

    fn job(&self) -> Job {
        let Self {
            seen,
            login,
            provider,
        } = self;
        let provider = provider.as_ref().ok();
        let of_client = || {
            let id = &provider?.id;
            Some(GrantDigest::of_client(seen.owner, id, seen.id))
        };
        Job {
            host: provider.and_then(|provider| host_of(provider, login)),
            grant: login.grant().or_else(of_client),
            starts_at: Duration::ZERO,
        }
    }

    fn refresh(&self, cx: Context<'_>, policy: RefreshPolicy) -> Result<ValidToken, Failure> {
        let provider = self.provider.as_ref().map_err(Clone::clone)?;
        let (owner, id) = (self.seen.owner, self.seen.id);
        ensure_fresh(cx, owner, id, provider, policy, &self.login)
    }

    fn leave(
        &self,
        (cx, left): (Context<'_>, &mut LeftLogins<'_>),
        policy: RefreshPolicy,
        reason: &str,
    ) -> Result<ValidToken, Failure> {
        let provider = self.provider.as_ref().map_err(Clone::clone)?;
        let (owner, id) = (self.seen.owner, self.seen.id);
        let (_, login) = left.find(owner, id)?;
        leave_for_later(cx, (owner, id, login), provider, policy, reason)
    }

    fn report(&self, result: Result<ValidToken, Failure>) -> Report {
        Report {
            profile: self.seen.id.clone(),
            before: self.seen.credential.expires(),
            is_refreshed: match &result {
                Ok(token) => token.how == RefreshResult::Refreshed,
                Err(failure) => failure.touched == StoreEffect::Changed,
            },
            result,
        }
    }
}

/// Refreshes all targets; those that a signal kept from beginning are left out, except for one if
/// nothing else tells of the signal.
fn refresh_all(cx: Context<'_>, targets: &[Target<'_>], policy: RefreshPolicy) -> Vec<Report> {
    let jobs = targets.iter().map(Target::job).collect();
    let work = |cx: Context<'_>, at: usize| targets[at].refresh(cx, policy);
    let mut reports = Vec::new();
    let mut stopped = Vec::new();
    let mut left = LeftLogins::new(cx);
    for (target, ending) in targets
        .iter()
        .zip(batch::run(cx, Limits::REFRESH, jobs, &work))
    {
        match ending {
            Ending::Done(result) => reports.push(target.report(result)),
            Ending::Left(reason) => {
                let result = target.leave((cx, &mut left), policy, &reason.to_string());
                reports.push(target.report(result));
            }
            Ending::Stopped => stopped.push(target),
        }
    }
    let is_told = reports.iter().any(is_cancelled);
    if let (false, Some(first), Err(failure)) = (is_told, stopped.first(), cx.uninterrupted()) {
        reports.push(first.report(Err(failure)));
    }
    tell_all_changes(&mut reports);
    reports
}

fn is_cancelled(report: &Report) -> bool {
    matches!(&report.result, Err(failure) if matches!(failure.kind, Kind::Cancelled(_)))
}

/// A signal that stopped one refresh must not say that nothing was stored by the others.
fn tell_all_changes(reports: &mut [Report]) {
    if !reports.iter().any(|report| report.is_refreshed) {
        return;
    }
    for report in reports.iter_mut().filter(|report| is_cancelled(report)) {
        if let Err(failure) = &mut report.result {
            failure.touched = StoreEffect::Changed;
        }
    }
}

/// The failure of a named profile that is no login.
fn never_refreshed(seen: &VisibleProfile<'_>) -> Failure {
    let kind = seen.credential.kind();
    let message = format!(
        "{} is of type {}, which is never refreshed",
        seen.id,
        kind.as_str()
    );
    let failure = Failure::new(Kind::Usage, message);
    match (kind, seen.credential.provider()) {
        (CredentialKind::Token, Some(provider)) => {
            failure.hint(Command::paste_token(&provider, Some(seen.id)))
        }
        _ => failure.hint(Command::list()),
    }
}
