//! Storage of a long-lived token: nothing refreshes it, and it does not tell its account.

use crate::model::credential::{Credential, Kind as CredentialKind, Token};
use crate::model::id::ProfileId;
use crate::model::json::Extra;
use crate::model::provider::{DeviceFlow, Provider};
use crate::oauth::grant::Grant;
use crate::ports::store::Change;

use super::request::{Outcome, Request};
use super::store_login::finished;
use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::app::paste;

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
        let text = format!("{profile} exists; the new token will take its place");
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
) -> Result<Outcome, Failure> {
    let profile = profile(request, provider, flow)?;
    cx.tell_skew(grant.skew_warning());
    let replaced = cx.is_taken(&request.agent, &profile);
    let expires = grant.expires;
    let mut token = Token {
        provider: provider.id.to_string(),
        token: Some(grant.access),
        expires,
        email: None,
        extra: Extra::default(),
    };
    let written = cx.store.update(&request.agent, &mut |document| {
        if let Some(Credential::Token(old)) = document.get(&profile) {
            token.extra = paste::beside(&old.extra, "tokenRef");
        }
        document.put(profile.clone(), Credential::Token(token.clone()));
        Change::Write
    })?;
    cx.tell_faults(&written);
    let outcome = Outcome {
        account: profile.to_string(),
        profile,
        provider: provider.id.clone(),
        expires,
        replaced,
    };
    finished(
        cx,
        request,
        provider,
        (CredentialKind::Token, None),
        outcome,
    )
}
