//! `GET …/status`: whether a provider has a living token. From memory; it never refreshes.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use crate::gateway::board::{Given, Snapshot};
use crate::gateway::caller::Caller;
use crate::gateway::problem::Problem;
use crate::gateway::provider::Named;
use crate::gateway::state::Gateway;
use crate::model::id::ProviderId;
use crate::model::time::Timestamp;

/// What is said of a login that is there and has no living token.
const DEAD: &str = "token invalid or expired";

/// Whether there is a living token.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(in crate::gateway) struct Status {
    authenticated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider_name: Option<ProviderId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    /// Why, in the words of `models status`.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    /// Whether the next use, or the gateway by itself, gets a new token without a person.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    refreshable: bool,
}

/// Answers it.
pub(in crate::gateway) async fn status(
    State(gateway): State<Arc<Gateway>>,
    _: Caller,
    Named(provider): Named,
) -> Result<Json<Status>, Problem> {
    let snapshot = gateway.board.current();
    gateway.require_known(&provider).await?;
    Ok(Json(judge(&snapshot, &provider, gateway.clock.now())))
}

/// What is told of a provider at that moment: its token may have ended since it was looked at.
fn judge(snapshot: &Snapshot, provider: &ProviderId, now: Timestamp) -> Status {
    let name = Some(provider.clone());
    let dead = |detail: Option<&String>, refreshable| Status {
        provider_name: Some(provider.clone()),
        error: Some(DEAD),
        detail: detail.cloned(),
        refreshable,
        ..Status::default()
    };
    match snapshot.provider(provider).map(|state| &state.given) {
        None | Some(Given::Nothing) => Status::default(),
        Some(Given::Unusable(why)) => dead(Some(why), false),
        Some(Given::Profile(_, Some(end))) if *end <= now => dead(None, true),
        Some(Given::Profile(..) | Given::Outside) => Status {
            authenticated: true,
            provider_name: name,
            ..Status::default()
        },
    }
}
