//! Every failure: one sentence, one action, and a page that goes on once it is over.

use serde_json::json;

use super::shown::Shown;
use super::{WHO, world};
use crate::support::issuer::Scripted;
use crate::support::running_gateway::Gateway;
use crate::support::webdriver::until;

const AGAIN: &str = "#again-openai-codex";

#[test]
#[ignore = "needs chromium and the packages of tests/axe"]
fn a_consent_that_is_refused_is_told_and_can_be_asked_for_again() {
    let (_world, issuer, gateway) = world();
    issuer.refuse_consent("access_denied", "the person said no");
    let shown = Shown::signed_in(&gateway);
    shown.tab.click("#connect-openai-codex");
    shown.heading("Sign-in refused");
    shown.status("Sign-in refused");
    shown.says("the person said no");
    shown.check("refused");
    shown
        .tab
        .run("document.querySelector('.panel').id = 'the-old-one'");
    shown.tab.click(AGAIN);
    until("another refusal", || {
        let is_new = "return document.querySelector('.panel.failure:not(#the-old-one)') !== null";
        (shown.tab.run(is_new) == true).then_some(())
    });
}

#[test]
#[ignore = "needs chromium and the packages of tests/axe"]
fn a_failed_exchange_is_told_without_the_words_of_the_provider() {
    let (_world, issuer, gateway) = world();
    let answer = json!({ "error": "invalid_grant", "secret": "MARKER" });
    issuer.answer_next(Scripted::text(400, &answer.to_string()));
    let shown = Shown::signed_in(&gateway);
    shown.tab.click("#connect-openai-codex");
    shown.heading("Sign-in failed");
    shown.says("invalid_grant");
    shown.check("a failed exchange");
    let page = shown.tab.run("return document.documentElement.outerHTML");
    assert!(!page.as_str().unwrap().contains("MARKER"), "{page}");
    shown.tab.click(AGAIN);
    shown.status(&format!("Connected as {WHO}."));
}

#[test]
#[ignore = "needs chromium and the packages of tests/axe"]
fn what_prevents_a_login_is_told_where_it_was_asked_for() {
    let (_world, _issuer, gateway) = world();
    let shown = Shown::signed_in(&gateway);
    let busy = "failed to start OAuth flow (is port 1455 available?)";
    let other =
        "a login to chutes waits at the port that openai-codex needs; finish it, or cancel it";
    for (status, code, error, told) in [
        (
            500,
            "port_unavailable",
            busy,
            "Failed to start OAuth flow (is port 1455 available?).",
        ),
        (
            409,
            "port_in_use",
            other,
            "A login to chutes waits at the port",
        ),
        (
            503,
            "temporary",
            "the provider cannot be reached",
            "The provider cannot be reached.",
        ),
        (
            429,
            "too_many",
            "slow down",
            "Too many attempts: wait 42 seconds, then try again.",
        ),
    ] {
        shown.can(
            "auth/chatgpt/openai-codex/start",
            status,
            &json!({ "error": error, "code": code }),
        );
        let button = "#connect-openai-codex, #again-openai-codex";
        shown.tab.click(button);
        shown.says(told);
        shown.focus(".panel.failure h3");
        shown.check(code);
    }
    assert_eq!(shown.tab.tabs(), 1, "a window stayed open for nothing");
}

#[test]
#[ignore = "needs chromium and the packages of tests/axe"]
fn a_login_that_nobody_finishes_ends_with_words() {
    let (_world, _issuer, gateway) = world();
    let shown = Shown::signed_in(&gateway);
    shown.tab.run("window.open = () => null");
    shown.tab.click("#connect-openai-codex");
    shown.heading("Waiting for you to sign in to ChatGPT");
    shown.can(
        "auth/chatgpt/openai-codex/flow",
        200,
        &json!({ "state": "timed_out" }),
    );
    shown.look();
    shown.heading("Time ran out");
    shown.status("Time ran out");
    shown.focus(".panel.failure h3");
    shown.check("timed out");
}

#[test]
#[ignore = "needs chromium and the packages of tests/axe"]
fn a_store_that_cannot_be_read_is_told_until_it_can() {
    let (world, _issuer, gateway) = world();
    let shown = Shown::signed_in(&gateway);
    let document = world.state().join("agents/main/agent/auth-profiles.json");
    std::fs::create_dir_all(&document).unwrap();
    shown.heading("The store cannot be read");
    shown.says("auth-profiles.json");
    shown.check("a store that cannot be read");
    std::fs::remove_dir(&document).unwrap();
    shown.status("The gateway answers again.");
    shown.says("Not connected.");

    let down = json!({ "error": "the database cannot be reached", "code": "database_unavailable" });
    shown.can("credentials", 503, &down);
    shown.look();
    shown.says("The database cannot be reached.");
    // At once: the page presses the button by itself every few seconds.
    let again = "canned = {}; document.querySelector('#alert-action').click()";
    shown.tab.run(again);
    shown.status("The gateway answers again.");
    shown.focus("#accounts-title");
}

#[test]
#[ignore = "needs chromium and the packages of tests/axe"]
fn a_gateway_that_is_gone_is_told_and_one_that_is_back_asks_who_is_there() {
    let (world, _issuer, gateway) = world();
    let shown = Shown::signed_in(&gateway);
    let address = gateway.address.clone();
    gateway.kill();
    shown.heading("The gateway does not answer");
    shown.check("gateway lost");
    // Sessions are in the memory of the one that is gone.
    let _gateway = Gateway::of(world.command(&["gateway", "run", "--listen", &address]));
    shown.heading("Sign in");
    shown.status("Your session has ended. Sign in again.");
}
