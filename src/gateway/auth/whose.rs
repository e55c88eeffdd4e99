//! Which agent's credentials a request is about, and which of them.

use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::model::id::{AgentId, ProfileId, ProviderId};

/// Understands the names of a body: the agent, by default `default`, and the profile, if one is named,
/// in full or without its provider.
///
/// # Errors
/// If the profile is no name, or there is no such agent.
pub(super) fn understand(
    cx: Context<'_>,
    default: &AgentId,
    provider: &ProviderId,
    (agent, profile): (Option<AgentId>, Option<String>),
) -> Result<(AgentId, Option<ProfileId>), Failure> {
    let agent = agent.unwrap_or_else(|| default.clone());
    let named = profile.as_deref().map(ProfileId::parse).transpose()?;
    let profile = named.map(|named| cx.destination(&agent, provider, &named));
    let profile = profile.transpose()?;
    Ok((agent, profile))
}
