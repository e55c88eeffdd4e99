//! Logins that are asked for over HTTP: from the browser's way back to what is left in the store.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::login::browser::redirect;
use crate::support::World;
use crate::support::browser::visit;
use crate::support::issuer::{Account, Issuer, Scripted};
use crate::support::running_gateway::{Answer, Gateway, TOKEN};

pub(crate) const PROFILE: &str = "openai-codex:me@example.com";
pub(crate) const START: &str = "/v1/auth/openai/start";
pub(crate) const CALLBACK: &str = "/v1/auth/openai/callback";
pub(crate) const CANCEL: &str = "/v1/auth/openai/cancel";
pub(crate) const FLOW: &str = "/v1/auth/openai/flow";
pub(crate) const STATUS: &str = "/v1/auth/openai/status";

pub(crate) fn world() -> (World, Issuer, Gateway) {
    let (world, issuer) = World::with_issuer(Account::default());
    let gateway = Gateway::start(&world);
    (world, issuer, gateway)
}

/// Starts a login: the URL that the browser is sent to.
pub(crate) fn start(gateway: &Gateway) -> String {
    let started = gateway.post_nothing(START);
    assert_eq!(started.status, 200, "{started:?}");
    started.json()["auth_url"].as_str().unwrap().to_owned()
}

/// Hands in what the browser ended on.
pub(crate) fn paste(gateway: &Gateway, url: &str) -> Answer {
    gateway.post(CALLBACK, &json!({ "redirect_url": url }))
}

pub(crate) fn code_of(answer: &Answer) -> String {
    answer.json()["code"].as_str().unwrap().to_owned()
}

/// Starts a command, and returns when it says that it waits for a login.
pub(crate) fn waiting(command: &mut Command) -> Child {
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    let mut told = String::new();
    let mut lines = BufReader::new(child.stderr.as_mut().unwrap());
    while !told.contains("waiting: a login to openai-codex is being completed") {
        assert_ne!(lines.read_line(&mut told).unwrap(), 0, "{told}");
    }
    child
}

/// Polls until `is_so`.
pub(crate) fn until(is_so: impl Fn() -> bool) {
    for _ in 0..6_000 {
        if is_so() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("it never came to that");
}

#[test]
fn a_login_goes_from_the_browser_into_the_store() {
    let (world, issuer, gateway) = world();
    assert_eq!(gateway.get(FLOW).json(), json!({ "state": "idle" }));
    let started = gateway.post_nothing(START);
    assert_eq!(started.header("Cache-Control"), Some("no-store"));
    let started = started.json();
    assert_eq!(started["callback"], "listening", "{started}");
    let url = started["auth_url"].as_str().unwrap();
    // A manifest of the user's own says itself what is asked for.
    let scopes = "scope=openid+profile+email+offline_access&";
    assert!(format!("{url}&").contains(scopes), "{url}");
    // Asked again, for a page that was loaded again.
    assert_eq!(start(&gateway), url);
    let flow = gateway.get(FLOW).json();
    assert_eq!(flow["state"], "waiting");
    assert_eq!(flow["auth_url"], url);
    assert_eq!(flow["expires_at"], started["expires_at"]);

    let page = visit(url).unwrap();
    assert_eq!(page.status, 200, "{page:?}");
    assert_eq!(world.only_profile()["email"], "me@example.com");
    let status = gateway.until(STATUS, |status| status["authenticated"] == true);
    assert_eq!(status["provider_name"], "openai-codex");
    assert_eq!(gateway.get(FLOW).json(), json!({ "state": "connected" }));
    let again = gateway.post_nothing(START).json();
    assert_eq!(again, json!({ "status": "already_authenticated" }));
    assert_eq!(issuer.exchanges().len(), 1);
}

#[test]
fn a_browser_on_another_machine_comes_back_by_paste() {
    let (world, issuer) = World::with_issuer(Account::default());
    // Somebody listens where the browser is redirected to.
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port();
    let manifest = issuer
        .manifest()
        .replace("ports = [0]", &format!("ports = [{port}]"));
    world.write("providers/openai-codex.toml", &manifest);
    let gateway = Gateway::start(&world);
    let wish = json!({ "display_name": "Work", "profile": "openai-codex:team" });
    let started = gateway.post(START, &wish).json();
    assert_eq!(started["callback"], "manual", "{started}");
    let flow = gateway.get(FLOW).json();
    let message = flow["message"].as_str().unwrap();
    assert!(message.contains(&format!("port {port}")), "{flow}");

    let url = redirect(&issuer, started["auth_url"].as_str().unwrap());
    assert!(
        url.starts_with(&format!("http://localhost:{port}/")),
        "{url}"
    );
    let answer = paste(&gateway, &url);
    assert_eq!(answer.status, 200, "{answer:?}");
    let expected = json!({
        "authenticated": true,
        "provider_name": "openai-codex",
        "provider_id": "openai-codex:team",
    });
    assert_eq!(answer.json(), expected);
    let stored = &world.store()["profiles"]["openai-codex:team"];
    assert_eq!(stored["displayName"], "Work");
    let late = paste(&gateway, &url);
    assert_eq!((late.status, code_of(&late)), (400, "no_login".to_owned()));
}

#[test]
fn what_is_not_the_answer_ends_nothing() {
    let (world, issuer, gateway) = world();
    let url = start(&gateway);
    let good = redirect(&issuer, &url);
    let (front, state) = good.split_once("state=").unwrap();
    let state = state.split('&').next().unwrap();
    let code = good
        .split_once("code=")
        .unwrap()
        .1
        .split('&')
        .next()
        .unwrap();
    let bad = [
        format!("{front}state=x{state}"),
        front.trim_end_matches('&').to_owned(),
        code.to_owned(),
        "hello".to_owned(),
        String::new(),
        format!("http://localhost:1455/auth/callback?error=access_denied&state=x{state}"),
    ];
    for text in bad {
        let answer = paste(&gateway, &text);
        assert_eq!(answer.status, 400, "{text}: {answer:?}");
        assert_eq!(code_of(&answer), "not_accepted", "{text}: {answer:?}");
        assert_eq!(gateway.get(FLOW).json()["state"], "waiting", "{text}");
    }
    assert_eq!(issuer.exchanges().len(), 0);
    let answer = paste(&gateway, &good);
    assert_eq!(answer.json()["provider_id"], PROFILE, "{answer:?}");
    assert_eq!(world.only_profile()["accountId"], "acct_1");
    let log = gateway.stop().err;
    assert!(log.contains("/v1/auth/openai/callback"), "{log}");
    for secret in [code, state, TOKEN] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn a_refused_consent_ends_the_login_with_the_words_of_the_provider() {
    let (_world, issuer, gateway) = world();
    issuer.refuse_consent("access_denied", "The person said no");
    let page = visit(&start(&gateway)).unwrap();
    assert_eq!(page.status, 403, "{page:?}");
    let flow = gateway.until(FLOW, |flow| flow["state"] != "waiting");
    assert_eq!(flow["state"], "refused");
    assert_eq!(flow["code"], "access_denied");
    let message = flow["message"].as_str().unwrap();
    assert!(message.contains("The person said no"), "{flow}");

    let refused = paste(&gateway, &redirect(&issuer, &start(&gateway)));
    assert_eq!(refused.status, 400, "{refused:?}");
    let body = refused.json();
    assert_eq!(body["code"], "refused");
    assert_eq!(body["provider_code"], "access_denied");
}

#[test]
fn a_failed_exchange_tells_the_code_and_nothing_else_of_the_answer() {
    let (world, issuer, gateway) = world();
    let body = r#"{"error":"invalid_grant","secret":"MARKER-of-the-answer"}"#;
    issuer.answer_next(Scripted::text(400, body));
    let answer = paste(&gateway, &redirect(&issuer, &start(&gateway)));
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(answer.json()["code"], "exchange_failed");
    assert_eq!(answer.json()["provider_code"], "invalid_grant");
    assert!(!answer.body.contains("MARKER"), "{answer:?}");
    let flow = gateway.get(FLOW);
    assert_eq!(flow.json()["state"], "failed");
    assert!(!flow.body.contains("MARKER"), "{flow:?}");
    let store = world.state().join("agents/main/agent/auth-profiles.json");
    assert!(!store.exists());
}

#[test]
fn a_cancelled_login_gives_its_port_back() {
    let (_world, issuer, gateway) = world();
    assert_eq!(
        gateway.post_nothing(CANCEL).json(),
        json!({ "status": "idle" })
    );
    let url = redirect(&issuer, &start(&gateway));
    let cancelled = gateway.post_nothing(CANCEL);
    assert_eq!(cancelled.json(), json!({ "status": "cancelled" }));
    assert!(visit(&url).is_err(), "somebody still listens at {url}");
    assert_eq!(gateway.get(FLOW).json(), json!({ "state": "cancelled" }));
    assert_eq!(code_of(&paste(&gateway, &url)), "no_login");
    assert_ne!(redirect(&issuer, &start(&gateway)), url);
}

#[test]
fn two_providers_do_not_share_a_port() {
    let (world, issuer) = World::with_issuer(Account::default());
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let codex = issuer
        .manifest()
        .replace("ports = [0]", &format!("ports = [{port}]"));
    world.write("providers/openai-codex.toml", &codex);
    let other = codex
        .replace("openai-codex", "other")
        .replace("replaces = true\n", "");
    world.write("providers/other.toml", &other);
    let gateway = Gateway::start(&world);
    start(&gateway);
    let taken = gateway.post_nothing("/v1/auth/other/start");
    assert_eq!(
        (taken.status, code_of(&taken)),
        (409, "port_in_use".to_owned())
    );
    gateway.post_nothing(CANCEL);
    let started = gateway.post_nothing("/v1/auth/chatgpt/other/start");
    assert_eq!(started.json()["callback"], "listening", "{started:?}");
}

/// Waits until the issuer has a code, and holds its answer back.
fn exchanging(issuer: &Issuer, gateway: &Gateway) -> std::thread::JoinHandle<u16> {
    issuer.hold();
    let url = start(gateway);
    let visitor = std::thread::spawn(move || visit(&url).map_or(0, |page| page.status));
    until(|| !issuer.exchanges().is_empty());
    visitor
}

#[test]
fn a_login_that_has_a_code_is_stored_before_the_gateway_ends() {
    let (world, issuer, gateway) = world();
    let visitor = exchanging(&issuer, &gateway);
    let refused = gateway.post_nothing(CANCEL);
    assert_eq!(
        (refused.status, code_of(&refused)),
        (409, "exchanging".to_owned())
    );
    gateway.terminate();
    // It takes no new connections once it has heard of the signal.
    until(|| std::net::TcpStream::connect(&gateway.address).is_err());
    issuer.let_go();
    let ran = gateway.ended();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(visitor.join().unwrap(), 200);
    assert_eq!(world.only_profile()["email"], "me@example.com");
}

#[test]
fn a_login_that_waits_ends_with_the_gateway() {
    let (_world, _issuer, gateway) = world();
    let url = start(&gateway);
    let ran = gateway.stop();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(visit(&url).is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused));
}

#[test]
fn a_gateway_killed_before_it_stored_a_login_stores_it_at_its_next_start() {
    let (world, issuer, gateway) = world();
    let visitor = exchanging(&issuer, &gateway);
    // OpenClaw is at work on the document, so that the store waits.
    let lock = world
        .state()
        .join("agents/main/agent/auth-profiles.json.lock");
    std::fs::create_dir_all(&lock).unwrap();
    issuer.let_go();
    until(|| {
        world
            .rescued()
            .iter()
            .any(|answer| answer.contains("access_token"))
    });
    gateway.kill();
    visitor.join().unwrap();
    std::fs::remove_dir(&lock).unwrap();
    let gateway = Gateway::start(&world);
    let status = gateway.until(STATUS, |status| status["authenticated"] == true);
    assert_eq!(status["provider_name"], "openai-codex");
    assert_eq!(world.only_profile()["email"], "me@example.com");
    assert_eq!(issuer.exchanges().len(), 1, "the code was sent twice");
}
