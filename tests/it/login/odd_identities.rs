//! Logins that do not tell their account where it should stand: each is kept, under a name that can
//! be, for its code is spent.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::login::browser::logged_in;
use crate::support::World;
use crate::support::issuer::{Account, Issuer, Scripted};

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];

fn jwt(claims: &Value) -> String {
    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.c2ln", part(&json!({ "alg": "RS256" })), part(claims))
}

/// Logs in, with these claims in the ID token and none elsewhere; the profile.
fn login(world: &World, issuer: &Issuer, claims: &Value) -> String {
    let body = json!({
        "access_token": "opaque-MARKER", "refresh_token": "rt-MARKER", "expires_in": 3_600,
        "id_token": jwt(claims),
    });
    issuer.answer_next(Scripted::text(200, &body.to_string()));
    logged_in(world, &[])
}

#[test]
fn an_email_with_characters_that_no_profile_can_hold_is_escaped() {
    for (email, profile) in [
        ("team/me@example.com", "openai-codex:team%2Fme@example.com"),
        (r"corp\me@example.com", "openai-codex:corp%5Cme@example.com"),
    ] {
        let (world, _issuer) = World::with_issuer(Account {
            email: Some(email.to_owned()),
            ..Account::default()
        });
        for _ in 0..2 {
            assert_eq!(logged_in(&world, &[]), profile);
        }
        assert_eq!(world.only_profile()["email"], email);
        assert_eq!(world.run(&TOKEN).code, 0);
        let out = world.run(&["models", "auth", "logout", profile, "--yes"]);
        assert_eq!(out.code, 0, "{out:?}");
    }
}

#[test]
fn a_login_without_an_account_is_named_by_its_subject_or_default() {
    let long = "x".repeat(250);
    let cut = format!("openai-codex:{}", "x".repeat(180));
    for (claims, profile) in [
        (json!({ "sub": "User|1/a" }), "openai-codex:user|1%2Fa"),
        (json!({ "sub": 4_711 }), "openai-codex:4711"),
        (json!({ "sub": long }), cut.as_str()),
        (json!({ "sub": "a\u{1b}[2J" }), "openai-codex:default"),
        (json!({}), "openai-codex:default"),
    ] {
        let (world, issuer) = World::with_issuer(Account::default());
        assert_eq!(login(&world, &issuer, &claims), profile);
        let ran = world.run(&TOKEN);
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (0, "opaque-MARKER\n"),
            "{ran:?}"
        );
        assert_eq!(world.only_profile()["refresh"], "rt-MARKER");
    }
}

#[test]
fn the_same_subject_is_logged_in_in_place_and_another_one_beside_it() {
    let (world, issuer) = World::with_issuer(Account::default());
    let first = json!({ "sub": "user-1" });
    for _ in 0..2 {
        assert_eq!(login(&world, &issuer, &first), "openai-codex:user-1");
    }
    let second = json!({ "sub": "user-2" });
    assert_eq!(login(&world, &issuer, &second), "openai-codex:user-2");
    let profiles = world.store()["profiles"].as_object().unwrap().len();
    assert_eq!(profiles, 2);
}

#[test]
fn an_account_id_that_is_a_number_or_stands_elsewhere_is_found() {
    let (world, issuer) = World::with_issuer(Account::default());
    let id = "id = [\"access_token:/https:~1~1api.openai.com~1auth/chatgpt_account_id\"]";
    let ids = "id = [\"access_token:/account\", \"id_token:/account\"]";
    world.write(
        "providers/openai-codex.toml",
        &issuer.manifest().replace(id, ids),
    );
    login(&world, &issuer, &json!({ "account": 42, "sub": "user-1" }));
    assert_eq!(world.only_profile()["accountId"], "42");
}

#[test]
fn long_numbers_that_differ_in_one_digit_are_two_accounts() {
    let (world, issuer) = World::with_issuer(Account::default());
    let ids = ["117123456789012345671", "117123456789012345672"];
    for id in ids {
        let claims = BASE64_URL_SAFE_NO_PAD.encode(format!(r#"{{"sub":{id}}}"#));
        let body = json!({
            "access_token": "at", "refresh_token": format!("rt-{id}"), "expires_in": 3_600,
            "id_token": format!("e30.{claims}.c2ln"),
        });
        issuer.answer_next(Scripted::text(200, &body.to_string()));
        assert_eq!(logged_in(&world, &[]), format!("openai-codex:{id}"));
    }
    let store = world.store();
    for id in ids {
        let profile = &store["profiles"][format!("openai-codex:{id}")];
        assert_eq!(profile["refresh"], format!("rt-{id}"));
    }
}

#[test]
fn a_code_whose_answer_is_not_understood_is_never_sent_again() {
    let (world, issuer) = World::with_issuer(Account::default());
    let started = world.run(&[
        "models",
        "auth",
        "login",
        "--provider",
        "openai-codex",
        "--start",
        "--json",
    ]);
    assert_eq!(started.code, 0, "{started:?}");
    let started: Value = serde_json::from_str(started.out.lines().next().unwrap()).unwrap();
    let url = url::Url::parse(started["url"].as_str().unwrap()).unwrap();
    let parameter = |name: &str| {
        let pair = url.query_pairs().find(|(key, _)| key == name).unwrap();
        pair.1.into_owned()
    };
    let pasted = format!(
        "{}?code=ac-1&state={}",
        parameter("redirect_uri"),
        parameter("state")
    );
    issuer.answer_next(Scripted::text(200, "{}"));
    let finish = ["models", "auth", "login", "--finish", "--code-file", "-"];
    let first = world.pipe(&finish, &pasted);
    assert_eq!(first.code, 3, "{first:?}");
    let second = world.pipe(&finish, &pasted);
    assert_ne!(second.code, 0, "{second:?}");
    assert_eq!(issuer.token_requests().len(), 1);
}

/// What the failure of a dead login advises must renew it, also where nobody knows whose it is.
#[test]
fn a_dead_login_of_nobody_known_is_renewed_by_the_command_that_is_advised() {
    let (world, issuer) = World::with_issuer(Account::default());
    let profile = login(&world, &issuer, &json!({}));
    assert_eq!(profile, "openai-codex:default");
    issuer.answer_next(Scripted::text(400, r#"{"error":"invalid_grant"}"#));
    let dead = world.run(&["models", "auth", "refresh", "--force"]);
    let advised = "models auth login --provider openai-codex --profile-id openai-codex:default";
    assert!(dead.err.contains(advised), "{dead:?}");
    let anonymous = json!({ "access_token": "new-MARKER", "refresh_token": "rt-2-MARKER" });
    issuer.answer_next(Scripted::text(200, &anonymous.to_string()));
    assert_eq!(logged_in(&world, &["--profile-id", &profile]), profile);
    assert_eq!(world.run(&TOKEN).out, "new-MARKER\n");
    assert_eq!(world.only_profile()["refresh"], "rt-2-MARKER");
    let undone = world.run(&["models", "auth", "undo", &profile]);
    assert_eq!(undone.code, 0, "{undone:?}");
}
