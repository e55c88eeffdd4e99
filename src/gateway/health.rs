//! Whether the process lives, and whether it can do its work.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::state::Gateway;

/// The process lives. Asks nothing of anybody.
pub(super) async fn livez() -> Response {
    Json(json!({ "status": "live" })).into_response()
}

/// It can do its work: the store can be read, and it is not about to end. By what the board last saw,
/// so that a probe costs nothing.
pub(super) async fn readyz(State(gateway): State<Arc<Gateway>>) -> Response {
    let draining = gateway.is_draining();
    let board = &gateway.board;
    let database = board.current().fault.is_none() && board.is_kept(&*gateway.clock);
    let (status, word) = match database && !draining {
        true => (StatusCode::OK, "ready"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not_ready"),
    };
    let body = json!({
        "status": word,
        "database": if database { "ok" } else { "unavailable" },
        "draining": draining,
    });
    (status, Json(body)).into_response()
}
