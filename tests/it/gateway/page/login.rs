//! A login from the click to the question before it is removed.

use std::net::TcpListener;

use serde_json::json;

use super::shown::Shown;
use super::{WHO, world};
use crate::login::browser::redirect;
use crate::support::World;
use crate::support::issuer::{Account, Issuer};
use crate::support::running_gateway::Gateway;

const BLOCKED: &str = "window.open = () => null";
const LINK: &str = ".panel a";
const FIELD: &str = "#redirect-openai-codex";

/// Where the sign-in page is.
fn address(shown: &Shown) -> String {
    let link = shown
        .tab
        .run(&format!("return document.querySelector({LINK:?}).href"));
    link.as_str().unwrap().to_owned()
}

#[test]
#[ignore = "needs chromium and the packages of tests/axe"]
fn a_login_is_followed_to_its_end_and_removed_after_a_question() {
    let (world, issuer, gateway) = world();
    let shown = Shown::signed_in(&gateway);
    issuer.hold();
    shown.tab.click("#connect-openai-codex");
    shown.heading("Finishing the sign-in");
    shown.check("exchanging");
    assert_eq!(shown.tab.tabs(), 2);
    issuer.let_go();
    shown.status(&format!("Connected as {WHO}."));
    shown.says(WHO);
    shown.says("Token ends");
    shown.focus("#provider-openai-codex");
    shown.check("connected");
    assert_eq!(world.only_profile()["email"], WHO);
    let page = shown.tab.run("return document.documentElement.outerHTML");
    for secret in ["access", "refresh"] {
        let secret = world.only_profile()[secret].as_str().unwrap().to_owned();
        assert!(!page.as_str().unwrap().contains(&secret));
    }

    let disconnect = format!("[aria-label='Disconnect {WHO}']");
    shown.tab.click(&disconnect);
    shown.heading(&format!("Disconnect {WHO}?"));
    shown.focus("#question-no");
    shown.check("the question");
    shown.tab.click("#question-no");
    shown.focus(&disconnect);
    assert_eq!(world.only_profile()["email"], WHO);
    shown.tab.click(&disconnect);
    shown.tab.click("#question-yes");
    shown.says("Not connected.");
    shown.focus("#provider-openai-codex");
    assert_eq!(world.store()["profiles"], json!({}));
}

#[test]
#[ignore = "needs chromium and the packages of tests/axe"]
fn a_blocked_window_leaves_a_link_and_a_paste_ends_the_login() {
    let (world, issuer, gateway) = world();
    let shown = Shown::signed_in(&gateway);
    shown.tab.run(BLOCKED);
    shown.tab.click("#connect-openai-codex");
    shown.heading("Waiting for you to sign in to ChatGPT");
    shown.focus(&format!("{LINK}[target=_blank][rel='noopener noreferrer']"));
    shown.says("Your browser blocked the new tab");
    shown.says("Time left: 5:");
    shown.check("a blocked window");
    shown.picture("dark", "dark", (760, 660));

    shown.tab.click("#finish-openai-codex");
    shown.status("Paste the address first.");
    let url = address(&shown);
    for bad in [
        "garbage with spaces",
        "http://localhost/auth/callback?code=x&state=of-another",
    ] {
        shown
            .tab
            .run(&format!("document.querySelector({FIELD:?}).value = ''"));
        shown.tab.fill(FIELD, bad);
        shown.tab.click("#finish-openai-codex");
        let described = "redirect-openai-codex-hint redirect-openai-codex-error";
        shown.focus(&format!(
            "{FIELD}[aria-invalid=true][aria-describedby='{described}']"
        ));
        shown.check("a bad paste");
        // It is the same login still.
        assert_eq!(address(&shown), url);
    }
    shown
        .tab
        .run(&format!("document.querySelector({FIELD:?}).value = ''"));
    shown
        .tab
        .fill(FIELD, &format!("{}\u{E007}", redirect(&issuer, &url)));
    shown.status(&format!("Connected as {WHO}."));
    assert_eq!(world.only_profile()["email"], WHO);
}

#[test]
#[ignore = "needs chromium and the packages of tests/axe"]
fn a_login_is_cancelled_and_can_begin_anew() {
    let (_world, _issuer, gateway) = world();
    let shown = Shown::signed_in(&gateway);
    shown.tab.run(BLOCKED);
    for _ in 0..2 {
        shown.tab.click("#connect-openai-codex");
        shown.heading("Waiting for you to sign in to ChatGPT");
        shown.tab.click("#cancel-openai-codex");
        shown.status("Sign-in cancelled.");
        shown.focus("#provider-openai-codex");
    }
    // Another tab begins one, and this page shows it.
    gateway.post_nothing("/v1/auth/openai/start");
    shown.heading("Waiting for you to sign in to ChatGPT");
    shown.says("Open the sign-in page to go on.");
    // What is typed stays while the page draws something anew.
    shown.tab.fill(FIELD, "typed");
    let other = json!({ "state": "waiting", "expires_at": "2030-01-01T00:00:00Z" });
    shown.can("auth/chatgpt/openai-codex/flow", 200, &other);
    shown.look();
    shown.says("Somebody else began this sign-in.");
    let typed = shown
        .tab
        .run(&format!("return document.querySelector({FIELD:?}).value"));
    assert_eq!(typed, "typed");
    shown.focus(FIELD);
}

#[test]
#[ignore = "needs chromium and the packages of tests/axe"]
fn a_port_that_is_taken_leaves_the_paste() {
    let world = World::new();
    let clock = std::sync::Arc::new(openclaw::sys::clock::SystemClock::new());
    let issuer = Issuer::start(Account::default(), clock).unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let manifest = issuer
        .manifest()
        .replace("ports = [0]", &format!("ports = [{port}]"));
    world.write("providers/openai-codex.toml", &manifest);
    let gateway = Gateway::start(&world);
    let shown = Shown::signed_in(&gateway);
    shown.tab.run(BLOCKED);
    shown.tab.click("#connect-openai-codex");
    shown.says("The gateway cannot receive the answer by itself");
    shown.check("a port that is taken");
    let pasted = redirect(&issuer, &address(&shown));
    shown.tab.fill(FIELD, &format!("{pasted}\u{E007}"));
    shown.status(&format!("Connected as {WHO}."));
}
