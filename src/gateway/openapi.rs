//! `GET /openapi.json`: what can be asked, for people who look it up and for programs that make
//! clients of it.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

/// By hand: of an answer, what matters are its statuses and codes, and no type of a handler has them.
const DOCUMENT: &str = include_str!("openapi.json");

/// Answers it.
pub(super) async fn openapi() -> Response {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}
