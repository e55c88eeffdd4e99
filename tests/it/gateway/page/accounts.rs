//! Several providers and accounts, each with its state.

use serde_json::{Value, json};

use super::shown::Shown;
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
        (id.to_owned(), profile["state"].clone())
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
