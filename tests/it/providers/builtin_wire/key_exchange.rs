//! The row of a browser login that ends in an API key.

use crate::support::browser::visit;

use super::{JSON, Pairs, Sent, assert_same, assert_sent, run, without_port};
use crate::support::World;
use crate::support::login::Waiting;

/// No client, no grant: the code becomes a key, and `state` travels in our own address.
#[test]
fn openrouter_logs_in_by_browser_and_gets_an_api_key() {
    let (world, issuer) = World::with_builtin("openrouter");
    let login = Waiting::start(&world, &["--provider", "openrouter"]);
    let url = url::Url::parse(&login.url).unwrap();
    assert_eq!(url.path(), "/auth");
    let request: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    let sent: Pairs = &[
        ("callback_url", "*"),
        ("code_challenge", "*43"),
        ("code_challenge_method", "S256"),
    ];
    assert_same("authorization request", &request, sent, &issuer);
    let callback = &request
        .iter()
        .find(|(name, _)| name == "callback_url")
        .unwrap()
        .1;
    let (address, query) = callback.split_once('?').unwrap();
    assert_eq!(
        without_port(address),
        "http://localhost:*/openrouter-oauth/callback"
    );
    assert_eq!(query.strip_prefix("state=").unwrap().len(), 43);
    assert_eq!(visit(&login.url).unwrap().status, 200);
    let (ran, _) = login.finish();
    assert_eq!(ran.code, 0, "{ran:?}");
    let exchange = Sent {
        path: "/api/v1/auth/keys",
        content_type: JSON,
        parameters: &[
            ("code", "*"),
            ("code_verifier", "*43"),
            ("code_challenge_method", "S256"),
        ],
    };
    assert_sent("exchange", &issuer.exchanges()[0], &exchange, &issuer);
    let stored = world.store()["profiles"]["openrouter:default"].clone();
    assert_eq!(stored["type"], "api_key", "{stored}");
    assert_eq!(stored["metadata"]["authFlow"], "oauth-pkce", "{stored}");
    let ran = run(
        &world,
        &[],
        &["models", "auth", "token", "--provider", "openrouter"],
    );
    assert_eq!(ran.out.trim_end(), stored["key"]);
}
