//! A code that becomes an API key: OpenRouter.

use std::io::Write;

use crate::support::browser::visit;
use crate::support::issuer::Scripted;
use url::Url;

use super::world;
use crate::support::World;
use crate::support::login::Waiting;

fn login(world: &World, more: &[&str]) -> Waiting {
    let mut args = vec!["--provider", "openrouter"];
    args.extend(more);
    Waiting::start(world, &args)
}

/// The address that the login was sent with, for the browser to come back to.
fn callback(login: &Waiting) -> Url {
    let url = Url::parse(&login.url).unwrap();
    let mut pairs = url.query_pairs();
    let (_, callback) = pairs.find(|(name, _)| name == "callback_url").unwrap();
    Url::parse(&callback).unwrap()
}

fn state(callback: &Url) -> String {
    let mut pairs = callback.query_pairs();
    pairs
        .find(|(name, _)| name == "state")
        .unwrap()
        .1
        .into_owned()
}

#[test]
fn a_key_is_stored_as_openclaw_stores_it() {
    let (world, issuer) = world("openrouter");
    let login = login(&world, &[]);
    let callback = callback(&login);
    assert_eq!(callback.path(), "/openrouter-oauth/callback");
    assert!(state(&callback).len() >= 43);
    let url = Url::parse(&login.url).unwrap();
    let names: Vec<String> = url
        .query_pairs()
        .map(|(name, _)| name.into_owned())
        .collect();
    assert_eq!(
        names,
        ["callback_url", "code_challenge", "code_challenge_method"]
    );

    let page = visit(&login.url).unwrap();
    assert_eq!(page.status, 200, "{page:?}");
    assert_eq!(page.url, callback.as_str().split('?').next().unwrap());
    let (ran, events) = login.finish();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(events.last().unwrap()["profileId"], "openrouter:default");

    let mut sent: Vec<_> = issuer.key_requests().remove(0);
    sent.sort();
    let names: Vec<_> = sent.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["code", "code_challenge_method", "code_verifier"]);
    let key = world.store()["profiles"]["openrouter:default"].clone();
    let stored = serde_json::json!({
        "type": "api_key",
        "provider": "openrouter",
        "key": key["key"],
        "metadata": { "authFlow": "oauth-pkce" },
    });
    assert_eq!(key, stored);
    assert!(key["key"].as_str().unwrap().starts_with("sk-or-v1-"));
    let token = world.run(&["models", "auth", "token", "--provider", "openrouter"]);
    assert_eq!(token.out.trim_end(), key["key"].as_str().unwrap());
}

#[test]
fn a_second_login_replaces_the_key_and_says_so() {
    let (world, _issuer) = world("openrouter");
    world.write(
        "agents/main/agent/auth-profiles.json",
        r#"{"version":1,"profiles":{"openrouter:default":{"type":"api_key","provider":"openrouter",
        "key":"sk-or-old","keyRef":{"source":"env","id":"X"},"custom":7}}}"#,
    );
    let login = login(&world, &[]);
    assert_eq!(visit(&login.url).unwrap().status, 200);
    let (ran, _) = login.finish();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.out.contains("openrouter:default was replaced"),
        "{ran:?}"
    );
    let stored = &world.store()["profiles"]["openrouter:default"];
    assert!(stored["key"].as_str().unwrap().starts_with("sk-or-v1-"));
    assert_eq!(stored["custom"], 7);
    assert!(stored.get("keyRef").is_none(), "{stored}");
    let undo = world.run(&["models", "auth", "undo", "openrouter:default"]);
    assert_eq!(undo.code, 0, "{undo:?}");
    assert_eq!(
        world.store()["profiles"]["openrouter:default"]["key"],
        "sk-or-old"
    );
}

#[test]
fn a_paste_needs_the_whole_address() {
    let (world, issuer) = world("openrouter");
    let mut login = login(&world, &["--profile-id", "openrouter:work"]);
    let whole = location(&login.url, issuer.url());
    let code = whole
        .query_pairs()
        .find(|(name, _)| name == "code")
        .unwrap()
        .1
        .into_owned();
    let mut stdin = login.child.stdin.take().unwrap();
    writeln!(stdin, "{code}\n{whole}").unwrap();
    let (ran, _) = login.finish();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        ran.out.contains("this is only a code; paste the whole URL"),
        "{ran:?}"
    );
    assert!(world.store()["profiles"]["openrouter:work"].is_object());
    assert_eq!(issuer.key_requests().len(), 1);
}

/// Where the page sends the browser.
fn location(url: &str, issuer: &str) -> Url {
    use std::io::Read;
    let url = Url::parse(url).unwrap();
    let address = issuer.trim_start_matches("http://");
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let (path, query) = (url.path(), url.query().unwrap());
    write!(
        stream,
        "GET {path}?{query} HTTP/1.0\r\nHost: {address}\r\n\r\n"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let location = text
        .lines()
        .find_map(|line| line.strip_prefix("Location: "));
    Url::parse(location.unwrap()).unwrap()
}

#[test]
fn strays_are_ignored_and_a_refused_code_ends_the_login() {
    let (world, issuer) = world("openrouter");
    issuer.answer_next(Scripted {
        status: 403,
        body: r#"{"error":{"code":403,"message":"Invalid code"}}"#.to_owned(),
        ..Scripted::default()
    });
    let login = login(&world, &[]);
    let mut stray = callback(&login);
    stray.set_query(Some("code=x&state=wrong"));
    assert_eq!(visit(stray.as_str()).unwrap().status, 400);
    assert_eq!(visit(&login.url).unwrap().status, 500);
    let (ran, events) = login.finish();
    assert_eq!(ran.code, 3, "{ran:?}");
    let message = events.last().unwrap()["message"].as_str().unwrap();
    assert!(
        message.contains("refused: http_403: Invalid code (HTTP 403)"),
        "{message}"
    );
    assert!(!world.has_store());
}
