//! Several providers and accounts, each with its state.

use serde_json::{Value, json};

use super::shown::Shown;
use crate::gateway::keys::add;
use crate::gateway::login::start;
use crate::support::issuer::Account;
use crate::support::running_gateway::Gateway;
use crate::support::webdriver::until;
use crate::support::{World, millis_from_now, setup_token};

fn world() -> World {
    let world = World::new();
    let login = |account: &str, left: i64, refresh: &str| {
        json!({
            "type": "oauth", "provider": "openai-codex", "access": format!("access-{account}-MARKER"),
            "refresh": refresh, "expires": millis_from_now(left), "accountId": account,
            "email": format!("{account}@example.com"),
        })
    };
    let store = json!({ "version": 1, "profiles": {
        "openai-codex:ann@example.com": login("ann", 3_000, "refresh-ann-MARKER"),
        "openai-codex:bo@example.com": login("bo", -3_000, ""),
        "anthropic:manual": { "type": "token", "provider": "anthropic", "token": setup_token(),
            "expires": millis_from_now(3 * 86_400) },
        "openrouter:default": { "type": "api_key", "provider": "openrouter", "key": "key-MARKER" },
    } });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    world
}

/// Profile and state of each account on the page.
fn listed(shown: &Shown) -> Value {
    shown.tab.run(
        "const buttons = [...document.querySelectorAll('[id^=disconnect-main-]')];
        return Object.fromEntries(buttons.map((button) => [
            button.id.replace('disconnect-main-', ''),
            button.closest('li').querySelector('.state').innerText,
        ]))",
    )
}

#[test]
#[ignore = "needs chromium and the packages of tests/axe"]
fn every_account_is_listed_with_the_words_of_status() {
    let world = world();
    let status = world.run(&["models", "status", "--json"]);
    let status: Value = serde_json::from_str(&status.out).unwrap();
    let gateway = Gateway::start(&world);
    let shown = Shown::signed_in(&gateway);
    let expected = status["openclaw"]["profiles"].as_array().unwrap().iter();
    let expected = expected.map(|profile| {
        let id = profile["profileId"].as_str().unwrap();
        let state = profile["state"].as_str().unwrap();
        (
            id.to_owned(),
            json!(state.replace("static", "does not expire")),
        )
    });
    assert_eq!(listed(&shown), Value::Object(expected.collect()));
    let usable = "[aria-label='Reconnect ann@example.com']";
    let expired = "[aria-label='Reconnect bo@example.com']";
    for (selector, count) in [(usable, 0), (expired, 1)] {
        let found = format!("return document.querySelectorAll({selector:?}).length");
        assert_eq!(shown.tab.run(&found), count, "{selector}");
    }
    shown.check("several accounts");
    let page = shown.tab.run("return document.documentElement.outerHTML");
    assert!(!page.as_str().unwrap().contains("MARKER"), "{page}");
    shown.picture("light", "light", (760, 840));
    shown.picture("narrow", "light", (320, 760));

    // What another command does is seen without a reload.
    let removed = world.run(&["models", "auth", "logout", "openrouter:default", "--yes"]);
    assert_eq!(removed.code, 0, "{removed:?}");
    until("the account is gone", || {
        listed(&shown)["openrouter:default"].is_null().then_some(())
    });
}

#[test]
#[ignore = "needs chromium and the packages of tests/axe"]
fn who_may_only_look_is_shown_nothing_to_press() {
    let world = world();
    let gateway = Gateway::start(&world);
    let shown = Shown::signed_in(&gateway);
    let viewer = json!({ "v1/session": [200, { "role": "viewer" }, {}] }).to_string();
    shown
        .tab
        .run(&format!("sessionStorage.setItem('canned', {viewer:?})"));
    shown.tab.reload();
    shown.heading("Accounts");
    shown.says("ann@example.com");
    let buttons = "return document.querySelectorAll('#accounts button').length";
    assert_eq!(shown.tab.run(buttons), 0);
    shown.check("a viewer");
}

#[test]
#[ignore = "needs chromium and the packages of tests/axe"]
fn who_may_only_look_sees_a_login_under_way_and_no_way_into_it() {
    let (world, _issuer) = World::with_issuer(Account::default());
    let (key, _) = add(&world, &["--role", "viewer"]);
    let gateway = Gateway::start(&world);
    let shown = Shown::open(&gateway, "/");
    shown.heading("Sign in");
    shown.tab.fill("#bearer", &format!("{key}\u{E007}"));
    shown.heading("Accounts");
    start(&gateway);
    shown.heading("Waiting for a sign-in to ChatGPT");
    shown.says("Somebody else began this sign-in.");
    let ways = "return document.querySelectorAll('#accounts :is(button, input, form, a)').length";
    assert_eq!(shown.tab.run(ways), 0);
    shown.check("a viewer of a login");
}

#[test]
#[ignore = "needs chromium and the packages of tests/axe"]
fn a_key_is_disconnected_and_what_was_not_there_is_not() {
    let world = World::new();
    let store = json!({ "version": 1, "profiles": {
        "openai:default": { "type": "api_key", "provider": "openai", "key": "key-MARKER" },
    } });
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
    let gateway = Gateway::start(&world);
    let shown = Shown::signed_in(&gateway);
    let disconnect = || {
        shown.tab.click("#disconnect-main-openai\\:default");
        shown.tab.click("#question-yes");
    };
    shown.can(
        "auth/chatgpt/openai/logout",
        200,
        &json!({ "status": "logged out" }),
    );
    disconnect();
    shown.status("Nothing was removed: the gateway has no login openai:default any more.");
    assert_eq!(listed(&shown)["openai:default"], "does not expire");
    shown.uncan();
    disconnect();
    until("the key is gone", || {
        listed(&shown)["openai:default"].is_null().then_some(())
    });
    assert_eq!(world.store()["profiles"], json!({}));
}
