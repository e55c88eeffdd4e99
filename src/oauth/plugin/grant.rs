//! What a program gave: from its line to a grant, and to whose it is.

use std::time::Duration;

use serde_json::Value;

use super::message::ORIGIN;
use crate::model::json::{Extra, Verbatim};
use crate::model::provider::{Account, ClaimPath, ClaimSource};
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::oauth::answer_body;
use crate::oauth::error::OAuthError;
use crate::oauth::grant::Grant;
use crate::oauth::lifetime;
use crate::oauth::token_response::less_margin;

/// The members of a credential that are told in other ways, or that decide where it goes.
const RESERVED: [&str; 15] = [
    "type",
    "mode",
    "provider",
    "access",
    "refresh",
    "expires",
    "accountId",
    "email",
    "key",
    "apiKey",
    "keyRef",
    "token",
    "tokenRef",
    "oauthRef",
    ORIGIN,
];

/// Understands the line with which a program gave a grant. `now` is the moment before it was asked,
/// and `baked` is subtracted from the expiry.
///
/// # Errors
/// Fails if there is no access token in it.
pub fn grant(line: Secret<Vec<u8>>, now: Timestamp, baked: Duration) -> Result<Grant, OAuthError> {
    let body = answer_body::read(line.expose());
    let secret = |name: &str| {
        let text = body.get(name)?.as_str()?;
        (!text.trim().is_empty()).then(|| Secret::from(text))
    };
    // Whatever is wrong with the access token, the line may hold the only living refresh token.
    let Some(access) = secret("access_token") else {
        let missing = "the program returned no access token";
        return Err(OAuthError::not_understood(missing));
    };
    if let Some(fault) = access.bearer_fault() {
        let reason = format!("the access token of the program {}", fault.words());
        return Err(OAuthError::not_understood(&reason));
    }
    let given = |name: &str| body.get(name).filter(|value| !value.is_null());
    let told = given("expires_at").or(given("expires_in"));
    let ends = lifetime::end(told, &access, None, now);
    Ok(Grant {
        refresh: secret("refresh_token"),
        id_token: secret("id_token"),
        expires: ends.map(|ends| less_margin(ends, now, baked)),
        clock_skew: None,
        nonce: None,
        extra: fields(&body),
        response: line,
        access,
    })
}

fn fields(body: &Value) -> Extra {
    let members = body.get("fields").and_then(Value::as_object).into_iter();
    let members = members.flatten();
    let members = members.filter(|(name, _)| !RESERVED.contains(&name.as_str()));
    let kept = members.map(|(name, value)| (name.clone(), Verbatim::new(value.to_string())));
    Extra(kept.collect())
}

/// Returns where to find the account of a login: in the program's line, else where the manifest
/// says.
pub fn account(manifest: &Account) -> Account {
    let told = |pointer: &str, rest: &[ClaimPath]| {
        let first = ClaimPath {
            source: ClaimSource::Response,
            pointer: pointer.to_owned(),
        };
        std::iter::once(first).chain(rest.iter().cloned()).collect()
    };
    Account {
        id: told("/account/id", &manifest.id),
        email: told("/account/email", &manifest.email),
        plan: told("/account/plan", &manifest.plan),
        required: manifest.required,
        userinfo: None,
        keep: manifest.keep.clone(),
        client_id_as: None,
    }
}
