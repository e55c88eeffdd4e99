//! `models status --probe`.

use serde_json::json;

use super::Transcript;
use crate::status::probe::server::{Answer, Server};
use crate::status::probe::{PROBE, key, store, world};

#[test]
fn a_probe_tells_each_kind_of_answer() {
    let server = Server::start();
    let world = world(&server);
    let refusal = r#"{"error":{"type":"authentication_error","message":"This key was revoked by its owner a while ago, and so nothing goes any more"}}"#;
    server.answer("sk-works", Answer::of(200, ""));
    server.answer("sk-revoked", Answer::of(401, refusal));
    let config = json!({
        "agents": { "defaults": { "model": { "primary": "acme/large" } } },
        "auth": { "order": { "acme": ["acme:works", "acme:revoked", "acme:empty"] } },
    });
    world.write("openclaw.json", &config.to_string());
    store(
        &world,
        "acme",
        &[
            ("acme:works", key("sk-works")),
            ("acme:revoked", key("sk-revoked")),
            ("acme:empty", key(" ")),
            ("acme:other", key("sk-other")),
        ],
    );
    Transcript::of(&world)
        .run(&PROBE)
        .run(&[&PROBE[..], &["--probe-provider", "groq"]].concat())
        .run(&[&PROBE[..], &["--plain"]].concat())
        .run(&["models", "status", "--probe-timeout", "soon"])
        .run(&["models", "status", "--probe-concurrency", "0"])
        .run(&["models", "status", "--probe-max-tokens", "-8"])
        .matches("probe");
}
