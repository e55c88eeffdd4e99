//! The guide to GoClaw's ChatGPT login from its first line to its last: the page in a browser, the
//! commands in a terminal, and a refresh five minutes before the end.

use std::net::TcpListener;

use super::shown::Shown;
use super::{NAME, WHO};
use crate::login::browser::redirect;
use crate::support::issuer::{Account, Issuer};
use crate::support::running_gateway::{Gateway, TOKEN};
use crate::support::{World, millis_from_now, ran};

const STORE: &str = "agents/main/agent/auth-profiles.json";
const STATUS: &str = "/v1/auth/openai/status";
const ACTIVE: &str = "OpenAI OAuth: active (provider: openai-codex)\n\
    Use model prefix 'openai-codex/' in agent config (e.g. openai-codex/gpt-4o).\n";
const NONE: &str = "No OAuth tokens found.\nUse the web UI to authenticate with ChatGPT OAuth.\n";

/// What a command of the client prints.
fn printed(world: &World, gateway: &Gateway, args: &[&str]) -> String {
    let mut command = world.command(args);
    command.env("GOCLAW_GATEWAY_URL", format!("http://{}", gateway.address));
    let ran = ran(command.env("GOCLAW_TOKEN", TOKEN).output().unwrap());
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.out
}

/// Connects as `connect` does, and goes on to the end of the guide.
fn walk(world: &World, issuer: &Issuer, connect: impl Fn(&Shown)) {
    let gateway = Gateway::start(world);
    let status = || printed(world, &gateway, &["auth", "status"]);
    assert_eq!(status(), NONE);

    let shown = Shown::signed_in(&gateway);
    shown.says("Not connected.");
    connect(&shown);
    shown.status(&format!("Connected as {WHO}."));
    gateway.until(STATUS, |status| status["authenticated"] == true);
    assert_eq!(status(), ACTIVE);

    let exchanged = issuer.token_requests().len();
    let before = world.only_profile();
    let mut store = world.store();
    for (_, profile) in store["profiles"].as_object_mut().unwrap() {
        profile["expires"] = millis_from_now(299).into();
    }
    world.age_grants(3_600);
    world.write(STORE, &store.to_string());
    let token = gateway.get("/v1/token?provider=openai-codex").json();
    let after = world.only_profile();
    assert_eq!(token["access_token"], after["access"]);
    assert_ne!(after["access"], before["access"]);
    assert_ne!(after["refresh"], before["refresh"]);
    assert_eq!(issuer.token_requests().len(), exchanged + 1);
    assert_eq!(status(), ACTIVE);

    printed(world, &gateway, &["auth", "logout"]);
    shown.says("Not connected.");
    assert_eq!(status(), NONE);
    assert!(
        !world
            .read(STORE)
            .contains(after["refresh"].as_str().unwrap())
    );
}

#[test]
#[ignore = "needs chromium and the packages of tests/axe"]
fn it_is_walked_with_the_callback() {
    let (world, issuer) = World::with_issuer(Account::default());
    let manifest = issuer.manifest().replace("Test issuer", NAME);
    world.write("providers/openai-codex.toml", &manifest);
    walk(&world, &issuer, |shown| {
        shown.tab.click("#connect-openai-codex");
    });
}

#[test]
#[ignore = "needs chromium and the packages of tests/axe"]
fn it_is_walked_with_the_address_that_is_pasted() {
    let (world, issuer) = World::with_issuer(Account::default());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let manifest = issuer.manifest().replace("Test issuer", NAME);
    let manifest = manifest.replace("ports = [0]", &format!("ports = [{port}]"));
    world.write("providers/openai-codex.toml", &manifest);
    walk(&world, &issuer, |shown| {
        shown.tab.run("window.open = () => null");
        shown.tab.click("#connect-openai-codex");
        shown.says("The gateway cannot receive the answer by itself");
        let link = shown
            .tab
            .run("return document.querySelector('.panel a').href");
        let pasted = redirect(&issuer, link.as_str().unwrap());
        shown
            .tab
            .fill("#redirect-openai-codex", &format!("{pasted}\u{E007}"));
    });
}
