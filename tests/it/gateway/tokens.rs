//! Tokens that programs ask a gateway for: from memory while they live, refreshed once however many ask,
//! and never one that is dead.

use std::time::Duration;

use serde_json::json;

use crate::support::World;
use crate::support::issuer::{Account, Issuer, Scripted};
use crate::support::running_gateway::{Gateway, TOKEN};

const PATH: &str = "/v1/token?provider=openai-codex";

/// A gateway whose only login has a token with so many seconds left.
fn world(left: i64) -> (World, Issuer, Gateway) {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", left);
    let gateway = Gateway::start(&world);
    (world, issuer, gateway)
}

fn refreshes(issuer: &Issuer) -> usize {
    issuer.token_requests().len()
}

#[test]
fn a_living_token_is_handed_out_without_a_request() {
    let (world, issuer, gateway) = world(3_600);
    let answer = gateway.get(PATH);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    let token = answer.json();
    assert_eq!(token["access_token"], world.only_profile()["access"]);
    assert_eq!(token["token_type"], "Bearer");
    assert_eq!(token["provider"], "openai-codex");
    let names: Vec<&String> = token.as_object().unwrap().keys().collect();
    let expected = [
        "access_token",
        "token_type",
        "expires_at",
        "provider",
        "profile",
        "account",
        "credential_type",
    ];
    assert_eq!(names, expected);
    assert_eq!(
        gateway.get("/v1/token").json(),
        token,
        "it is the only provider"
    );
    assert_eq!(refreshes(&issuer), 0);
    assert!(
        !answer
            .body
            .contains(world.only_profile()["refresh"].as_str().unwrap())
    );
}

#[test]
fn many_callers_for_an_expired_token_are_one_refresh() {
    let (_world, issuer, gateway) = world(600);
    issuer.set_delay(Duration::from_millis(200));
    // More than the token has left, so that all of them need another one.
    let path = format!("{PATH}&min_valid=1200");
    let tokens: Vec<String> = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..24)
            .map(|_| scope.spawn(|| gateway.get(&path)))
            .collect();
        let answers = callers.into_iter().map(|caller| caller.join().unwrap());
        answers
            .map(|answer| {
                assert_eq!(answer.status, 200, "{answer:?}");
                answer.json()["access_token"].as_str().unwrap().to_owned()
            })
            .collect()
    });
    assert!(tokens.iter().all(|token| *token == tokens[0]));
    assert_eq!(refreshes(&issuer), 1);
}

#[test]
fn who_asks_for_more_than_the_provider_gives_gets_what_was_just_refreshed() {
    let (world, issuer, gateway) = world(600);
    let path = format!("{PATH}&min_valid=80000");
    let mut answers = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..8).map(|_| scope.spawn(|| gateway.get(&path))).collect();
        let answers = callers.into_iter().map(|caller| caller.join().unwrap());
        answers.collect::<Vec<_>>()
    });
    // One that comes when all the others are done.
    answers.push(gateway.get(&path));
    let access = world.only_profile()["access"].clone();
    for answer in answers {
        assert_eq!(answer.status, 200, "{answer:?}");
        let token = answer.json();
        assert_eq!(token["access_token"], access);
        assert!(token["warning"].is_string(), "{token}");
    }
    assert_eq!(refreshes(&issuer), 1);
}

#[test]
fn what_is_due_is_refreshed_before_anybody_asks() {
    let (_world, issuer, gateway) = world(60);
    gateway.until("/v1/auth/openai/status", |status| {
        status["authenticated"] == true && refreshes(&issuer) == 1
    });
    assert_eq!(gateway.get(PATH).status, 200);
    assert_eq!(refreshes(&issuer), 1);
}

#[test]
fn a_refresh_that_fails_keeps_a_living_token_and_never_a_dead_one() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", 240);
    for _ in 0..32 {
        issuer.answer_next(Scripted {
            status: 503,
            ..Scripted::default()
        });
    }
    let gateway = Gateway::start(&world);
    // While the gateway's own refresh is on the wire there is nothing to warn of.
    gateway.until(PATH, |token| {
        assert!(token["access_token"].is_string(), "{token}");
        token["warning"].is_string()
    });
    let asked = gateway.get(&format!("{PATH}&min_valid=600"));
    assert_eq!(asked.status, 503, "{asked:?}");
    assert!(asked.header("Retry-After").is_some());
    drop(gateway);

    world.seed(&issuer, "main", -10);
    let gateway = Gateway::start(&world);
    let answer = gateway.get(PATH);
    assert_eq!(answer.status, 503, "{answer:?}");
    let status = gateway.get("/v1/auth/openai/status").json();
    assert_eq!(status["authenticated"], false);
    assert_eq!(status["error"], "token invalid or expired");
}

#[test]
fn a_refused_login_is_dead_for_every_caller() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed_with("main", -10, "access-MARKER", "refresh-nobody-knows");
    let gateway = Gateway::start(&world);
    let answer = gateway.get(PATH);
    assert_eq!(answer.status, 424, "{answer:?}");
    assert_eq!(answer.json()["code"], "login_needed");
    let status = gateway.until("/v1/auth/openai/status", |status| {
        !status["detail"].is_null()
    });
    assert_eq!(status["authenticated"], false);
    assert!(status.get("refreshable").is_none(), "{status}");
    assert_eq!(refreshes(&issuer), 1);
}

#[test]
fn what_another_command_does_is_seen() {
    let (world, _issuer, gateway) = world(3_600);
    assert_eq!(gateway.get(PATH).status, 200);
    let logout = world.run(&["models", "auth", "logout", "openai-codex:default", "--yes"]);
    assert_eq!(logout.code, 0, "{logout:?}");
    gateway.until("/v1/auth/openai/status", |status| {
        *status == json!({ "authenticated": false })
    });
    let answer = gateway.get(PATH);
    assert_eq!(answer.status, 424, "{answer:?}");
}

#[test]
fn what_was_not_understood_gets_its_status() {
    let (_world, _issuer, gateway) = world(3_600);
    for (path, status, code) in [
        ("/v1/token?provider=nobody", 404, "not_found"),
        ("/v1/token?provider=", 400, "invalid_parameters"),
        ("/v1/token?profile=openai-codex:none", 424, "login_needed"),
        (
            "/v1/token?provider=openai-codex&agent=nobody",
            404,
            "not_found",
        ),
        ("/v1/token?refresh_token=1", 400, "invalid_parameters"),
        ("/v1/token?min_valid=-1", 400, "invalid_parameters"),
        ("/v1/token?min_valid=99999999", 400, "invalid_parameters"),
        ("/v1/token?provider=a&provider=b", 400, "invalid_parameters"),
    ] {
        let answer = gateway.get(path);
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        assert_eq!(answer.json()["code"], code, "{path}");
    }
}

#[test]
fn a_store_that_cannot_be_read_is_told_and_what_was_known_stays() {
    let (world, _issuer, gateway) = world(3_600);
    assert_eq!(gateway.get("/readyz").status, 200);
    let store = "agents/main/agent/auth-profiles.json";
    let good = world.read(store);
    world.write(store, "{ \"version\": 1, \"profiles\": ");
    gateway.until("/v1/auth/openai/status", |status| {
        status["authenticated"] == false
    });
    let answer = gateway.get(PATH);
    assert_eq!(answer.status, 503, "{answer:?}");
    assert_eq!(answer.json()["code"], "database_unavailable");
    assert_eq!(world.read(store), "{ \"version\": 1, \"profiles\": ");
    world.write(store, &good);
    gateway.until("/v1/auth/openai/status", |status| {
        status["authenticated"] == true
    });
}

#[test]
fn no_token_is_in_the_log() {
    let (world, _issuer, gateway) = world(3_600);
    let access = world.only_profile()["access"].as_str().unwrap().to_owned();
    assert_eq!(gateway.get(PATH).status, 200);
    let ran = gateway.stop();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("token handed out"), "{ran:?}");
    for secret in [access.as_str(), TOKEN] {
        assert!(
            !ran.err.contains(secret) && !ran.out.contains(secret),
            "{ran:?}"
        );
    }
}

#[test]
fn a_refresh_on_the_wire_is_waited_for() {
    let (world, issuer, gateway) = world(600);
    let before = world.only_profile()["refresh"].clone();
    issuer.hold();
    std::thread::scope(|scope| {
        let path = format!("{PATH}&min_valid=1200");
        let asked = scope.spawn({
            let gateway = &gateway;
            move || gateway.get(&path)
        });
        while issuer.token_requests().is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        gateway.terminate();
        issuer.let_go();
        let answer = asked.join().unwrap();
        // Its caller asks again elsewhere; what counts is that nothing of it is lost.
        let is_told = answer.status == 200 || answer.json()["code"] == "draining";
        assert!(is_told, "{answer:?}");
    });
    let ran = gateway.ended();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_ne!(world.only_profile()["refresh"], before);
    assert_eq!(world.rescued(), Vec::<String>::new());
}
