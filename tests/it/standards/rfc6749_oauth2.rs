//! RFC 6749: The OAuth 2.0 Authorization Framework.

use crate::support::browser::visit;
use crate::support::issuer::{Account, Scripted};
use serde_json::{Value, json};

use super::{asked, nothing_is_stored, value, waiting};
use crate::login::browser::redirect;
use crate::support::World;

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];

fn answer(status: u16, body: &Value) -> Scripted {
    Scripted {
        status,
        headers: vec![("Content-Type", "application/json".to_owned())],
        body: body.to_string(),
        ..Scripted::default()
    }
}

fn names(pairs: &[(String, String)]) -> Vec<&str> {
    let mut names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    names
}

#[test]
fn rfc6749_3_1_no_parameter_is_repeated() {
    let (_world, issuer, login) = waiting();
    let repeated = login.callback(&format!("code=a&code=a&state={}", login.state()));
    assert_eq!(visit(&repeated).unwrap().status, 400);
    let request = asked(&login.url);
    assert_eq!(visit(&login.url).unwrap().status, 200);
    assert_eq!(login.finish().0.code, 0);
    for sent in [&request, &issuer.token_requests()[0]] {
        let mut once = names(sent);
        once.dedup();
        assert_eq!(once, names(sent));
    }
}

#[test]
fn rfc6749_3_1_2_5_the_page_holds_no_scripts_and_its_url_no_code() {
    let (_world, _issuer, login) = waiting();
    let page = visit(&login.url).unwrap();
    assert_eq!(page.status, 200);
    assert!(page.url.ends_with("/auth/callback"), "{}", page.url);
    let policy = "Content-Security-Policy: default-src 'none'";
    assert!(page.text.contains(policy), "{}", page.text);
    let (_, html) = page.text.split_once("\r\n\r\n").unwrap();
    for element in [
        "<script", "<img", "<link", "<iframe", "src=", "href=", "@import",
    ] {
        assert!(!html.contains(element), "{element}: {html}");
    }
    assert_eq!(login.finish().0.code, 0);
}

#[test]
fn rfc6749_4_1_2_what_is_unknown_is_ignored() {
    let (world, issuer, login) = waiting();
    let url = format!(
        "{}&session_state=a.b&scope=x+y&authuser=0",
        redirect(&issuer, &login.url)
    );
    assert_eq!(visit(&url).unwrap().status, 200);
    assert_eq!(login.finish().0.code, 0);
    assert!(!nothing_is_stored(&world));
}

#[test]
fn rfc6749_4_1_2_1_each_error_ends_the_login_in_words_that_do_nothing() {
    for code in [
        "access_denied",
        "invalid_request",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_response_type",
        "interaction_required",
    ] {
        let (world, issuer, login) = waiting();
        issuer.refuse_consent(code, "<b>no</b>\u{1b}[2J\r\nLogged in as root");
        let page = visit(&login.url).unwrap();
        assert!((400..500).contains(&page.status), "{code}: {}", page.status);
        assert!(
            !page.text.contains("<b>") && !page.text.contains('\u{1b}'),
            "{}",
            page.text
        );
        let (ran, _) = login.finish();
        assert_ne!(ran.code, 0, "{code}");
        let words = format!("{code}: <b>no</b> [2J Logged in as root");
        assert!(ran.err.contains(&words), "{ran:?}");
        assert!(issuer.token_requests().is_empty() && nothing_is_stored(&world));
    }
}

#[test]
fn rfc6749_4_1_3_the_redirect_uri_is_repeated_and_a_public_client_named() {
    let (_world, issuer, login) = waiting();
    let request = asked(&login.url);
    visit(&login.url).unwrap();
    assert_eq!(login.finish().0.code, 0);
    let exchange = &issuer.token_requests()[0];
    for same in ["redirect_uri", "client_id"] {
        assert_eq!(value(exchange, same), value(&request, same));
    }
    assert_eq!(value(exchange, "grant_type"), "authorization_code");
    let sent = [
        "client_id",
        "code",
        "code_verifier",
        "grant_type",
        "redirect_uri",
    ];
    assert_eq!(names(exchange), sent, "no secret, no scope");
}

#[test]
fn rfc6749_5_1_case_expiry_and_scope_do_not_matter() {
    for token_type in [json!("bEaReR"), json!("BEARER"), Value::Null] {
        let (world, issuer, login) = waiting();
        let (access, refresh) = issuer.issue();
        let body =
            json!({ "access_token": access, "refresh_token": refresh, "token_type": token_type });
        issuer.answer_next(answer(200, &body));
        visit(&login.url).unwrap();
        let (ran, _) = login.finish();
        assert_eq!(ran.code, 0, "{ran:?}");
        let stored = world.only_profile();
        assert_eq!(
            (&stored["access"], &stored["refresh"]),
            (&json!(access), &json!(refresh))
        );
        assert!(
            stored["expires"].as_i64().is_some(),
            "by the token's own claim: {stored}"
        );
    }
}

#[test]
fn rfc6749_5_2_an_error_is_told_and_touches_nothing() {
    for (status, code) in [(400, "invalid_grant"), (401, "invalid_client")] {
        let (world, issuer) = World::with_issuer(Account::default());
        world.seed(&issuer, "main", -10);
        let before = world.store()["profiles"].clone();
        let body = json!({ "error": code, "error_description": "the server's words" });
        issuer.answer_next(answer(status, &body));
        let ran = world.run(&TOKEN);
        assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{code}: {ran:?}");
        assert!(
            ran.err.contains(code) && ran.err.contains("the server's words"),
            "{ran:?}"
        );
        assert_eq!(world.store()["profiles"], before);
    }
}

#[test]
fn rfc6749_6_a_new_refresh_token_replaces_the_old_and_none_keeps_it() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (_, first) = world.seed(&issuer, "main", -10);
    assert_eq!(world.run(&TOKEN).code, 0);
    let stored = || world.store()["profiles"]["openai-codex:default"].clone();
    let second = stored()["refresh"].as_str().unwrap().to_owned();
    assert_ne!(second, first);
    issuer.answer_next(answer(
        200,
        &json!({ "access_token": "at-3", "expires_in": 3600 }),
    ));
    let ran = world.run(&["models", "auth", "refresh", "--force"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(
        (&stored()["access"], &stored()["refresh"]),
        (&json!("at-3"), &json!(second))
    );
    for request in issuer.token_requests() {
        assert_eq!(
            names(&request),
            ["client_id", "grant_type", "refresh_token"],
            "no scope"
        );
    }
}

#[test]
fn rfc6749_10_12_an_answer_without_our_state_does_nothing() {
    let (world, issuer, login) = waiting();
    let code = redirect(&issuer, &login.url);
    let code = asked(&code)
        .into_iter()
        .find(|(name, _)| name == "code")
        .unwrap()
        .1;
    for query in [
        format!("code={code}"),
        format!("code={code}&state="),
        format!("code={code}&state={}", "A".repeat(43)),
        "error=access_denied".to_owned(),
    ] {
        assert_eq!(
            visit(&login.callback(&query)).unwrap().status,
            400,
            "{query}"
        );
    }
    assert!(issuer.token_requests().is_empty() && nothing_is_stored(&world));
    assert_eq!(visit(&login.url).unwrap().status, 200, "still waiting");
    assert_eq!(login.finish().0.code, 0);
}
