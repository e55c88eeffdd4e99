//! `GET /v1/credentials`: every provider and its accounts, without their secrets.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::board::{Given, ProfileState, ProviderState};
use super::caller::Caller;
use super::problem::Problem;
use super::state::Gateway;
use crate::app::gateway::provider::chatgpt;
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
    /// Those of which nothing is stored or under way, and that the page can connect.
    offered: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    provider: ProviderId,
    name: String,
    /// How a person logs in: `oauth`, `device_code`, `token` or `api_key`; `null` where that is not known.
    method: Option<&'static str>,
    /// Whether the page can log in to it.
    connect: bool,
    /// What of it can be pasted.
    pastes: Vec<Paste>,
    /// Whether a token can be had now.
    usable: bool,
    /// Why none can.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    profiles: Vec<ProfileState>,
}

/// A token or key that a person brings.
#[derive(Serialize)]
struct Paste {
    /// `token` or `api_key`.
    form: &'static str,
    /// Where they get it: an address, or words.
    help: Option<String>,
}

/// Answers it.
pub(super) async fn credentials(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<Json<Answer>, Problem> {
    let snapshot = gateway.board.current();
    let mut states: Vec<ProviderState> = snapshot.providers.clone();
    // Even if nothing is stored for it: it is what the page is for.
    if snapshot.provider(&chatgpt()).is_none() {
        states.insert(0, ProviderState::nothing(chatgpt()));
    }
    let under_way = gateway.flows.under_way().into_iter();
    let new = under_way.filter(|id| states.iter().all(|state| state.provider != *id));
    states.extend(new.map(ProviderState::nothing).collect::<Vec<_>>());
    let is_covered = |id: &ProviderId| {
        let agent = snapshot.agent.as_ref();
        agent.is_none_or(|agent| caller.scope.covers(id, agent))
    };
    states.retain(|state| is_covered(&state.provider));
    let ids = snapshot.catalogue.iter();
    let others = ids.filter(|id| states.iter().all(|state| state.provider != **id));
    let others = others.filter(|id| is_covered(id));
    let others: Vec<ProviderState> = others.cloned().map(ProviderState::nothing).collect();
    let described = gateway.workers.look(move |cx, _| {
        let describe = |state: ProviderState| {
            let provider = cx.catalogue.get(&state.provider).ok();
            row(state, provider.as_ref())
        };
        let rows: Vec<Row> = states.into_iter().map(describe).collect();
        let offered = others.into_iter().map(describe);
        let offered = offered.filter(|row| row.connect || !row.pastes.is_empty());
        (rows, offered.collect())
    });
    let (providers, offered) = described.await?;
    Ok(Json(Answer {
        revision: snapshot.revision,
        fault: snapshot.fault.clone(),
        providers,
        offered,
    }))
}

fn row(state: ProviderState, provider: Option<&Provider>) -> Row {
    let shows_code =
        |provider: &Provider| provider.browser().is_none() && provider.device().is_some();
    let logs_in = |provider: &Provider| provider.browser().is_some() || shows_code(provider);
    let method = provider.and_then(|provider| match shows_code(provider) {
        // Whatever else it takes: the page opens no tab before the code is seen.
        true => Some("device_code"),
        false => provider.flows.first().map(method),
    });
    Row {
        name: provider.map_or_else(
            || state.provider.to_string(),
            |provider| provider.name.clone(),
        ),
        method,
        connect: provider.is_some_and(logs_in),
        pastes: provider.map(pastes).unwrap_or_default(),
        usable: state.given.is_token(),
        error: match state.given {
            Given::Unusable(why) => Some(why),
            _ => None,
        },
        provider: state.provider,
        profiles: state.profiles,
    }
}

/// What a person can paste, each form once.
fn pastes(provider: &Provider) -> Vec<Paste> {
    let mut pastes: Vec<Paste> = Vec::new();
    for flow in &provider.flows {
        let help = match flow {
            Flow::Token(token) => &token.help,
            Flow::Key(key) => &key.help,
            _ => continue,
        };
        let form = method(flow);
        if pastes.iter().all(|paste| paste.form != form) {
            pastes.push(Paste {
                form,
                help: help.clone(),
            });
        }
    }
    pastes
}

fn method(flow: &Flow) -> &'static str {
    match flow {
        Flow::Token(_) => "token",
        Flow::Key(_) => "api_key",
        _ => "oauth",
    }
}
