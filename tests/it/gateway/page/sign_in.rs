//! Signing in and out.

use serde_json::json;

use super::shown::{Shown, link};
use super::world;
use crate::support::running_gateway::TOKEN;

#[test]
#[ignore = "needs chromium and the packages of tests/axe"]
fn a_link_signs_in_once_and_leaves_no_trace() {
    let (_world, _issuer, gateway) = world();
    let link = link(&gateway);
    let shown = Shown::open(&gateway, &link);
    shown.heading("Accounts");
    shown.status("Signed in.");
    shown.focus("#accounts-title");
    shown.check("unconnected");
    assert!(!shown.tab.url().contains('#'), "{}", shown.tab.url());
    let history = shown.tab.history();
    assert!(!history.iter().any(|url| url.contains("k=")), "{history:?}");

    // The session outlives the page in its tab.
    shown.tab.reload();
    shown.heading("Accounts");

    shown.tab.click("#sign-out");
    shown.heading("Sign in");
    shown.status("Signed out.");
    shown.focus("#signed-out-title");
    let kept = "return [sessionStorage.length, localStorage.length, document.cookie]";
    assert_eq!(shown.tab.run(kept), json!([0, 0, ""]));

    shown.tab.run(&format!("location.href = {link:?}"));
    shown.says("This link was used already");
    shown.check("a used link");
}

#[test]
#[ignore = "needs chromium and the packages of tests/axe"]
fn a_token_is_pasted_and_shown_nowhere() {
    let (_world, _issuer, gateway) = world();
    let shown = Shown::open(&gateway, "/");
    shown.heading("Sign in");
    shown.check("signed out");
    shown.tab.click("#sign-in button");
    shown.status("Paste the token first.");
    shown.tab.fill("#bearer", "a guess");
    shown.tab.click("#sign-in button");
    shown.status("This is not the token of this gateway.");
    shown.focus("#bearer[aria-invalid=true][aria-describedby='bearer-hint bearer-error']");
    shown.check("a wrong token");

    shown
        .tab
        .run("document.querySelector('#bearer').value = ''");
    shown.tab.fill("#bearer", &format!("{TOKEN}\u{E007}"));
    shown.heading("Accounts");
    let everything = "return document.documentElement.outerHTML + document.querySelector('#bearer').value
        + JSON.stringify(sessionStorage) + JSON.stringify(localStorage) + document.cookie + location.href";
    let everything = shown.tab.run(everything);
    assert!(
        !everything.as_str().unwrap().contains("MARKER"),
        "{everything}"
    );

    // The session ends elsewhere: the page says so and asks again.
    shown.can("credentials", 401, &json!({ "error": "unauthorized" }));
    shown.look();
    shown.heading("Sign in");
    shown.status("Your session has ended. Sign in again.");
}

#[test]
#[ignore = "needs chromium and the packages of tests/axe"]
fn there_is_something_to_see_while_the_session_is_checked() {
    let (_world, _issuer, gateway) = world();
    let shown = Shown::signed_in(&gateway);
    let never = json!({ "v1/session": "never" }).to_string();
    shown
        .tab
        .run(&format!("sessionStorage.setItem('canned', {never:?})"));
    shown.tab.reload();
    shown.heading("Checking your session…");
    shown.check("checking");
}
