//! RFC 6750: Bearer Token Usage. Section 5.3 stands beside the HTTP client.

use crate::support::browser::visit;
use crate::support::issuer::{Account, Issuer, Scripted, Visit};
use serde_json::json;

use super::waiting;
use crate::support::World;
use crate::support::login::Waiting;

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

/// A world whose `acme` has a userinfo endpoint that is asked at login.
fn with_userinfo() -> (World, Issuer) {
    let (world, issuer) = World::with_issuer(Account::default());
    let account = "[account]\nemail = [\"userinfo:/email\"]\n";
    let manifest = issuer.issuer_manifest();
    let (client, _) = manifest.split_once("[account]").unwrap();
    world.write("providers/acme.toml", &format!("{client}{account}"));
    issuer.publish_json("/.well-known/openid-configuration", &issuer.metadata());
    (world, issuer)
}

fn log_in(world: &World) -> String {
    let login = Waiting::start(world, &["--provider", "acme"]);
    assert_eq!(visit(&login.url).unwrap().status, 200);
    let (ran, _) = login.finish();
    assert_eq!(ran.code, 0, "{ran:?}");
    let stored = world.only_profile();
    stored["access"].as_str().unwrap().to_owned()
}

fn asked(issuer: &Issuer) -> Vec<Visit> {
    let visits = issuer.visits().into_iter();
    visits.filter(|visit| visit.path == "/userinfo").collect()
}

#[test]
fn rfc6750_2_1_the_token_is_sent_as_a_header() {
    let (world, issuer) = with_userinfo();
    issuer.publish_json(
        "/userinfo",
        &json!({ "sub": "user-1", "email": "me@example.com" }),
    );
    let access = log_in(&world);
    let expected = Visit {
        path: "/userinfo".to_owned(),
        authorization: Some(format!("Bearer {access}")),
    };
    assert_eq!(asked(&issuer), [expected]);
    assert!(world.store()["profiles"]["acme:me@example.com"].is_object());
}

#[test]
fn rfc6750_3_1_what_may_not_be_seen_costs_no_refresh() {
    for (status, code) in [(403, "insufficient_scope"), (401, "invalid_token")] {
        let (world, issuer) = with_userinfo();
        let challenge = format!("Bearer error=\"{code}\"");
        issuer.publish(
            "/userinfo",
            Scripted {
                status,
                headers: vec![("WWW-Authenticate", challenge)],
                ..Scripted::default()
            },
        );
        log_in(&world);
        assert_eq!(asked(&issuer).len(), 1, "{code}");
        assert_eq!(
            issuer.token_requests().len(),
            1,
            "{code}: only the exchange"
        );
        assert!(world.store()["profiles"]["acme:user-1"].is_object());
    }
}

#[test]
fn rfc6750_2_3_no_url_holds_a_token() {
    let (world, issuer, login) = waiting();
    let page = visit(&login.url).unwrap();
    let (ran, events) = login.finish();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(world.run(&["models", "auth", "refresh", "--force"]).code, 0);
    let stored = world.only_profile();
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
