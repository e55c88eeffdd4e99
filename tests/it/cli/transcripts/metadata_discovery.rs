//! What a manifest's issuer may tell, and what is said where it must not be believed.

use crate::support::browser::visit;
use crate::support::issuer::{Issuer, Scripted};
use serde_json::{Value, json};

use super::Transcript;
use super::login::at_a_prompt;
use crate::login::metadata_discovery::{FORCE, OPENID, log_in, world};
use crate::support::World;

const LOGIN: [&str; 6] = [
    "models",
    "auth",
    "login",
    "--provider",
    "acme",
    "--no-browser",
];

fn publish(issuer: &Issuer, name: &str, value: Value) {
    let mut document = issuer.metadata();
    match value {
        Value::Null => drop(document.as_object_mut().unwrap().remove(name)),
        value => document[name] = value,
    }
    issuer.publish_json(OPENID, &document);
}

#[test]
fn metadata_that_must_not_be_believed_ends_the_login() {
    let (world, issuer) = world();
    let mut transcript = Transcript::of(&world);
    let changes = [
        (
            "the document of another issuer",
            "issuer",
            json!("https://evil.example"),
        ),
        (
            "an endpoint elsewhere",
            "token_endpoint",
            json!("https://evil.example/token"),
        ),
        ("no endpoint", "authorization_endpoint", Value::Null),
        (
            "only a weaker PKCE",
            "code_challenge_methods_supported",
            json!(["plain"]),
        ),
        (
            "no such grant",
            "grant_types_supported",
            json!(["client_credentials"]),
        ),
    ];
    for (what, name, value) in changes {
        publish(&issuer, name, value);
        transcript = transcript.note(what).run(&LOGIN);
    }
    let trouble = |status| Scripted {
        status,
        ..Scripted::default()
    };
    issuer.publish(OPENID, trouble(503));
    transcript = transcript.note("a server in trouble").run(&LOGIN);
    issuer.publish(OPENID, trouble(404));
    transcript
        .note("no metadata")
        .run(&LOGIN)
        .matches("discovery_refused");
}

#[test]
fn changed_metadata_stops_a_refresh() {
    let (world, issuer) = world();
    log_in(&world);
    publish(
        &issuer,
        "token_endpoint",
        json!(format!("{}/other", issuer.url())),
    );
    std::fs::remove_dir_all(world.state().join("cache")).unwrap();
    Transcript::of(&world)
        .note("the metadata names another token endpoint than at the login")
        .run(&FORCE)
        .matches("discovery_changed");
}

fn logs_in(world: &World) -> Transcript<'_> {
    let ran = at_a_prompt(world, &LOGIN, |url| {
        visit(url).unwrap();
    });
    Transcript::of(world).shows(&LOGIN, "", &ran)
}

#[test]
fn a_wrong_id_token_ends_the_login() {
    let (world, issuer) = world();
    issuer.change_claims(&json!({ "aud": "another-client" }));
    logs_in(&world).matches("login_id_token");
}

#[test]
fn a_refresh_whose_id_token_tells_of_another_is_told() {
    let (world, issuer) = world();
    log_in(&world);
    issuer.change_claims(&json!({ "sub": "user-2" }));
    Transcript::of(&world)
        .run(&FORCE)
        .matches("refresh_id_token");
}
