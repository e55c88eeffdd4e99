//! A login with a device code, from the click to the account.

use serde_json::json;

use super::keyboard::{ENTER, tab_to};
use super::more_accounts::choose;
use super::shown::Shown;
use crate::support::World;
use crate::support::issuer::{Codes, Issuer, Reply};
use crate::support::running_gateway::Gateway;

const PROVIDER: &str = "github-copilot";
const CODE: &str = "WDJB-MJHT";
const TITLE: &str = "Waiting for you to sign in to GitHub Copilot";

/// A provider that is about to be connected; nobody enters its codes yet.
fn chosen() -> (World, Issuer, Gateway, Shown) {
    let (world, issuer) = World::with_builtin(PROVIDER);
    issuer.set_device_codes(Codes::not_entered());
    let gateway = Gateway::start(&world);
    let shown = Shown::signed_in(&gateway);
    choose(&shown, PROVIDER);
    shown.says("Connect GitHub Copilot");
    (world, issuer, gateway, shown)
}

#[test]
#[ignore = "needs chromium and the packages of tests/axe"]
fn a_code_is_shown_copied_and_entered_elsewhere() {
    let (world, issuer, _gateway, shown) = chosen();
    // By keyboard alone.
    tab_to(&shown, "#connect-github-copilot");
    shown.tab.press(ENTER);
    shown.heading(TITLE);
    shown.focus("h3");
    shown.status(&format!("{TITLE}. Code: {CODE}."));
    shown.says(CODE);
    shown.says("Time left: 5:");
    shown.check("a code");
    // It is no use in another tab before it is known.
    assert_eq!(shown.tab.tabs(), 1);
    let link = ".panel a[target=_blank][rel='noopener noreferrer']";
    let address = format!("return document.querySelector({link:?}).href");
    let url = format!("{}/login/device", issuer.url());
    assert_eq!(shown.tab.run(&address), url);
    let fields = "return document.querySelectorAll('.panel input').length";
    assert_eq!(shown.tab.run(fields), 0);

    shown
        .tab
        .run("navigator.clipboard.writeText = async (text) => { window.copied = text }");
    tab_to(&shown, "#copy-github-copilot");
    shown.tab.press(ENTER);
    shown.status("Code copied.");
    assert_eq!(shown.tab.run("return window.copied"), CODE);
    shown.says("Copied");
    // Where a page has no clipboard.
    shown
        .tab
        .run("navigator.clipboard.writeText = () => Promise.reject()");
    shown.tab.press(ENTER);
    shown.status("The code is selected. Copy it.");
    let selected = "return String(getSelection())";
    assert_eq!(shown.tab.run(selected), CODE);

    issuer.enter_device_code(vec![Reply::Pending]);
    shown.status("Connected as github-copilot:github.");
    assert!(world.store()["profiles"]["github-copilot:github"].is_object());
}

#[test]
#[ignore = "needs chromium and the packages of tests/axe"]
fn a_code_is_given_up_refused_and_somebody_elses() {
    let (_world, issuer, _gateway, shown) = chosen();
    shown.tab.click("#connect-github-copilot");
    shown.heading(TITLE);
    shown.tab.click("#cancel-github-copilot");
    shown.status("Sign-in cancelled.");
    shown.tab.click("#connect-github-copilot");
    shown.heading(TITLE);
    issuer.enter_device_code(vec![Reply::Denied]);
    shown.heading("Sign-in refused");
    shown.says("the user said no");
    shown.check("a code that was refused");
    shown.tab.click("#again-github-copilot");
    shown.heading(TITLE);
    // Also for whoever loads the page again.
    shown.tab.reload();
    shown.heading(TITLE);
    shown.says(CODE);
    let other = json!({
        "state": "waiting", "callback": "polling", "expires_at": "2030-01-01T00:00:00Z",
    });
    shown.can("auth/chatgpt/github-copilot/flow", 200, &other);
    shown.look();
    shown.says("Somebody else began this sign-in.");
    shown.check("a code of somebody else");
    let found = "return document.querySelectorAll('.panel a, .panel code, .panel input').length";
    assert_eq!(shown.tab.run(found), 0);
}
