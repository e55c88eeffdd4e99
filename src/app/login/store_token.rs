//! Storage of a long-lived token: nothing refreshes it, and it does not tell its account.

use crate::model::credential::{Credential, Token};
use crate::model::id::ProfileId;
use crate::model::json::Extra;
use crate::model::provider::{DeviceFlow, Provider};
use crate::oauth::grant::Grant;

use super::request::Request;
use crate::app::context::Context;
use crate::app::deposit::StoredProfile;
use crate::app::failure::Failure;

/// Chooses the profile.
fn profile(
    request: &Request,
    provider: &Provider,
    flow: &DeviceFlow,
) -> Result<ProfileId, Failure> {
    let name = flow.profile.as_deref().unwrap_or("default");
    Ok(match &request.profile {
        Some(profile) => profile.clone(),
        None => ProfileId::of(&provider.id, name)?,
    })
}

/// Announces, before the user makes the effort, that a stored token will be replaced.
pub(in crate::app) fn announce(
    cx: Context<'_>,
    request: &Request,
    provider: &Provider,
    flow: &DeviceFlow,
) -> Result<(), Failure> {
    let profile = profile(request, provider, flow)?;
    if !request.yes && cx.is_taken(&request.agent, &profile) {
        let text = format!("{profile} already exists and will be replaced");
        cx.info(text);
    }
    Ok(())
}

/// Stores the token.
pub(in crate::app) fn keep(
    cx: Context<'_>,
    request: &Request,
    provider: &Provider,
    flow: &DeviceFlow,
    grant: Grant,
) -> Result<StoredProfile, Failure> {
    let profile = profile(request, provider, flow)?;
    cx.tell_skew(grant.skew_warning());
    let replaced = cx.is_taken(&request.agent, &profile);
    let expires = grant.expires;
    let new = Credential::Token(Token {
        provider: provider.id.to_string(),
        token: Some(grant.access),
        expires,
        email: None,
        extra: Extra::default(),
    });
    let stored = StoredProfile {
        profile,
        provider: provider.id.clone(),
        kind: new.kind(),
        account: None,
        expires,
        replaced,
    };
    stored.store(cx, &request.agent, &new, &|_| true)?;
    stored.finish(cx, None, request.default_model(provider))?;
    Ok(stored)
}
