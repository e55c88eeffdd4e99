//! OpenAI's own scheme: JSON endpoints, a PKCE pair that the server makes, and an authorization
//! code at the end, which is exchanged as any other.

use std::time::Duration;

use super::standard::{ENDPOINT, Named, begun, by_code, is_in_trouble, judge, understood};
use super::wire::{interval, text};
use super::{Begun, Device, DeviceError, Poll, trouble};
use crate::model::provider::{Body, DeviceScheme};
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::oauth::dialect::is_success;
use crate::oauth::error::OAuthError;
use crate::oauth::grant::{self, Redeemed};
use crate::oauth::token_request::json;

/// How long such a code lives; the server does not say.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// What the person's yes brought; the verifier is the server's.
#[derive(Debug)]
pub(super) struct Approved {
    code: Secret<String>,
    verifier: Secret<String>,
}

/// Asks for a code.
pub(super) fn begin(
    device: &Device<'_>,
    endpoint: &str,
    now: Timestamp,
) -> Result<Begun, DeviceError> {
    let pairs = [("client_id", device.client.id.as_str())];
    let answer = device.post(endpoint, Body::Json, &pairs, Vec::new());
    if let Ok(answer) = &answer
        && answer.status == 404
    {
        return Err(DeviceError::SwitchedOff {
            status: answer.status,
        });
    }
    let answer = understood(answer, now, is_success)?;
    let body = json(&answer);
    let missing = DeviceError::Malformed("holds no device_auth_id");
    let DeviceScheme::ServerPkce { verification, .. } = &device.flow.scheme else {
        return Err(missing);
    };
    begun(
        device,
        endpoint,
        &body,
        Named {
            code: Secret::from(text(&body, "device_auth_id").ok_or(missing)?),
            uri: verification,
            verifier: None,
            lifetime: Some(LIFETIME),
            interval: interval(&body, 1.0, device.flow.interval),
        },
        now,
    )
}

/// Asks once, and exchanges the code that a yes brings. `to` are the endpoint and the redirect URI.
pub(super) fn poll(
    device: &Device<'_>,
    begun: &mut Begun,
    to: (&str, &str),
    now: Timestamp,
) -> Poll {
    let (endpoint, redirect) = to;
    if begun.approved.is_none() {
        match approval(device, begun, endpoint, now) {
            Ok(approved) => begun.approved = Some(approved),
            Err(poll) => return poll,
        }
    }
    let Some(approved) = begun.approved.as_ref() else {
        return Poll::Pending;
    };
    exchange(device, approved, redirect, now)
}

/// What the person's yes brought, or what else a poll brings. 403 and 404 mean that there is no
/// answer yet.
fn approval(
    device: &Device<'_>,
    begun: &Begun,
    endpoint: &str,
    now: Timestamp,
) -> Result<Approved, Poll> {
    let pairs = [
        ("device_auth_id", begun.code.expose().as_str()),
        ("user_code", begun.user_code.as_str()),
    ];
    let answer = device.post(endpoint, Body::Json, &pairs, Vec::new());
    let answer = answer.map_err(trouble)?;
    if let Some(poll) = by_code(&answer) {
        return Err(poll);
    }
    if matches!(answer.status, 403 | 404) {
        return Err(Poll::Pending);
    }
    if !is_success(&answer) {
        return Err(judge(device, begun, answer, now));
    }
    let body = json(&answer);
    let secret = |name| text(&body, name).map(Secret::from);
    match (secret("authorization_code"), secret("code_verifier")) {
        (Some(code), Some(verifier)) => Ok(Approved { code, verifier }),
        _ => {
            let reason = format!("the {ENDPOINT} answered without an authorization code");
            Err(Poll::Failed(OAuthError::Unexpected { reason }.into()))
        }
    }
}

/// A code that was surely not seen by the token endpoint is as good as before.
fn exchange(device: &Device<'_>, approved: &Approved, redirect: &str, now: Timestamp) -> Poll {
    let redeemed = Redeemed {
        code: &approved.code,
        verifier: &approved.verifier,
        redirect_uri: redirect,
        state: None,
    };
    match grant::redeem(device.http, device.provider, device.client, &redeemed, now) {
        Ok(grant) => Poll::Grant(Box::new(grant)),
        Err(OAuthError::Passing {
            reason,
            retry_after,
            status,
        }) if status.is_none_or(is_in_trouble) => Poll::Trouble {
            reason,
            retry_after,
        },
        Err(error) => Poll::Failed(error.into()),
    }
}
