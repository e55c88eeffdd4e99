//! `GET /v1/credentials`: every provider and its accounts, without their secrets.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::board::{Given, ProfileState, ProviderState};
use super::caller::Caller;
use super::problem::Problem;
use super::state::Gateway;
use crate::app::failure::Failure;
use crate::app::gateway::provider::CHATGPT;
use crate::model::id::ProviderId;
use crate::model::provider::{Flow, Provider};

/// The providers.
#[derive(Serialize)]
pub(super) struct Answer {
    revision: u64,
    /// Why this is older than it should be.
    #[serde(skip_serializing_if = "Option::is_none")]
    fault: Option<String>,
    providers: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    provider: ProviderId,
    name: String,
    /// How a person logs in: `oauth`, `token` or `api_key`; `null` where that is not known.
    method: Option<&'static str>,
    /// Whether the page can log in to it.
    connect: bool,
    /// Whether a token can be had now.
    usable: bool,
    /// Why none can.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    profiles: Vec<ProfileState>,
}

/// Answers it.
pub(super) async fn credentials(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<Json<Answer>, Problem> {
    let snapshot = gateway.board.current();
    let mut states: Vec<ProviderState> = snapshot.providers.clone();
    // Even if nothing is stored for it: it is what the page is for.
    if let Ok(offered) = ProviderId::parse(CHATGPT)
        && snapshot.provider(&offered).is_none()
    {
        states.insert(
            0,
            ProviderState {
                provider: offered,
                given: Given::Nothing,
                profiles: Vec::new(),
            },
        );
    }
    let agent = snapshot.agent.clone();
    states.retain(|state| {
        let agent = agent.as_ref();
        agent.is_none_or(|agent| caller.scope.covers(&state.provider, agent))
    });
    let described = gateway.workers.look(move |cx, _| {
        let rows = states.into_iter().map(|state| {
            let provider = cx.catalogue.get(&state.provider).ok();
            row(state, provider.as_ref())
        });
        Ok::<Vec<Row>, Failure>(rows.collect())
    });
    Ok(Json(Answer {
        revision: snapshot.revision,
        fault: snapshot.fault.clone(),
        providers: described.await??,
    }))
}

fn row(state: ProviderState, provider: Option<&Provider>) -> Row {
    let method = provider
        .and_then(|provider| provider.flows.first())
        .map(method);
    let by_browser = |provider: &Provider| {
        provider
            .flows
            .iter()
            .any(|flow| matches!(flow, Flow::Browser(_)))
    };
    Row {
        name: provider.map_or_else(
            || state.provider.to_string(),
            |provider| provider.name.clone(),
        ),
        method,
        connect: provider.is_some_and(by_browser),
        usable: state.given.is_token(),
        error: match state.given {
            Given::Unusable(why) => Some(why),
            _ => None,
        },
        provider: state.provider,
        profiles: state.profiles,
    }
}

fn method(flow: &Flow) -> &'static str {
    match flow {
        Flow::Token(_) => "token",
        Flow::Key(_) => "api_key",
        _ => "oauth",
    }
}
