//! `POST …/cancel`: ends a login that waits.

use std::sync::Arc;

use axum::Json;
use axum::extract;
use axum::http::StatusCode;
use serde::Serialize;

use crate::gateway::caller::Caller;
use crate::gateway::flow::State;
use crate::gateway::problem::Problem;
use crate::gateway::provider::Named;
use crate::gateway::state::Gateway;

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
    let (flows, named) = (Arc::clone(&gateway.flows), provider.to_string());
    let view = gateway
        .workers
        .ask(&provider.clone(), move |_, _| flows.cancel(&provider))
        .await??;
    if view.state == State::Cancelled {
        // Its end is noted by whose it was.
        gateway.audit.note(&caller.id, "login cancelled", |entry| {
            entry.provider = Some(named);
        });
    }
    match view.state {
        State::Exchanging => {
            let error = "the login has a code already, and is about to be stored";
            Err(Problem::new(StatusCode::CONFLICT, "exchanging", error))
        }
        status => Ok(Json(Cancelled { status })),
    }
}
