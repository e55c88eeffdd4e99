//! The whole way by keyboard alone.

use super::shown::Shown;
use super::{WHO, world};
use crate::login::browser::redirect;
use crate::support::running_gateway::TOKEN;

const TAB: &str = "\u{E004}";
pub(super) const ENTER: &str = "\u{E007}";
pub(super) const ESCAPE: &str = "\u{E00C}";

/// Presses Tab until the focus is there.
pub(super) fn tab_to(shown: &Shown, selector: &str) {
    let is_there = format!("return document.activeElement.matches({selector:?})");
    for _ in 0..30 {
        shown.tab.press(TAB);
        if shown.tab.run(&is_there) == true {
            // What has the focus shows it.
            let outline = "return getComputedStyle(document.activeElement).outlineStyle";
            assert_eq!(shown.tab.run(outline), "solid", "{selector}");
            return;
        }
    }
    panic!("Tab never comes to {selector}");
}

#[test]
#[ignore = "needs chromium and the packages of tests/axe"]
fn an_account_is_connected_and_removed_by_keyboard_alone() {
    let (world, issuer, gateway) = world();
    let shown = Shown::open(&gateway, "/");
    shown.heading("Sign in");
    tab_to(&shown, "#bearer");
    shown.tab.press(TOKEN);
    shown.tab.press(ENTER);
    shown.heading("Accounts");

    shown.tab.run("window.open = () => null");
    tab_to(&shown, "#connect-openai-codex");
    shown.tab.press(ENTER);
    shown.focus(".panel a");
    let url = shown.tab.run("return document.activeElement.href");
    tab_to(&shown, "#redirect-openai-codex");
    shown.tab.press(&redirect(&issuer, url.as_str().unwrap()));
    tab_to(&shown, "#finish-openai-codex");
    shown.tab.press(ENTER);
    shown.status(&format!("Connected as {WHO}."));

    let disconnect = format!("[aria-label='Disconnect {WHO}']");
    tab_to(&shown, &disconnect);
    shown.tab.press(ENTER);
    shown.focus("#question-no");
    shown.tab.press(ESCAPE);
    shown.focus(&disconnect);
    shown.tab.press(ENTER);
    shown.focus("#question-no");
    tab_to(&shown, "#question-yes");
    shown.tab.press(ENTER);
    shown.says("Not connected.");
    shown.focus("#provider-openai-codex");
    assert_eq!(world.store()["profiles"], serde_json::json!({}));

    tab_to(&shown, "#sign-out");
    shown.tab.press(ENTER);
    shown.heading("Sign in");
}
