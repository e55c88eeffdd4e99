//! The server that revokes a login: its provider's revocation endpoint, or the plugin that issued
//! it.

use std::path::PathBuf;

use crate::model::credential::{Credential, OAuth};
use crate::model::grant::{Binding, GrantRecord, Refusal};
use crate::model::hint::Command;
use crate::model::id::ProfileId;
use crate::model::provider::{Client, Provider};
use crate::model::secret::Secret;
use crate::model::time::short_duration;
use crate::oauth::error::OAuthError;
use crate::oauth::plugin::Program;
use crate::oauth::revoke::{self, TokenTypeHint};

use super::super::failure::{Failure, Kind, StoreEffect};
use crate::app::context::Context;
use crate::app::issuer::plugin;
use crate::app::issuer::registration::{self, Use};
use crate::app::refresh::binding;

/// What a logout without `--revoke` does.
const ONLY_HERE: &str = "logout without --revoke removes it from this machine only";

pub(super) fn unsupported(profile: &ProfileId, why: &str) -> Failure {
    let message = format!("{profile} cannot be revoked: {why}; {ONLY_HERE}");
    Failure::new(Kind::Config, message).hint(Command::logout(profile))
}

/// The server that revokes.
pub(super) enum Server {
    /// A revocation endpoint, and the client for it.
    Endpoint(Box<Client>, String),
    /// The plugin that issued the login.
    Program(PathBuf),
}

impl Server {
    /// Determines the server for a login.
    pub(super) fn of(
        cx: Context<'_>,
        provider: &Provider,
        (profile, credential): (&ProfileId, &Credential),
    ) -> Result<Self, Failure> {
        if let Some(origin) = credential.as_oauth().and_then(plugin::origin) {
            plugin::check(cx, provider, &origin)?;
            return Ok(Self::Program(origin));
        }
        if provider.registration.is_none() {
            let why = format!("the manifest of {} has no OAuth client", provider.id);
            return Err(unsupported(profile, &why));
        }
        let client = registration::resolve(cx, provider, Use::Revocation)?;
        match client.revoke.clone() {
            Some(endpoint) => Ok(Self::Endpoint(Box::new(client), endpoint)),
            None => {
                let why = format!("{} has no known revocation endpoint", provider.name);
                Err(unsupported(profile, &why))
            }
        }
    }

    /// Returns its address, for people.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Endpoint(_, endpoint) => endpoint.clone(),
            Self::Program(path) => path.display().to_string(),
        }
    }

    /// Returns the binding that a grant must have to go there.
    pub(super) fn binding(&self) -> Binding {
        match self {
            Self::Endpoint(client, _) => client.binding(),
            Self::Program(path) => Binding::to_program(&path.to_string_lossy()),
        }
    }

    /// Fails if the grant was issued elsewhere.
    pub(super) fn check(
        &self,
        profile: &ProfileId,
        provider: &Provider,
        record: &GrantRecord,
    ) -> Result<(), Failure> {
        binding::check(provider, &self.binding(), Some(record)).map_err(|failure| Failure {
            subject: Some(profile.clone()),
            message: format!("is not revoked: {}", failure.message),
            ..failure
        })?;
        match self {
            Self::Endpoint(_, endpoint) => {
                binding::check_revocation(profile, provider, endpoint, record)
            }
            Self::Program(_) => Ok(()),
        }
    }

    /// Sends the request to revoke a token.
    pub(super) fn ask(
        &self,
        cx: Context<'_>,
        provider: &Provider,
        credential: &Credential,
        token: (&Secret<String>, TokenTypeHint),
    ) -> Result<(), OAuthError> {
        match self {
            Self::Endpoint(client, endpoint) => {
                let server = (&provider.dialect, &**client);
                revoke::revoke(cx.http, server, endpoint, token, cx.clock.now())
            }
            Self::Program(path) => {
                let program = plugin::speaker(cx, &provider.id, path);
                let login = credential.as_oauth();
                login.map_or(Ok(()), |login| ask_program(&program, login))
            }
        }
    }

    /// Whether the access token is revoked on its own. A plugin gets both tokens at once.
    pub(super) fn takes_one_token(&self) -> bool {
        matches!(self, Self::Endpoint(..))
    }
}

fn ask_program(program: &Program<'_>, login: &OAuth) -> Result<(), OAuthError> {
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
        OAuthError::Transient { reason, .. } | OAuthError::Unsupported { reason } => {
            let wait = error.retry_after().map_or_else(String::new, |wait| {
                let millis = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
                format!("; retry in {}", short_duration(millis))
            });
            Failure::new(Kind::Temporary, not(&format!("{reason}{wait}"))).hint(again)
        }
        OAuthError::Unknown { reason } | OAuthError::Unexpected { reason } => {
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
    let Refusal {
        code,
        description,
        status,
    } = refusal;
    match (description.as_str(), status) {
        // A program answers without HTTP.
        (words, 0) => format!("{code}: {words}"),
        ("", status) => format!("the server returned {code} (HTTP {status})"),
        (words, status) => format!("the server returned {code}: {words} (HTTP {status})"),
    }
}
