//! Whether the process lives, and whether it can do its work.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde_json::json;

use super::problem::Whole;
use super::standing;
use super::state::Gateway;

/// The process lives. Asks nothing of anybody.
pub(super) async fn livez() -> Response {
    Json(json!({ "status": "live" })).into_response()
}

/// It can do its work: the store can be read, and it is not about to end. By what the board and the
/// samples of the database last saw, so that a probe costs nothing.
pub(super) async fn readyz(State(gateway): State<Arc<Gateway>>) -> Response {
    let is_draining = gateway.is_draining();
    let board = &gateway.board;
    let is_readable = board.current().fault.is_none() && board.is_kept(&*gateway.clock);
    let mut body = json!({ "draining": is_draining });
    let mut is_ready = is_readable && !is_draining;
    let mut is_reached = is_readable;
    if let Some(samples) = &gateway.samples {
        let standing = samples.current();
        let (migrations, key) = (standing::tables(standing), standing::key(standing));
        let tenant = standing::tenant(standing);
        let is_usable = [migrations, key, tenant].iter().all(|&word| word == "ok");
        // What cannot be used cannot be read either, and is no fault of the server.
        is_reached = standing.is_some() && (is_readable || !is_usable);
        is_ready &= is_reached && is_usable;
        body["migrations"] = migrations.into();
        body["key"] = key.into();
        body["tenant"] = tenant.into();
    }
    let word = |is_so: bool, yes: &str, no: &str| if is_so { yes } else { no }.into();
    body["database"] = word(is_reached, "ok", "unavailable");
    body["status"] = word(is_ready, "ready", "not_ready");
    let status = match is_ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, Extension(Whole), Json(body)).into_response()
}
