//! The server that revokes a login: its provider's revocation endpoint, or the plugin that issued
//! it. What it answers, for people.

use crate::model::credential::{Credential, OAuth};
use crate::model::grant::Refusal;
use crate::model::hint::Command;
use crate::model::id::ProfileId;
use crate::model::provider::Provider;
use crate::model::time::short_duration;
use crate::oauth::error::OAuthError;
use crate::oauth::plugin::Program;

use super::super::failure::{Failure, Kind, StoreEffect};
use crate::app::context::Context;
use crate::app::issuer::plugin;
use crate::app::issuer::registration::{self, Use};
use crate::app::refresh::target::Route;

/// What a logout without `--revoke` does.
const ONLY_HERE: &str = "logout without --revoke removes it from this machine only";

pub(super) fn unsupported(profile: &ProfileId, why: &str) -> Failure {
    let message = format!("{profile} cannot be revoked: {why}; {ONLY_HERE}");
    Failure::new(Kind::Config, message).hint(Command::logout(profile))
}

/// Determines the server for a login: the revocation endpoint, or the plugin that issued it.
pub(super) fn route(
    cx: Context<'_>,
    provider: &Provider,
    (profile, credential): (&ProfileId, &Credential),
) -> Result<Route, Failure> {
    if let Some(origin) = credential.as_oauth().and_then(plugin::origin) {
        plugin::check(cx, provider, &origin)?;
        return Ok(Route::Program(origin));
    }
    if provider.registration.is_none() {
        let why = format!("the manifest of {} has no OAuth client", provider.id);
        return Err(unsupported(profile, &why));
    }
    let client = registration::resolve(cx, provider, Use::Revocation)?;
    if client.revoke.is_none() {
        let why = format!("{} has no known revocation endpoint", provider.name);
        return Err(unsupported(profile, &why));
    }
    Ok(Route::Endpoint(Box::new(client)))
}

/// Returns its address, for people.
pub(super) fn address(route: &Route) -> String {
    match route {
        Route::Endpoint(client) => client.revoke.clone().unwrap_or_default(),
        Route::Program(path) => path.display().to_string(),
    }
}

/// Has the plugin revoke a login.
pub(super) fn ask_program(program: &Program<'_>, login: &OAuth) -> Result<(), OAuthError> {
    program.revoke(login).or_else(|error| match error {
        // It is dead already: as good as revoked.
        OAuthError::Refused(refusal) if refusal.code != "unsupported_request" => Ok(()),
        error => Err(error),
    })
}

/// Makes the failure for a login that is not known to be revoked.
pub(super) fn failure(profile: &ProfileId, error: &OAuthError) -> Failure {
    let again = Command::logout(profile).arg("--revoke");
    let not = |why: &str| format!("{profile} was not revoked: {why}");
    match error {
        OAuthError::Unsupported { reason } => Failure::new(Kind::Config, not(reason)).hint(again),
        OAuthError::Transient { reason, .. } | OAuthError::WebPage { reason, .. } => {
            let wait = error.retry_after().map_or_else(String::new, |wait| {
                let millis = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
                format!("; retry in {}", short_duration(millis))
            });
            Failure::new(Kind::Temporary, not(&format!("{reason}{wait}"))).hint(again)
        }
        OAuthError::Unknown { reason }
        | OAuthError::NotUnderstood { reason }
        | OAuthError::Unexpected { reason } => {
            let message = format!("{profile} may or may not be revoked: {reason}");
            Failure::new(Kind::Temporary, message)
                .touched(StoreEffect::MaybeSpent)
                .hint(again)
        }
        OAuthError::Refused(refusal) => {
            let why = format!("{}; {ONLY_HERE}", answer(refusal));
            Failure::new(Kind::Config, not(&why))
                .code(&refusal.code)
                .hint(Command::logout(profile))
        }
    }
}

fn answer(refusal: &Refusal) -> String {
    match refusal.status {
        // A program answers without HTTP.
        0 => refusal.words(),
        status => format!("the server returned {} (HTTP {status})", refusal.words()),
    }
}
