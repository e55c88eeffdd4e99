//! Which agent's credentials a request is about, and which of them.

use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::model::id::{AgentId, IdError, ProfileId, ProviderId};
use crate::ports::store::Scope;

/// Understands the names of a body: the agent, by default `default`, and the profile, if one is named,
/// in full or without its provider.
///
/// # Errors
/// If the profile is no name, or one of another provider; or there is no such agent.
pub(super) fn understand(
    cx: Context<'_>,
    default: &AgentId,
    provider: &ProviderId,
    (agent, profile): (Option<AgentId>, Option<String>),
) -> Result<(AgentId, Option<ProfileId>), Failure> {
    let agent = agent.unwrap_or_else(|| default.clone());
    let named = profile.as_deref().map(named).transpose()?;
    let profile = named.map(|named| cx.destination(&agent, provider, &named));
    let profile = profile.transpose()?;
    if let Some(profile) = &profile {
        require_own(cx, &agent, provider, profile)?;
    }
    Ok((agent, profile))
}

/// Takes the name of a profile as somebody sent it. No row of a database can hold a NUL.
///
/// # Errors
/// If it is no name.
pub(in crate::gateway) fn named(text: &str) -> Result<ProfileId, IdError> {
    match text.contains('\0') {
        true => Err(IdError::Forbidden("profile id", '\0')),
        false => ProfileId::parse(text),
    }
}

/// Refuses the name of a profile that is another provider's, by itself or by what is stored under it:
/// whoever may change the logins of one provider must not replace those of another. The name of a new one is
/// one that the command line takes, too.
fn require_own(
    cx: Context<'_>,
    agent: &AgentId,
    provider: &ProviderId,
    profile: &ProfileId,
) -> Result<(), Failure> {
    let prefix = profile.as_str().split_once(':').map(|(prefix, _)| prefix);
    let is_named = prefix.is_none_or(|prefix| prefix == provider.as_str());
    let effective = cx.effective(agent, Scope::Profile(profile))?;
    let stored = effective.get(profile);
    if stored.is_none() {
        ProfileId::parse_new(profile.as_str())?;
    }
    let is_stored = stored.is_none_or(|seen| seen.credential.is_for(provider));
    match is_named && is_stored {
        true => Ok(()),
        false => {
            let message = format!("{profile} is no profile of {provider}");
            Err(Failure::new(Kind::NotFound, message))
        }
    }
}
