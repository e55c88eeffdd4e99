//! RFC 6750: Bearer Token Usage. Section 5.3 stands beside the HTTP client.

use openclaw::testing::browser::visit;
use openclaw::testing::issuer::Account;
use serde_json::json;

use super::waiting;
use crate::support::World;

#[test]
fn rfc6750_2_1_the_token_is_handed_out_as_a_header() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (access, _) = world.seed(&issuer, "main", 3_600);
    let ran = world.run(&["models", "auth", "token", "--header"]);
    assert_eq!(
        (ran.code, ran.out),
        (0, format!("Authorization: Bearer {access}\n"))
    );
}

#[test]
fn rfc6750_2_3_no_url_holds_a_token() {
    let (world, issuer, login) = waiting();
    let page = visit(&login.url).unwrap();
    let (ran, events) = login.finish();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(world.run(&["models", "auth", "refresh", "--force"]).code, 0);
    let store = world.store();
    let stored = store["profiles"]
        .as_object()
        .unwrap()
        .values()
        .next()
        .unwrap();
    let issued = issuer.token_requests()[1].clone();
    let spent = super::value(&issued, "refresh_token");
    let secrets = [&stored["access"], &stored["refresh"], &json!(spent)];
    for secret in secrets {
        let secret = secret.as_str().unwrap();
        assert!(secret.len() > 5);
        assert!(!page.url.contains(secret) && !page.text.contains(secret));
        assert!(!format!("{events:?}").contains(secret));
    }
}

/// A program that uses the token answers a 401 by asking for a new one: that spends the refresh
/// token once, and only if nobody else did it before.
#[test]
fn rfc6750_3_1_a_refused_token_is_refreshed_once() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (access, _) = world.seed(&issuer, "main", 3_600);
    assert_eq!(world.run(&["models", "auth", "refresh", "--force"]).code, 0);
    let token = ["models", "auth", "token", "--provider", "openai-codex"];
    let runs = [world.run(&token), world.run(&token)];
    assert_eq!(runs[0].out, runs[1].out);
    assert_ne!(runs[0].out.trim_end(), access);
    assert_eq!(issuer.token_requests().len(), 1);
}
