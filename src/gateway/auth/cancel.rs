//! `POST …/cancel`: ends a login that waits.

use std::sync::Arc;

use axum::Json;
use axum::extract;
use axum::http::StatusCode;
use serde::Serialize;

use crate::app::context::Context;
use crate::gateway::caller::Caller;
use crate::gateway::flow::State;
use crate::gateway::problem::Problem;
use crate::gateway::provider::Named;
use crate::gateway::state::Gateway;
use crate::model::id::AgentId;

/// What became of it.
#[derive(Debug, Serialize)]
pub(in crate::gateway) struct Cancelled {
    status: State,
}

/// Answers it.
pub(in crate::gateway) async fn cancel(
    extract::State(gateway): extract::State<Arc<Gateway>>,
    caller: Caller,
    Named(provider): Named,
) -> Result<Json<Cancelled>, Problem> {
    let flows = Arc::clone(&gateway.flows);
    let asked = provider.clone();
    let work = move |_: Context<'_>, _: &AgentId| flows.cancel(&provider, &caller.id);
    let view = gateway.workers.ask(&asked, work).await??;
    match view.state {
        State::Exchanging => {
            let error = "the provider has confirmed the login, and it is about to be stored; log out to remove it";
            Err(Problem::new(StatusCode::CONFLICT, "exchanging", error))
        }
        status => Ok(Json(Cancelled { status })),
    }
}
