//! Verification of a login: whether a token response belongs to it, and whose it is, by the ID
//! token and the userinfo endpoint.
//!
//! At a login a wrong ID token ends it, before anything is stored; one that cannot be checked now
//! leaves it for later. After a refresh it only ends in a warning: the old refresh token is spent by
//! then, and its successor must be kept.

use serde_json::Value;

use crate::model::grant::GrantRecord;
use crate::model::hint::{Command, Hint};
use crate::model::id::ProfileId;
use crate::model::provider::{Client, IdTokenCheck, Provider};
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::oauth::grant::Grant;
use crate::oauth::id_token::{self, Expected};
use crate::oauth::{claims, jwks, userinfo};

use super::metadata_cache::Issuer;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};

/// What is known of the account beside the tokens.
#[derive(Default)]
pub(in crate::app) struct Proof {
    /// `sub` of the verified ID token.
    pub(in crate::app) subject: Option<String>,
    /// The userinfo response.
    pub(in crate::app) userinfo: Option<Value>,
}

/// Verifies the token response of a login.
///
/// # Errors
/// [`Kind::NeedsLogin`] if the ID token is not about this login, [`Kind::Temporary`] if its
/// signature cannot be checked now. Nothing is stored then, and the code is spent; in the second
/// case the saved answer is checked by a later command.
pub(in crate::app) fn prove(
    cx: Context<'_>,
    provider: &Provider,
    client: &Client,
    grant: &Grant,
) -> Result<Proof, Failure> {
    let subject = check(cx, provider, client, grant)?;
    let unchecked = || grant.id_token.as_ref().and_then(claims::subject);
    let endpoint = provider.account.userinfo.as_ref();
    let endpoint = endpoint.or(client.userinfo.as_ref());
    let endpoint = endpoint.filter(|_| claims::needs_userinfo(&provider.account, grant));
    let userinfo = endpoint.and_then(|endpoint| {
        let subject = subject.clone().or_else(unchecked);
        let told = userinfo::ask(cx.http, endpoint, &grant.access, subject.as_deref());
        told.map_err(|why| {
            cx.warn(format!(
                "could not ask {} for the account of this login: {why}",
                provider.name
            ));
        })
        .ok()
    });
    Ok(Proof { subject, userinfo })
}

fn check(
    cx: Context<'_>,
    provider: &Provider,
    client: &Client,
    grant: &Grant,
) -> Result<Option<String>, Failure> {
    let issuer = client.issuer.as_deref();
    let (Some(issuer), false) = (issuer, provider.id_token == IdTokenCheck::None) else {
        return Ok(None);
    };
    let refused = |why: &str| {
        let message = format!(
            "the ID token of {} {why}; nothing was saved, log in again",
            provider.name
        );
        Failure::new(Kind::NeedsLogin, message).hint(Command::login(&provider.id, None))
    };
    let Some(token) = &grant.id_token else {
        let is_needed = grant.nonce.is_some() || provider.id_token == IdTokenCheck::Signature;
        return match is_needed {
            true => Err(refused("is missing")),
            false => Ok(None),
        };
    };
    let here = cx.clock.now().0;
    // Its moments are those of the server's clock; a clock here that is wrong is told of elsewhere.
    let now = Timestamp(here.saturating_add(grant.clock_skew.unwrap_or(0)));
    let expected = Expected {
        issuer,
        client_id: &client.id,
        nonce: grant.nonce.as_ref(),
        now,
    };
    let subject = id_token::check(token, &expected).map_err(|error| refused(&error.to_string()))?;
    if provider.id_token == IdTokenCheck::Signature {
        let checked = check_signature(cx, provider, client, token);
        checked.map_err(|(kind, why)| match kind {
            Kind::NeedsLogin => refused(&why),
            _ => Failure::new(kind, format!("the ID token of {} {why}", provider.name)),
        })?;
    }
    Ok(Some(subject))
}

/// Fetches the keys that a signature will be checked by, while nothing is spent yet. Without them
/// the check fetches them.
pub(in crate::app) fn fetch_keys(cx: Context<'_>, provider: &Provider, client: &Client) {
    if provider.id_token == IdTokenCheck::Signature
        && let (Some(address), Some(issuer)) = (&client.jwks, Issuer::of(cx, provider))
        && let Err(why) = issuer.keys(address, false)
    {
        tracing::info!(%address, %why, "the keys of an issuer could not be fetched");
    }
}

/// Verifies a signature. Issuers rotate their keys: if the cached ones do not fit they are fetched
/// once more. Fails with the reason, in words that follow "the ID token".
fn check_signature(
    cx: Context<'_>,
    provider: &Provider,
    client: &Client,
    token: &Secret<String>,
) -> Result<(), (Kind, String)> {
    let wrong = |why: String| (Kind::NeedsLogin, format!("is not accepted: {why}"));
    let (Some(address), Some(issuer)) = (&client.jwks, Issuer::of(cx, provider)) else {
        return Err(wrong("the issuer metadata has no keys".to_owned()));
    };
    let keys = |anew| {
        let keys = issuer.keys(address, anew);
        keys.map_err(|why| {
            let why = format!("could not be checked: {address}: {why}");
            (Kind::Temporary, why)
        })
    };
    let (set, is_new) = keys(false)?;
    let mut verified = jwks::verify(token, &set);
    if verified.is_err() && !is_new {
        verified = jwks::verify(token, &keys(true)?.0);
    }
    verified.map_err(|error| wrong(error.to_string()))
}

/// Warns if the token response of a refresh, which is stored by now, belongs to another login
/// (OpenID Connect Core section 12.2).
pub(in crate::app) fn doubt(
    cx: Context<'_>,
    provider: &Provider,
    profile: &ProfileId,
    record: Option<&GrantRecord>,
    id_token: Option<Secret<String>>,
) {
    let issuer = (provider.registration.as_ref()).and_then(|r| r.issuer.as_deref());
    let binding = record.and_then(|record| record.binding.as_ref());
    let (Some(issuer), Some(binding), Some(token)) = (issuer, binding, id_token) else {
        return;
    };
    if provider.id_token == IdTokenCheck::None {
        return;
    }
    let subject = record.and_then(|record| record.subject.as_deref());
    let is_us = |id: &str| binding.is_to_client(id);
    if let Err(why) = id_token::check_renewed(&token, (issuer, &is_us), subject) {
        let warning = format!(
            "{profile} was refreshed and stored, but its new ID token {why}. Check the account, or log in again: "
        );
        cx.warn(Hint::from(warning).run(Command::login(&provider.id, Some(profile))));
    }
}
