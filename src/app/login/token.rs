//! A login that ends in a long-lived token: nothing refreshes it, and it does not tell whose it is.

use crate::model::id::ProfileId;
use crate::model::provider::{DeviceFlow, Provider};
use crate::oauth::grant::Grant;
use crate::ports::dialog::Notice;
use crate::ports::store::Scope;

use super::super::failure::Failure;
use super::super::{Ports, paste};
use super::{Outcome, Request, set_default};

/// Where it will be stored.
pub(super) fn profile(
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

/// Whether something is stored there.
fn is_taken(ports: Ports<'_>, request: &Request, profile: &ProfileId) -> bool {
    let document = ports.store.load(&request.agent, Scope::Profile(profile));
    document.is_ok_and(|document| document.get(profile).is_some())
}

/// Says before a person goes to the trouble that a stored token will go.
pub(super) fn announce(
    ports: Ports<'_>,
    request: &Request,
    provider: &Provider,
    flow: &DeviceFlow,
) -> Result<(), Failure> {
    let profile = profile(request, provider, flow)?;
    if !request.yes && is_taken(ports, request, &profile) {
        let text = format!("{profile} exists; the new token will take its place");
        ports.dialog.notice(&Notice::Info(text));
    }
    Ok(())
}

/// Stores it.
pub(super) fn keep(
    ports: Ports<'_>,
    request: &Request,
    provider: &Provider,
    flow: &DeviceFlow,
    grant: Grant,
) -> Result<Outcome, Failure> {
    let profile = profile(request, provider, flow)?;
    ports.tell_skew(grant.skew_warning());
    let outcome = Outcome {
        account: profile.to_string(),
        replaced: is_taken(ports, request, &profile),
        profile,
        provider: provider.id.clone(),
        expires: grant.expires,
    };
    paste::store_token(
        ports,
        &request.agent,
        &paste::Kept {
            profile: &outcome.profile,
            provider: &outcome.provider,
            token: grant.access,
            expires: outcome.expires,
        },
    )?;
    set_default(ports, request, provider)?;
    Ok(outcome)
}
