//! `GET /v1/token`: a valid access token, refreshed first if needed. Never a refresh token.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::auth::named;
use super::board::Snapshot;
use super::caller::{Caller, out_of_scope};
use super::problem::Problem;
use super::state::Gateway;
use super::token_cache::{Token, Wanted};
use crate::model::credential::Kind as CredentialKind;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::time::Timestamp;

/// The longest lifetime that can be asked for, in seconds: a day.
const MOST: u64 = 86_400;

/// Which token is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Parameters {
    provider: Option<String>,
    agent: Option<String>,
    profile: Option<String>,
    /// Seconds that must be left.
    min_valid: Option<u64>,
}

/// The token.
#[derive(Serialize)]
pub(super) struct Answer {
    access_token: String,
    token_type: &'static str,
    #[serde(serialize_with = "super::time::rfc3339")]
    expires_at: Option<Timestamp>,
    provider: ProviderId,
    #[serde(skip_serializing_if = "Option::is_none")]
    profile: Option<ProfileId>,
    account: Option<String>,
    credential_type: CredentialKind,
    /// What is wrong with it although it is still good.
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
}

/// Answers it.
pub(super) async fn token(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    parameters: Result<Query<Parameters>, QueryRejection>,
) -> Result<Json<Answer>, Problem> {
    // The words of the parser are for nobody.
    let Query(parameters) = parameters.map_err(|_| {
        let error = "the parameters are provider, agent, profile and min_valid, each once";
        Problem::bad_request("invalid_parameters", error)
    })?;
    let snapshot = gateway.board.current();
    let (wanted, least) = understand(&gateway, &snapshot, &parameters)?;
    if !caller.scope.covers(&wanted.provider, &wanted.agent) {
        return Err(out_of_scope("this key is not for this provider or agent"));
    }
    let got = gateway.token_of(wanted.clone(), least).await;
    let outcome = got.as_ref().map_or_else(|problem| problem.code, |_| "ok");
    // Of others only the name is known, and it is the caller's own.
    if snapshot.knows(&wanted.provider) {
        gateway.counters.handed_out(&wanted.provider, outcome);
    }
    let token = got?;
    // Which profile it is, a selection may have said only now.
    let is_covered = match &token.profile {
        Some(profile) => caller
            .scope
            .covers_profile(&wanted.provider, &wanted.agent, profile),
        None => caller.scope.profiles.is_empty(),
    };
    if !is_covered {
        return Err(out_of_scope("this key is not for this profile"));
    }
    gateway.audit.note(&caller.id, "token handed out", |entry| {
        entry.agent = Some(wanted.agent.to_string());
        entry.provider = Some(wanted.provider.to_string());
        let profile = token.profile.as_ref();
        entry.profile = profile.map(|profile| profile.as_str().to_owned());
    });
    Ok(Json(answer(&token, &wanted, &snapshot)))
}

fn answer(token: &Token, wanted: &Wanted, snapshot: &Snapshot) -> Answer {
    let state = snapshot.provider(&wanted.provider);
    let profiles = state.iter().flat_map(|state| &state.profiles);
    let mut its = profiles.filter(|state| Some(&state.profile) == token.profile.as_ref());
    Answer {
        access_token: token.bearer.expose().clone(),
        token_type: "Bearer",
        expires_at: token.expires,
        provider: wanted.provider.clone(),
        profile: token.profile.clone(),
        account: its.find_map(|state| state.account.clone()),
        credential_type: token.kind,
        warning: token.warning.clone(),
    }
}

/// What is meant by the parameters, and how long the token must be valid if that was said.
fn understand(
    gateway: &Gateway,
    snapshot: &Snapshot,
    parameters: &Parameters,
) -> Result<(Wanted, Option<Duration>), Problem> {
    let invalid =
        |what: &str| Problem::bad_request("invalid_parameters", format!("{what} is no valid name"));
    let profile = parameters.profile.as_deref().map(named).transpose();
    let profile = profile.map_err(|_| invalid("profile"))?;
    let agent = parameters.agent.as_deref().map(AgentId::normalise);
    let agent = agent.or_else(|| snapshot.agent.clone());
    let agent = agent.ok_or_else(|| gateway.unreadable(snapshot))?;
    let provider = match parameters.provider.as_deref() {
        Some(name) => ProviderId::parse(name).map_err(|_| invalid("provider"))?,
        None => provider_of(snapshot, profile.as_ref())?,
    };
    if parameters.min_valid.is_some_and(|seconds| seconds > MOST) {
        let error = format!("min_valid is {MOST} seconds at most");
        return Err(Problem::bad_request("invalid_parameters", error));
    }
    let least = parameters.min_valid.map(Duration::from_secs);
    Ok((
        Wanted {
            agent,
            provider,
            profile,
        },
        least,
    ))
}

/// The provider of a profile, or the only one that gives a token.
fn provider_of(snapshot: &Snapshot, profile: Option<&ProfileId>) -> Result<ProviderId, Problem> {
    let suits = |state: &&super::board::ProviderState| match profile {
        Some(profile) => state.profiles.iter().any(|it| it.profile == *profile),
        None => state.given.is_token(),
    };
    let mut suitable = snapshot.providers.iter().filter(suits);
    match (suitable.next(), suitable.next()) {
        (Some(only), None) => Ok(only.provider.clone()),
        (Some(_), Some(_)) => {
            let error = "several providers are logged in: name one with the parameter provider";
            Err(Problem::new(StatusCode::CONFLICT, "ambiguous", error))
        }
        (None, _) => {
            let error = "nobody is logged in: connect a provider on the page, or log in on the machine of the gateway";
            Err(Problem::new(
                StatusCode::FAILED_DEPENDENCY,
                "login_needed",
                error,
            ))
        }
    }
}
