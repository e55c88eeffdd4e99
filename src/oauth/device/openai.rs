//! OpenAI's own scheme: JSON endpoints, a PKCE pair that the server makes, and an authorization
//! code at the end, which is exchanged as any other.

use std::time::Duration;

use super::authorization::{Approval, DeviceAuthorization};
use super::poll::{DeviceError, Poll};
use super::requests::{DeviceClient, interval, text};
use super::rfc8628::{
    ENDPOINT, Members, checked, is_unavailable, read_error_code, read_poll, sent_with, success_body,
};
use crate::model::provider::{Body, Client};
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::oauth::answer_body::json;
use crate::oauth::code_exchange::{self, Redemption};
use crate::oauth::error::OAuthError;
use crate::oauth::token_request::TokenRequest;
use crate::oauth::token_response::is_success;

/// How long such a code lives; the server does not say.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Asks for a code at `endpoint`; people type it at `page`.
pub(super) fn authorize(
    client: &DeviceClient<'_>,
    endpoint: &str,
    page: &str,
    now: Timestamp,
) -> Result<DeviceAuthorization, DeviceError> {
    let request = TokenRequest::device_authorization(&public(client), endpoint, &[])?;
    let answer = client.send(request, Body::Json).map_err(OAuthError::from)?;
    if answer.status == 404 {
        return Err(DeviceError::SwitchedOff);
    }
    let body = success_body(client, &answer, now)?;
    let device_code = text(&body, "device_auth_id");
    let device_code = device_code.ok_or(DeviceError::Malformed("has no device_auth_id"))?;
    let members = Members {
        device_code: Secret::from(device_code.as_ref()),
        uri: page.into(),
        code_verifier: None,
        lifetime: Some(LIFETIME),
        interval: interval(&body, 1.0, client.flow.interval),
    };
    checked(client, endpoint, &body, members, now)
}

/// The client without its secret, which these endpoints do not ask for.
fn public(client: &DeviceClient<'_>) -> Client {
    Client {
        secret: None,
        ..client.client.clone()
    }
}

/// Polls once, and exchanges the code that an approval brings. `to` are the endpoint and the
/// redirect URI.
pub(super) fn poll(
    client: &DeviceClient<'_>,
    authorization: &mut DeviceAuthorization,
    to: (&str, &str),
    now: Timestamp,
) -> Result<Poll, Poll> {
    let (endpoint, redirect) = to;
    let approval = match authorization.approval.take() {
        Some(approval) => approval,
        None => ask_approval(client, authorization, endpoint, now)?,
    };
    let approval = authorization.approval.insert(approval);
    Ok(exchange(client, approval, redirect, now))
}

/// Returns the approval, or what else a poll brings. 403 and 404 mean that there is no
/// answer yet.
fn ask_approval(
    client: &DeviceClient<'_>,
    authorization: &DeviceAuthorization,
    endpoint: &str,
    now: Timestamp,
) -> Result<Approval, Poll> {
    let request = TokenRequest::device_code(&public(client), &authorization.device_code)?
        .to(endpoint)
        .without("grant_type")
        .without("client_id")
        .rename("device_code", "device_auth_id")
        .with("user_code", &authorization.user_code);
    let answer = client.send(request, Body::Json)?;
    if let Some(poll) = read_error_code(&answer, &sent_with(client, authorization)) {
        return Err(poll);
    }
    if matches!(answer.status, 403 | 404) {
        return Err(Poll::Pending);
    }
    if !is_success(&answer) {
        return Err(read_poll(client, authorization, answer, now));
    }
    let body = json(&answer);
    let secret = |name| text(&body, name).map(|text| Secret::from(text.as_ref()));
    match (secret("authorization_code"), secret("code_verifier")) {
        (Some(code), Some(code_verifier)) => Ok(Approval {
            code,
            code_verifier,
        }),
        _ => {
            let missing = format!("the {ENDPOINT} returned no authorization code");
            Err(OAuthError::unexpected(&missing).into())
        }
    }
}

/// A code that was surely not seen by the token endpoint is as good as before.
fn exchange(
    client: &DeviceClient<'_>,
    approval: &Approval,
    redirect: &str,
    now: Timestamp,
) -> Poll {
    let redemption = Redemption {
        code: &approval.code,
        code_verifier: &approval.code_verifier,
        redirect_uri: redirect,
        state: None,
    };
    match code_exchange::redeem(
        client.http,
        client.provider,
        client.client,
        &redemption,
        now,
    ) {
        Ok(grant) => Poll::Grant(Box::new(grant)),
        Err(OAuthError::Transient {
            reason,
            retry_after,
            status,
        }) if status.is_none_or(is_unavailable) => Poll::Unavailable {
            reason,
            retry_after,
        },
        Err(OAuthError::WebPage {
            reason,
            retry_after,
        }) => Poll::Unavailable {
            reason,
            retry_after,
        },
        Err(error) => error.into(),
    }
}
