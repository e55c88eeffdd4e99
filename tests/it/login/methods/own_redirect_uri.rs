//! A client that the user registered himself: Chutes, whose redirect URI and scopes come from
//! variables.

use std::collections::BTreeMap;

use crate::support::browser::visit;
use url::Url;

use super::world;
use crate::support::login::Waiting;
use crate::support::ran;

const LOGIN: [&str; 7] = [
    "models",
    "auth",
    "login",
    "--provider",
    "chutes",
    "--json",
    "--no-browser",
];

#[test]
fn the_users_own_redirect_and_scopes_are_sent_as_they_are() {
    let (world, issuer) = world("chutes");
    let path = "providers/chutes.toml";
    world.write(path, &world.read(path).replace("/idp/", "/oauth/"));
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let redirect = format!("http://localhost:{port}/my/callback");
    let mut command = world.command(&LOGIN);
    command
        .env("CHUTES_CLIENT_ID", "cid_1")
        .env("CHUTES_OAUTH_REDIRECT_URI", &redirect)
        .env("CHUTES_OAUTH_SCOPES", "openid  chutes:read");
    let login = Waiting::of(command);
    let url = Url::parse(&login.url).unwrap();
    let asked: BTreeMap<_, _> = url.query_pairs().into_owned().collect();
    assert_eq!(asked["redirect_uri"], redirect);
    assert_eq!(asked["scope"], "openid chutes:read");
    assert_eq!(asked["client_id"], "cid_1");
    assert_eq!(visit(&login.url).unwrap().status, 200);
    let (ran, _) = login.finish();
    assert_eq!(ran.code, 0, "{ran:?}");
    let sent = issuer.token_requests().remove(0);
    assert!(
        sent.contains(&("redirect_uri".to_owned(), redirect)),
        "{sent:?}"
    );
}

#[test]
fn a_redirect_to_anywhere_else_is_refused_before_anything_is_sent() {
    let (world, _issuer) = world("chutes");
    let attempt = |name: &str, value: &str| {
        let mut command = world.command(&LOGIN);
        command.env("CHUTES_CLIENT_ID", "cid_1").env(name, value);
        ran(command.output().unwrap())
    };
    for redirect in [
        "https://evil.example/callback",
        "http://0.0.0.0:1456/oauth-callback",
        "http://127.0.0.1/oauth-callback",
        "http://localhost:1456/cb?next=x",
    ] {
        let ran = attempt("CHUTES_OAUTH_REDIRECT_URI", redirect);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(
            ran.err.contains("CHUTES_OAUTH_REDIRECT_URI must be"),
            "{ran:?}"
        );
        let example = "export CHUTES_OAUTH_REDIRECT_URI=http://127.0.0.1:1456/oauth-callback";
        assert!(ran.err.contains(example), "{ran:?}");
        assert!(!ran.out.contains("\"event\":\"url\""), "{ran:?}");
    }
    let ran = attempt("CHUTES_OAUTH_SCOPES", "openid \"all\"");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.err.contains("must be scopes separated by spaces"),
        "{ran:?}"
    );
}
