//! Client credentials: the client asks for a token for itself, and nobody is needed for it.

use crate::model::credential::{Credential, Kind as CredentialKind, Token};
use crate::model::provider::{ClientCredentialsFlow, Flow, Provider};
use crate::oauth::client_credentials;
use crate::oauth::error::OAuthError;
use crate::ports::dialog::Notice;
use crate::ports::store::Change;

use super::super::client::{self, Use};
use super::super::failure::{Failure, Kind, login_command};
use super::super::naming::{Place, place_of_client};
use super::super::{Ports, renew};
use super::{Outcome, Request, finished};

/// Asks, and stores the token.
pub(super) fn run(
    ports: Ports<'_>,
    request: &Request,
    provider: &Provider,
    flow: &ClientCredentialsFlow,
) -> Result<Outcome, Failure> {
    let purpose = Flow::ClientCredentials(flow.clone());
    let client = client::resolve_with_secret(ports, provider, Use::Login(&purpose))?;
    // Before anything is asked for that could not be kept.
    ports.store.rehearse(&request.agent)?;
    let place = find_place(ports, request, provider)?;
    let now = ports.clock.now();
    let grant = client_credentials::request(ports.http, provider, &client, flow, now)
        .map_err(|error| no_token(request, provider, &error))?;
    ports.tell_skew(grant.skew_warning());
    let token = renew::token_of(provider, &grant);
    store(ports, request, provider, &place, &token)?;
    renew::remember(ports, &request.agent, &place.id, provider, &client);
    let outcome = Outcome {
        account: client.id,
        profile: place.id,
        provider: provider.id.clone(),
        expires: token.expires,
        replaced: place.replaces,
    };
    finished(
        ports,
        request,
        provider,
        (CredentialKind::Token, None),
        outcome,
    )
}

fn find_place(ports: Ports<'_>, request: &Request, provider: &Provider) -> Result<Place, Failure> {
    let document = ports.names(&request.agent)?;
    let place = place_of_client(&document, &provider.id, request.profile.as_ref())?;
    if let Some(taken) = &place.taken {
        ports.dialog.notice(&Notice::Warning(format!(
            "{taken} holds something else and stays as it is; this token is stored as {}",
            place.id
        )));
    }
    Ok(place)
}

fn store(
    ports: Ports<'_>,
    request: &Request,
    provider: &Provider,
    place: &Place,
    token: &Token,
) -> Result<(), Failure> {
    let mut is_stored = false;
    let written = ports.store.update(&request.agent, &mut |document| {
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
    ports.tell_faults(&written);
    if is_stored {
        return Ok(());
    }
    let message = format!("{} was taken by another login a moment ago", place.id);
    Err(Failure::new(Kind::Busy, message).hint(login_command(&provider.id, None, false)))
}

fn no_token(request: &Request, provider: &Provider, error: &OAuthError) -> Failure {
    let message = format!("{} gave no token: {error}", provider.name);
    let again = login_command(&provider.id, request.profile.as_ref(), false);
    match error {
        OAuthError::Refused(refusal) => Failure::new(Kind::Config, message)
            .code(&refusal.code)
            .hint(format!(
                "correct the client of {}, then: {again}",
                provider.id
            )),
        _ => Failure::new(Kind::Temporary, message).hint(again),
    }
}
