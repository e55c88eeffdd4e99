//! Which provider a path names.

use serde_json::json;

use crate::support::World;
use crate::support::issuer::Account;
use crate::support::running_gateway::Gateway;

#[test]
fn a_name_that_is_no_text_is_no_provider() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", 3_600);
    let gateway = Gateway::start(&world);
    for path in [
        "/v1/auth/%FF/logout",
        "/v1/auth/chatgpt/%FF/logout",
        "/v1/auth/chatgpt/%C3/logout",
    ] {
        let answer = gateway.post_nothing(path);
        assert_eq!(answer.status, 400, "{path}: {answer:?}");
        assert_eq!(answer.json()["code"], "invalid_provider");
    }
    assert_eq!(world.only_profile()["provider"], "openai-codex");
    // The provider of that name, and not the login that its path stands for.
    let other = gateway.get("/v1/auth/chatgpt/openai/status").json();
    assert_eq!(other["authenticated"], false);
    assert_eq!(
        gateway.get("/v1/auth/openai/status").json()["authenticated"],
        true
    );
}

#[test]
fn a_profile_of_another_provider_is_not_had_by_its_name() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", 3_600);
    let before = world.only_profile();
    let gateway = Gateway::start(&world);
    let key = world.run(&[
        "gateway",
        "key",
        "add",
        "--role",
        "lease",
        "--provider",
        "suno",
    ]);
    let lease = format!("Authorization: Bearer {}\r\n", key.out.trim());
    for name in ["openai-codex:default", "default"] {
        let path = format!("/v1/token?provider=suno&profile={name}");
        let answer = gateway.ask("GET", &path, &lease, "");
        assert!(matches!(answer.status, 404 | 424), "{answer:?}");
        assert!(!answer.body.contains(before["access"].as_str().unwrap()));
        let body = json!({ "token": "abcdefghijk", "profile": name });
        let stored = gateway.post("/v1/auth/suno/credential", &body);
        assert_eq!(
            world.store()["profiles"]["openai-codex:default"],
            before,
            "{stored:?}"
        );
    }
    let body = json!({ "token": "abcdefghijk", "profile": "openai-codex:default" });
    let refused = gateway.post("/v1/auth/suno/credential", &body);
    assert_eq!(refused.status, 404, "{refused:?}");
    // What no command line would take as the name of a new one, either.
    let long = "a".repeat(300);
    for name in [
        "suno:\u{7}",
        "suno:a\nb",
        "suno:\u{202e}a",
        "suno:\0",
        &*long,
    ] {
        let credential = json!({ "token": "abcdefghijk", "profile": name });
        for (path, body) in [
            ("credential", credential),
            ("logout", json!({ "profile": name })),
        ] {
            let answer = gateway.post(&format!("/v1/auth/suno/{path}"), &body);
            assert_eq!(answer.status, 400, "{name:?}: {answer:?}");
        }
    }
    let answer = gateway.get("/v1/token?provider=suno&profile=suno:%00");
    assert_eq!(answer.status, 400, "{answer:?}");
    let status = gateway.get("/v1/auth/openai/status").json();
    assert_eq!(status["authenticated"], true);
}
