//! Which path leads to which handler.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{delete, get, post};

use super::auth;
use super::credentials::credentials;
use super::events::events;
use super::front::timed;
use super::health::{livez, readyz};
use super::keys;
use super::metrics::metrics;
use super::openapi::openapi;
use super::page;
use super::session;
use super::state::Gateway;
use super::token::token;

/// The whole service.
pub(super) fn routes(gateway: Arc<Gateway>) -> Router {
    let open = Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/openapi.json", get(openapi));
    let auth = |prefix: &str| {
        let path = |name: &str| format!("{prefix}/{name}");
        Router::new()
            .route(&path("status"), get(auth::status::status))
            .route(&path("start"), post(auth::start::start))
            .route(&path("flow"), get(auth::flow::flow))
            .route(&path("callback"), post(auth::callback::callback))
            .route(&path("cancel"), post(auth::cancel::cancel))
            .route(&path("logout"), post(auth::logout::logout))
            .route(&path("credential"), post(auth::credential::credential))
    };
    let all = Router::new()
        .route("/v1/token", get(token))
        .route("/v1/credentials", get(credentials))
        .route("/v1/events", get(events))
        .route("/v1/keys", get(keys::list).post(keys::add))
        .route("/v1/keys/{id}", delete(keys::revoke))
        .route("/metrics", get(metrics));
    open.merge(all)
        .merge(page::routes())
        .merge(session::routes())
        .merge(auth("/v1/auth/openai"))
        .merge(auth("/v1/auth/chatgpt/{provider}"))
        .merge(auth("/v1/auth/{provider}"))
        .layer(from_fn(timed))
        .with_state(gateway)
}
