//! Client credentials grant: the client requests a token for itself, without a person.

use crate::model::credential::Credential;
use crate::model::hint::Hint;
use crate::model::id::ProfileId;
use crate::model::provider::{Client, ClientCredentialsFlow};
use crate::oauth::client_credentials;
use crate::oauth::error::OAuthError;

use super::super::failure::{Failure, Kind};
use super::request::{Login, not_granted};
use crate::app::credential::profile_id::place_of_client;
use crate::app::deposit::StoredProfile;
use crate::app::refresh::client_credentials::{remember, token_of};

/// Requests and stores the token.
pub(super) fn run(
    login: Login<'_>,
    client: &Client,
    flow: &ClientCredentialsFlow,
) -> Result<StoredProfile, Failure> {
    let Login {
        cx,
        request,
        provider,
        ..
    } = login;
    // Before anything is asked for that could not be kept.
    cx.store.check_writable(&request.agent)?;
    let profile = choose_profile(login)?;
    let now = cx.clock.now();
    let grant = client_credentials::request(cx.http, provider, client, flow, now)
        .map_err(|error| no_token(login, &error))?;
    cx.tell_skew(grant.skew_warning());
    let new = Credential::Token(token_of(provider, &grant));
    let stored = login.store(profile, Some(client.id.clone()), &new, None)?;
    remember(cx, &request.agent, &stored.profile, provider, client);
    login.finish(stored, None)
}

fn choose_profile(login: Login<'_>) -> Result<ProfileId, Failure> {
    let document = login.cx.names(&login.request.agent)?;
    let wanted = login.request.profile.as_ref();
    let place = place_of_client(&document, &login.provider.id, wanted);
    if let Some(taken) = &place.taken {
        login.cx.warn(format!(
            "{taken} already holds another credential and is unchanged; saving this token as {}",
            place.id
        ));
    }
    Ok(place.id)
}

fn no_token(login: Login<'_>, error: &OAuthError) -> Failure {
    let what = format!("{} issued no token", login.provider.name);
    let correct = format!(
        "correct the OAuth client of {}, then run: ",
        login.provider.id
    );
    match error {
        OAuthError::Refused(_) => {
            let hint = Hint::from(correct).run(login.again());
            not_granted(Kind::Config, &what, error).hint(hint)
        }
        _ => not_granted(Kind::Temporary, &what, error).hint(login.again()),
    }
}
