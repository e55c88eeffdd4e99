//! `GET …/flow`: how far a login is.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use crate::gateway::caller::Caller;
use crate::gateway::flow::View;
use crate::gateway::problem::Problem;
use crate::gateway::provider::Named;
use crate::gateway::state::Gateway;

/// Answers it, from memory.
pub(in crate::gateway) async fn flow(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    Named(provider): Named,
) -> Result<Json<View>, Problem> {
    gateway.require_known(&provider).await?;
    Ok(Json(gateway.flows.view(&provider, &caller.id)))
}
