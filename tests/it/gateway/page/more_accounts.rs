//! Accounts beside the first: a key or token that is pasted, and a second login.

use serde_json::json;

use super::keyboard::{ENTER, ESCAPE, tab_to};
use super::shown::Shown;
use super::world;
use crate::support::World;
use crate::support::issuer::Account;
use crate::support::running_gateway::Gateway;

const KEY: &str = "gsk_MARKER-0123456789-0123456789";
const FIELD: &str = "#key-value";

/// Chooses one of the providers of which nothing is stored.
pub(super) fn choose(shown: &Shown, provider: &str) {
    shown.tab.run(&format!(
        "document.getElementById('more').open = true;
        const offer = document.getElementById('offer');
        offer.value = {provider:?};
        offer.dispatchEvent(new Event('change', {{ bubbles: true }}));"
    ));
}

/// What the field of the key holds.
fn held(shown: &Shown) -> serde_json::Value {
    shown
        .tab
        .run("return document.getElementById('key-value').value")
}

#[test]
#[ignore = "needs chromium and the packages of tests/axe"]
fn a_key_is_pasted_by_keyboard_and_is_nowhere_but_in_the_store() {
    let world = World::new();
    let gateway = Gateway::start(&world);
    let shown = Shown::signed_in(&gateway);
    choose(&shown, "groq");
    let add = "#paste-groq-api_key";
    shown.says("Add API key");
    shown.check("a provider that was chosen");
    tab_to(&shown, add);
    shown.tab.press(ENTER);
    shown.heading("Add an API key of Groq");
    shown.focus(FIELD);
    shown.check("the form of a key");
    shown.tab.press(ENTER);
    shown.says("Paste the API key first.");
    shown.focus(&format!("{FIELD}[aria-invalid=true]"));
    shown.check("no key");
    // What is no key is kept to be corrected, and forgotten with the form.
    shown.tab.press("two words");
    shown.tab.press(ENTER);
    shown.focus(&format!(
        "{FIELD}[aria-describedby='key-value-hint key-value-error']"
    ));
    assert_eq!(held(&shown), "two words");
    shown.tab.press(ESCAPE);
    shown.focus(add);
    assert_eq!(held(&shown), "");

    shown.tab.press(ENTER);
    shown.focus(FIELD);
    shown.tab.press(KEY);
    shown.tab.press(ENTER);
    shown.status("groq:manual is stored.");
    shown.says("groq:manual");
    shown.focus("#provider-groq");
    assert_eq!(held(&shown), "");
    assert_eq!(world.store()["profiles"]["groq:manual"]["key"], KEY);
    shown.check("a key that is stored");

    // A second one has a name of its own.
    tab_to(&shown, add);
    shown.tab.press(ENTER);
    shown.focus(FIELD);
    shown.tab.press(&format!("{KEY}-2"));
    tab_to(&shown, "#key-name");
    shown.tab.press("work");
    shown.tab.press(ENTER);
    shown.status("groq:work is stored.");
    assert_eq!(world.store()["profiles"]["groq:manual"]["key"], KEY);
    assert_eq!(
        world.store()["profiles"]["groq:work"]["key"],
        format!("{KEY}-2")
    );
    let page = shown.tab.run("return document.documentElement.outerHTML");
    let addresses = shown.tab.history().concat();
    let log = gateway.stop().err;
    for text in [page.as_str().unwrap(), &addresses, &log] {
        assert!(!text.contains("MARKER"), "{text}");
    }
}

#[test]
#[ignore = "needs chromium and the packages of tests/axe"]
fn a_session_token_is_pasted_and_a_provider_may_have_several_ways() {
    let world = World::new();
    let gateway = Gateway::start(&world);
    let shown = Shown::signed_in(&gateway);
    choose(&shown, "suno");
    shown.says("Suno");
    shown.tab.click("#paste-suno-token");
    shown.focus(FIELD);
    shown.tab.press("session-token-MARKER");
    shown.tab.click("#key-save");
    shown.status("suno:manual is stored.");
    let stored = &world.store()["profiles"]["suno:manual"];
    assert_eq!(stored["token"], "session-token-MARKER", "{stored}");
    choose(&shown, "dashscope");
    shown.tab.click("#paste-dashscope-api_key");
    shown.focus(FIELD);
    shown.tab.click("#key-cancel");
    shown.focus("#paste-dashscope-api_key");
}

#[test]
#[ignore = "needs chromium and the packages of tests/axe"]
fn a_second_account_is_connected_beside_one_that_can_be_used() {
    let (world, issuer, gateway) = world();
    let shown = Shown::signed_in(&gateway);
    shown.tab.click("#connect-openai-codex");
    shown.says("me@example.com");
    issuer.set_account(Account {
        id: "acct_2".into(),
        email: Some("other@example.com".into()),
        ..Account::default()
    });
    shown.tab.click("#another-openai-codex");
    shown.status("Connected.");
    shown.says("other@example.com");
    shown.check("two accounts");
    let profiles = world.store()["profiles"].clone();
    let names: Vec<_> = profiles.as_object().unwrap().keys().collect();
    assert_eq!(
        json!(names),
        json!([
            "openai-codex:me@example.com",
            "openai-codex:other@example.com"
        ])
    );
}
