//! Client credentials grant: the client requests a token for itself, without a person.

use crate::model::credential::Credential;
use crate::model::hint::{Command, Hint};
use crate::model::profiles::AuthProfiles;
use crate::model::provider::{ClientCredentialsFlow, Flow, Provider};
use crate::oauth::client_credentials;
use crate::oauth::error::OAuthError;

use super::super::failure::{Failure, Kind};
use super::request::Request;
use crate::app::context::Context;
use crate::app::credential::profile_id::{ProfileSlot, place_of_client};
use crate::app::deposit::StoredProfile;
use crate::app::issuer::registration::{self, Use};
use crate::app::refresh::client_credentials::{remember, token_of};

/// Requests and stores the token.
pub(super) fn run(
    cx: Context<'_>,
    request: &Request,
    provider: &Provider,
    flow: &ClientCredentialsFlow,
) -> Result<StoredProfile, Failure> {
    let purpose = Flow::ClientCredentials(flow.clone());
    let client = registration::resolve_with_secret(cx, provider, Use::Login(&purpose))?;
    // Before anything is asked for that could not be kept.
    cx.store.check_writable(&request.agent)?;
    let place = find_place(cx, request, provider)?;
    let now = cx.clock.now();
    let grant = client_credentials::request(cx.http, provider, &client, flow, now)
        .map_err(|error| no_token(request, provider, &error))?;
    cx.tell_skew(grant.skew_warning());
    let new = Credential::Token(token_of(provider, &grant));
    let stored = StoredProfile {
        profile: place.id,
        provider: provider.id.clone(),
        kind: new.kind(),
        account: Some(client.id.clone()),
        expires: grant.expires,
        replaced: place.replaces,
    };
    let id = &stored.profile;
    let is_free = |document: &AuthProfiles| {
        let still = place_of_client(document, &provider.id, Some(id));
        still.is_ok_and(|still| still.id == *id)
    };
    stored.store(cx, &request.agent, &new, &is_free)?;
    remember(cx, &request.agent, id, provider, &client);
    stored.finish(cx, None, request.default_model(provider))?;
    Ok(stored)
}

fn find_place(
    cx: Context<'_>,
    request: &Request,
    provider: &Provider,
) -> Result<ProfileSlot, Failure> {
    let document = cx.names(&request.agent)?;
    let place = place_of_client(&document, &provider.id, request.profile.as_ref())?;
    if let Some(taken) = &place.taken {
        cx.warn(format!(
            "{taken} already holds another credential and is unchanged; saving this token as {}",
            place.id
        ));
    }
    Ok(place)
}

fn no_token(request: &Request, provider: &Provider, error: &OAuthError) -> Failure {
    let message = format!("{} issued no token: {error}", provider.name);
    let again = Command::login(&provider.id, request.profile.as_ref());
    match error {
        OAuthError::Refused(refusal) => Failure::new(Kind::Config, message)
            .code(&refusal.code)
            .hint(
                Hint::from(format!(
                    "correct the OAuth client of {}, then run: ",
                    provider.id
                ))
                .run(again),
            ),
        _ => Failure::new(Kind::Temporary, message).hint(again),
    }
}
