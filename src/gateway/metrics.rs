//! `GET /metrics`: numbers for a monitoring system, in the text format of Prometheus. Labels are
//! providers and outcomes: nothing tells whose login it is.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::board::Snapshot;
use super::caller::Caller;
use super::counters::Counters;
use super::state::Gateway;

const TEXT: &str = "text/plain; version=0.0.4";

/// Answers it.
pub(super) async fn metrics(State(gateway): State<Arc<Gateway>>, _: Caller) -> Response {
    let text = text(&gateway.counters, &gateway.board.current());
    ([(CONTENT_TYPE, TEXT)], text).into_response()
}

fn text(counters: &Counters, snapshot: &Snapshot) -> String {
    let counts = counters.counts();
    let mut text = String::new();
    head(
        &mut text,
        "gateway_requests_total",
        "counter",
        "Answered requests.",
    );
    for (outcome, count) in &counts.requests {
        let _ = writeln!(
            text,
            "openclaw_gateway_requests_total{{outcome=\"{outcome}\"}} {count}"
        );
    }
    let families = [
        (
            "gateway_refreshes_total",
            "Refreshes that were due.",
            &counts.refreshes,
        ),
        (
            "gateway_tokens_total",
            "Tokens that were asked for.",
            &counts.tokens,
        ),
    ];
    for (name, help, family) in families {
        head(&mut text, name, "counter", help);
        for ((provider, outcome), count) in family {
            let _ = writeln!(
                text,
                "openclaw_{name}{{provider=\"{provider}\",outcome=\"{outcome}\"}} {count}"
            );
        }
    }
    head(
        &mut text,
        "gateway_usable",
        "gauge",
        "Whether a token of the provider can be had.",
    );
    for state in &snapshot.providers {
        let usable = u8::from(state.given.is_token());
        let _ = writeln!(
            text,
            "openclaw_gateway_usable{{provider=\"{}\"}} {usable}",
            state.provider
        );
    }
    text
}

fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    let _ = writeln!(
        text,
        "# HELP openclaw_{name} {help}\n# TYPE openclaw_{name} {kind}"
    );
}
