//! `models auth refresh`: refreshes one profile, or all of an agent's.

use crate::model::credential::Kind as CredentialKind;
use crate::model::hint::Command;
use crate::model::id::{AgentId, ProfileId};
use crate::model::time::Timestamp;
use crate::ports::store::Scope;

use crate::app::context::Context;
use crate::app::credential::facts_reader::as_login;
use crate::app::failure::{Failure, Kind};
use crate::app::refresh::ensure_fresh::ensure_fresh;
use crate::app::refresh::outcome::{RefreshPolicy, ValidToken};

/// The result for one profile.
#[derive(Clone, Debug)]
pub struct Report {
    /// The profile.
    pub profile: ProfileId,
    /// When its token expired before.
    pub before: Option<Timestamp>,
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
    let mut reports = Vec::new();
    for seen in effective.profiles() {
        if profile.is_some_and(|wanted| wanted != seen.id) {
            continue;
        }
        let login = as_login(seen.credential);
        let (Some(login), Some(id)) = (login, seen.credential.provider()) else {
            if profile.is_none() {
                continue;
            }
            let kind = seen.credential.kind().as_str();
            let message = format!("{} is of type {kind}, which is never refreshed", seen.id);
            let failure = Failure::new(Kind::Usage, message);
            return Err(match (seen.credential.kind(), seen.credential.provider()) {
                (CredentialKind::Token, Some(provider)) => {
                    failure.hint(Command::paste_token(&provider, Some(seen.id)))
                }
                _ => failure.hint(Command::list()),
            });
        };
        let need = if force {
            RefreshPolicy::Always
        } else {
            RefreshPolicy::MinValid(None)
        };
        let result = cx
            .provider_of(&id, seen.credential)
            .map_err(Failure::from)
            .and_then(|provider| ensure_fresh(cx, seen.owner, seen.id, &provider, need, &login));
        reports.push(Report {
            profile: seen.id.clone(),
            before: seen.credential.expires(),
            result,
        });
    }
    match (profile, reports.is_empty()) {
        (Some(id), true) => Err(Failure::not_seen(&effective, id)),
        _ => Ok(reports),
    }
}
