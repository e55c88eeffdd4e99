//! `models auth refresh`: refreshes one profile, or all of an agent's.

use crate::model::credential::Kind as CredentialKind;
use crate::model::hint::Command;
use crate::model::id::{AgentId, ProfileId};
use crate::model::profiles::VisibleProfile;
use crate::model::time::Timestamp;
use crate::ports::store::Scope;

use crate::app::context::Context;
use crate::app::credential::facts_reader::as_login;
use crate::app::failure::{Failure, Kind, StoreEffect};
use crate::app::refresh::ensure_fresh::ensure_fresh;
use crate::app::refresh::outcome::{RefreshPolicy, RefreshResult, ValidToken};

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
/// becomes of each profile stands in its report.
pub fn run(
    cx: Context<'_>,
    agent: &AgentId,
    profile: Option<&ProfileId>,
    force: bool,
) -> Result<Vec<Report>, Failure> {
    cx.require_agent(agent)?;
    let scope = profile.map_or(Scope::All, Scope::Profile);
    let effective = cx.effective(agent, scope)?;
    let mut reports: Vec<Report> = Vec::new();
    for seen in effective.profiles() {
        if profile.is_some_and(|wanted| wanted != seen.id) {
            continue;
        }
        let login = as_login(seen.credential);
        let (Some(login), Some(id)) = (login, seen.credential.provider()) else {
            match profile {
                Some(_) => return Err(never_refreshed(&seen)),
                None => continue,
            }
        };
        let policy = match force {
            true => RefreshPolicy::Always,
            false => RefreshPolicy::MinValid(None),
        };
        let result = cx
            .provider_of(&id, seen.credential)
            .map_err(Failure::from)
            .and_then(|provider| ensure_fresh(cx, seen.owner, seen.id, &provider, policy, &login));
        let is_stopped =
            matches!(&result, Err(failure) if matches!(failure.kind, Kind::Cancelled(_)));
        reports.push(Report {
            profile: seen.id.clone(),
            before: seen.credential.expires(),
            is_refreshed: match &result {
                Ok(token) => token.how == RefreshResult::Refreshed,
                Err(failure) => failure.touched == StoreEffect::Changed,
            },
            result,
        });
        if is_stopped {
            break;
        }
    }
    tell_all_changes(&mut reports);
    match (profile, reports.is_empty()) {
        (Some(id), true) => Err(Failure::not_seen(&effective, id)),
        _ => Ok(reports),
    }
}

/// A signal that stopped one refresh must not say that nothing was stored by those before.
fn tell_all_changes(reports: &mut [Report]) {
    let is_changed = reports.iter().any(|report| report.is_refreshed);
    let last = reports.last_mut().filter(|_| is_changed);
    if let Some(Err(failure)) = last.map(|report| &mut report.result)
        && matches!(failure.kind, Kind::Cancelled(_))
    {
        failure.touched = StoreEffect::Changed;
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
