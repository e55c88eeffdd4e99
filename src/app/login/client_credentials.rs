//! Client credentials grant: the client requests a token for itself, without a person.

use crate::model::credential::{Credential, Kind as CredentialKind, Token};
use crate::model::hint::{Command, Hint};
use crate::model::provider::{ClientCredentialsFlow, Flow, Provider};
use crate::oauth::client_credentials;
use crate::oauth::error::OAuthError;
use crate::ports::store::Change;

use super::super::failure::{Failure, Kind};
use super::request::{Outcome, Request};
use super::store_login::finished;
use crate::app::context::Context;
use crate::app::credential::profile_id::{ProfileSlot, place_of_client};
use crate::app::issuer::registration::{self, Use};
use crate::app::refresh::client_credentials::{remember, token_of};

/// Requests and stores the token.
pub(super) fn run(
    cx: Context<'_>,
    request: &Request,
    provider: &Provider,
    flow: &ClientCredentialsFlow,
) -> Result<Outcome, Failure> {
    let purpose = Flow::ClientCredentials(flow.clone());
    let client = registration::resolve_with_secret(cx, provider, Use::Login(&purpose))?;
    // Before anything is asked for that could not be kept.
    cx.store.check_writable(&request.agent)?;
    let place = find_place(cx, request, provider)?;
    let now = cx.clock.now();
    let grant = client_credentials::request(cx.http, provider, &client, flow, now)
        .map_err(|error| no_token(request, provider, &error))?;
    cx.tell_skew(grant.skew_warning());
    let token = token_of(provider, &grant);
    store(cx, request, provider, &place, &token)?;
    remember(cx, &request.agent, &place.id, provider, &client);
    let outcome = Outcome {
        account: client.id,
        profile: place.id,
        provider: provider.id.clone(),
        expires: token.expires,
        replaced: place.replaces,
    };
    finished(
        cx,
        request,
        provider,
        (CredentialKind::Token, None),
        outcome,
    )
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
            "{taken} holds something else and stays as it is; this token is stored as {}",
            place.id
        ));
    }
    Ok(place)
}

fn store(
    cx: Context<'_>,
    request: &Request,
    provider: &Provider,
    place: &ProfileSlot,
    token: &Token,
) -> Result<(), Failure> {
    let mut is_stored = false;
    let written = cx.store.update(&request.agent, &mut |document| {
        // Looked at again under the lock: another login may have taken the name meanwhile.
        let still = place_of_client(document, &provider.id, Some(&place.id));
        if still.is_ok_and(|still| still.id == place.id) {
            let mut new = token.clone();
            if let Some(Credential::Token(old)) = document.get(&place.id) {
                new.email.clone_from(&old.email);
                new.extra.clone_from(&old.extra);
            }
            document.put(place.id.clone(), Credential::Token(new));
            is_stored = true;
            return Change::Write;
        }
        Change::Keep
    })?;
    cx.tell_faults(&written);
    if is_stored {
        return Ok(());
    }
    let message = format!("{} was taken by another login a moment ago", place.id);
    Err(Failure::new(Kind::Busy, message).hint(Command::login(&provider.id, None)))
}

fn no_token(request: &Request, provider: &Provider, error: &OAuthError) -> Failure {
    let message = format!("{} gave no token: {error}", provider.name);
    let again = Command::login(&provider.id, request.profile.as_ref());
    match error {
        OAuthError::Refused(refusal) => Failure::new(Kind::Config, message)
            .code(&refusal.code)
            .hint(Hint::from(format!("correct the client of {}, then: ", provider.id)).run(again)),
        _ => Failure::new(Kind::Temporary, message).hint(again),
    }
}
