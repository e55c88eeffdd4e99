//! Tokens of which nobody says when they end.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::login::browser;
use crate::support::issuer::{Account, Issuer, Scripted};
use crate::support::{World, millis_from_now};

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];
const NO_LIFE: [&str; 6] = [
    "",
    r#","expires_in":null"#,
    r#","expires_in":0"#,
    r#","expires_in":-5"#,
    r#","expires_in":"soon""#,
    r#","expires_in":[1]"#,
];

fn logged_in(body: &str) -> (World, Issuer) {
    let (world, issuer) = World::with_issuer(Account::default());
    issuer.answer_next(Scripted::text(200, body));
    browser::logged_in(&world, &[]);
    (world, issuer)
}

#[test]
fn without_a_refresh_token_it_is_handed_out_and_status_says_so() {
    for life in NO_LIFE {
        let (world, issuer) = logged_in(&format!(
            r#"{{"access_token":"gho_x","token_type":"bearer"{life}}}"#
        ));
        for _ in 0..2 {
            let ran = world.run(&TOKEN);
            assert_eq!(
                (ran.code, ran.out.as_str()),
                (0, "gho_x\n"),
                "{life}: {ran:?}"
            );
        }
        let status = world.run(&["models", "status"]);
        assert!(status.out.contains("no known expiry"), "{status:?}");
        let model =
            r#"{ agents: { defaults: { model: { primary: "openai-codex/gpt-5.3-codex" } } } }"#;
        world.write("openclaw.json", model);
        let check = world.run(&["models", "status", "--check"]);
        assert_eq!(check.code, 0, "{check:?}");
        assert_eq!(issuer.token_requests().len(), 1);
    }
}

#[test]
fn with_a_refresh_token_it_lives_for_an_hour() {
    for life in NO_LIFE {
        let (world, issuer) = logged_in(&format!(
            r#"{{"access_token":"at","refresh_token":"rt"{life}}}"#
        ));
        for _ in 0..2 {
            assert_eq!(world.run(&TOKEN).out, "at\n");
            assert_eq!(world.run(&["tick"]).code, 0);
        }
        assert_eq!(issuer.token_requests().len(), 1);
        // A refresh that names neither a life nor a new refresh token.
        for (body, requests) in [
            (r#"{"access_token":"at-2"}"#, 2),
            (r#"{"access_token":"at-3","refresh_token":"rt-3"}"#, 3),
        ] {
            issuer.answer_next(Scripted::text(200, body));
            assert_eq!(world.run(&["models", "auth", "refresh", "--force"]).code, 0);
            let ran = world.run(&TOKEN);
            assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
            assert_eq!(issuer.token_requests().len(), requests);
        }
    }
}

#[test]
fn a_token_that_claims_to_have_ended_lives_for_an_hour() {
    let claims = BASE64_URL_SAFE_NO_PAD.encode(r#"{"exp":1600000000}"#);
    for life in NO_LIFE {
        let body = format!(r#"{{"access_token":"x.{claims}.x","refresh_token":"rt"{life}}}"#);
        let (world, issuer) = logged_in(&body);
        for _ in 0..2 {
            assert_eq!(world.run(&TOKEN).code, 0);
            assert_eq!(world.run(&["tick"]).code, 0);
        }
        assert_eq!(issuer.token_requests().len(), 1, "{life}");
    }
}

#[test]
fn a_short_life_is_not_eaten_by_the_margin() {
    for life in [60, 300] {
        let body = format!(r#"{{"access_token":"at","refresh_token":"rt","expires_in":{life}}}"#);
        let (world, issuer) = logged_in(&body);
        issuer.answer_next(Scripted::text(200, &body));
        for requests in [1, 2] {
            for _ in 0..2 {
                assert_eq!(world.run(&TOKEN).out, "at\n");
                assert_eq!(world.run(&["tick"]).code, 0);
            }
            assert_eq!(issuer.token_requests().len(), requests, "{life}");
            let _ = world.run(&["models", "auth", "refresh", "--force"]);
        }
    }
}

#[test]
fn a_manifest_says_how_long_it_lives() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.write(
        "providers/openai-codex.toml",
        &(issuer.manifest() + "\n[refresh]\ndefault_life = \"2m\"\n"),
    );
    world.seed(&issuer, "main", -10);
    let body = r#"{"access_token":"at","refresh_token":"rt"}"#;
    issuer.answer_next(Scripted::text(200, body));
    assert_eq!(world.run(&TOKEN).code, 0);
    let expires = world.only_profile()["expires"].as_i64().unwrap();
    assert!((millis_from_now(60)..=millis_from_now(120)).contains(&expires));
}

#[test]
fn an_end_that_cannot_be_is_unknown_in_every_view() {
    for expires in [
        json!(1),
        json!(1.5),
        json!(0),
        json!(-7),
        json!(1_795_230_521_000_000_i64),
        json!(9e15),
    ] {
        let world = World::new();
        let token =
            json!({ "type": "token", "provider": "anthropic", "token": "tok", "expires": expires });
        let store: Value = json!({ "version": 1, "profiles": { "anthropic:manual": token } });
        world.write("agents/main/agent/auth-profiles.json", &store.to_string());
        let ran = world.run(&["models", "auth", "token", "--provider", "anthropic"]);
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (0, "tok\n"),
            "{expires}: {ran:?}"
        );
        for args in [
            ["models", "auth", "list"].as_slice(),
            &["models", "status"],
            &["models", "auth", "explain", "--provider", "anthropic"],
        ] {
            let ran = world.run(args);
            let mut lines = ran
                .out
                .lines()
                .filter(|line| line.contains("anthropic:manual"));
            let is_end = |line: &str| line.contains("expired") || line.contains("expires in");
            assert!(!lines.any(is_end), "{expires}: {ran:?}");
        }
    }
}
