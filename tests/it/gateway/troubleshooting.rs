//! What the guide to GoClaw says of its commands, and each line of its table of troubles, against a
//! running gateway.

use std::net::TcpListener;

use serde_json::json;

use crate::login::browser::redirect;
use crate::support::browser::visit;
use crate::support::issuer::{Account, Issuer, Scripted};
use crate::support::running_gateway::{Gateway, TOKEN};
use crate::support::{Ran, World, ran};

const ACTIVE: &str = "OpenAI OAuth: active (provider: openai-codex)\n\
    Use model prefix 'openai-codex/' in agent config (e.g. openai-codex/gpt-4o).\n";
const NONE: &str = "No OAuth tokens found.\nUse the web UI to authenticate with ChatGPT OAuth.\n";
const START: &str = "/v1/auth/openai/start";
const STATUS: &str = "/v1/auth/openai/status";

/// Runs the client as the guide has it: with the variables alone.
fn client(world: &World, gateway: &str, args: &[&str]) -> Ran {
    let mut command = world.command(args);
    command.env("GOCLAW_GATEWAY_URL", format!("http://{gateway}"));
    ran(command.env("GOCLAW_TOKEN", TOKEN).output().unwrap())
}

/// Starts a login: the URL that the browser is sent to.
fn start(gateway: &Gateway) -> String {
    let started = gateway.post_nothing(START).json();
    started["auth_url"].as_str().unwrap().to_owned()
}

/// A world whose login has ended, and is refused when it is refreshed.
fn dead() -> (World, Issuer, Gateway) {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -60);
    issuer.answer_next(Scripted::text(400, r#"{"error":"invalid_grant"}"#));
    let refused = world.run(&["models", "auth", "refresh"]);
    assert_eq!(refused.code, 3, "{refused:?}");
    let gateway = Gateway::start(&world);
    (world, issuer, gateway)
}

#[test]
fn a_login_is_connected_checked_and_removed() {
    let (world, _issuer) = World::with_issuer(Account::default());
    let gateway = Gateway::start(&world);
    let status = || client(&world, &gateway.address, &["auth", "status"]);
    let before = status();
    assert_eq!((before.code, before.out.as_str()), (0, NONE), "{before:?}");
    visit(&start(&gateway)).unwrap();
    gateway.until(STATUS, |status| status["authenticated"] == true);
    let active = status();
    assert_eq!(
        (active.code, active.out.as_str()),
        (0, ACTIVE),
        "{active:?}"
    );
    let again = gateway.post_nothing(START).json();
    assert_eq!(again, json!({ "status": "already_authenticated" }));
    for args in [&["auth", "logout"][..], &["auth", "logout", "openai"]] {
        let out = client(&world, &gateway.address, args);
        assert_eq!(
            (out.code, out.out.as_str()),
            (0, "OAuth tokens removed.\n"),
            "{out:?}"
        );
    }
    gateway.until(STATUS, |status| status["authenticated"] == false);
    let after = status();
    assert_eq!((after.code, after.out.as_str()), (0, NONE), "{after:?}");
}

#[test]
fn a_gateway_that_was_stopped_cannot_be_reached() {
    let world = World::new();
    let gateway = Gateway::start(&world);
    let address = gateway.address.clone();
    assert_eq!(gateway.stop().code, 0);
    let ran = client(&world, &address, &["auth", "status"]);
    assert_eq!(ran.code, 4, "{ran:?}");
    let words = format!("cannot reach gateway at http://{address}");
    assert!(ran.err.contains(&words), "{ran:?}");
}

#[test]
fn where_no_browser_reaches_the_callback_its_address_is_pasted() {
    let (world, issuer) = World::with_issuer(Account::default());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let ports = format!("ports = [{port}]");
    let manifest = issuer.manifest().replace("ports = [0]", &ports);
    world.write("providers/openai-codex.toml", &manifest);
    let gateway = Gateway::start(&world);
    let address = redirect(&issuer, &start(&gateway));
    let pasted = json!({ "redirect_url": address });
    let answer = gateway.post("/v1/auth/openai/callback", &pasted);
    assert_eq!(answer.json()["authenticated"], true, "{answer:?}");
    gateway.until(STATUS, |status| status["authenticated"] == true);
    let ran = client(&world, &gateway.address, &["auth", "status"]);
    assert_eq!(ran.out, ACTIVE, "{ran:?}");
}

#[test]
fn a_login_whose_refresh_failed_is_removed_and_made_again() {
    let (world, _issuer, gateway) = dead();
    for args in [&["auth", "status"][..], &["auth", "status", "--check"]] {
        let ran = client(&world, &gateway.address, args);
        assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{ran:?}");
        assert!(
            ran.err.starts_with("Error: token invalid or expired"),
            "{ran:?}"
        );
        assert!(
            ran.err.contains("Try: openclaw auth logout, then"),
            "{ran:?}"
        );
    }
    let out = client(&world, &gateway.address, &["auth", "logout"]);
    assert_eq!(out.code, 0, "{out:?}");
    gateway.until(STATUS, |status| status["error"].is_null());
    visit(&start(&gateway)).unwrap();
    gateway.until(STATUS, |status| status["authenticated"] == true);
}

/// An agent got 401: the same, without the logout.
#[test]
fn a_dead_login_is_replaced_by_another_one() {
    let (world, _issuer, gateway) = dead();
    visit(&start(&gateway)).unwrap();
    gateway.until(STATUS, |status| status["authenticated"] == true);
    let ran = client(&world, &gateway.address, &["auth", "status"]);
    assert_eq!(ran.out, ACTIVE, "{ran:?}");
}

#[test]
fn an_unknown_provider_is_named() {
    let world = World::new();
    let gateway = Gateway::start(&world);
    let ran = client(&world, &gateway.address, &["auth", "logout", "xyz"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.err.starts_with("Error: unknown provider: xyz\n"),
        "{ran:?}"
    );
    let answer = gateway.post_nothing("/v1/auth/xyz/logout");
    assert_eq!(answer.status, 404);
    assert_eq!(answer.json()["error"], "unknown provider: xyz");
}

#[test]
fn a_wrong_token_is_refused_and_a_missing_one_named() {
    let world = World::new();
    let gateway = Gateway::start(&world);
    for token in [None, Some("wrong")] {
        let mut command = world.command(&["auth", "status"]);
        command.env("GOCLAW_GATEWAY_URL", format!("http://{}", gateway.address));
        command.envs(token.map(|token| ("GOCLAW_TOKEN", token)));
        let ran = ran(command.output().unwrap());
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{ran:?}");
        assert!(ran.err.contains("GOCLAW_TOKEN"), "{ran:?}");
    }
}
