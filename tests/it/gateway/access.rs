//! Who may ask, and for what: roles, scopes, the end of a key.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::keys::{add, revoke};
use crate::support::World;
use crate::support::running_gateway::{Answer, Gateway, TOKEN};

const FILE: &str = "gateway/keys.json";
const STATUS: &str = "/v1/auth/openai/status";

pub(super) fn bearer(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

pub(super) fn status(gateway: &Gateway, token: &str) -> Answer {
    gateway.ask("GET", STATUS, &bearer(token), "")
}

fn code(answer: &Answer) -> (u16, String) {
    let code = answer.json()["code"].as_str().unwrap().to_owned();
    (answer.status, code)
}

/// Asks until a key is refused, which takes no second unless the machine is slow.
fn until_refused(gateway: &Gateway, token: &str) {
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(5) {
        if status(gateway, token).status == 401 {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the key is still accepted");
}

#[test]
fn each_role_may_do_what_it_is_for() {
    let world = World::new();
    let gateway = Gateway::start(&world);
    let keys =
        ["admin", "operator", "viewer", "lease"].map(|role| add(&world, &["--role", role]).0);
    let see = [true, true, true, false];
    let change = [true, true, false, false];
    let manage = [true, false, false, false];
    // Of a provider that does not exist, so that what is allowed does nothing.
    for (method, path, allowed) in [
        ("GET", "/v1/auth/nobody/status", see),
        ("HEAD", "/v1/auth/openai/status", see),
        ("GET", "/v1/auth/chatgpt/nobody/flow", see),
        ("POST", "/v1/auth/nobody/start", change),
        ("POST", "/v1/auth/nobody/callback", change),
        ("POST", "/v1/auth/nobody/cancel", change),
        ("POST", "/v1/auth/nobody/credential", change),
        ("POST", "/v1/auth/chatgpt/nobody/logout", change),
        ("GET", "/v1/credentials", see),
        ("GET", "/metrics", see),
        (
            "GET",
            "/v1/token?provider=nobody",
            [true, false, false, true],
        ),
        ("GET", "/v1/keys", manage),
        ("POST", "/v1/keys", manage),
        ("DELETE", "/v1/keys/none", manage),
    ] {
        for (key, allowed) in keys.iter().zip(allowed) {
            let answer = gateway.ask(method, path, &bearer(key), "");
            assert_eq!(answer.status != 403, allowed, "{method} {path} {answer:?}");
            assert_ne!(answer.status, 401, "{method} {path} {answer:?}");
        }
    }
    let refused = gateway.ask("GET", "/v1/keys", &bearer(&keys[2]), "");
    assert_eq!(code(&refused), (403, "forbidden".to_owned()));
}

#[test]
fn whoever_has_no_good_key_gets_the_same_answer() {
    let world = World::new();
    let gateway = Gateway::start(&world);
    let (revoked, entry) = add(&world, &[]);
    revoke(&world, &entry);
    let wrong = "ock_0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let answers = [
        String::new(),
        bearer(wrong),
        bearer(&revoked),
        bearer(&TOKEN[1..]),
        format!("Authorization: Basic {TOKEN}\r\n"),
        bearer(TOKEN).repeat(2),
        format!("X-Api-Key: {TOKEN}\r\n"),
    ]
    .map(|headers| gateway.ask("GET", STATUS, &headers, ""));
    for answer in &answers {
        assert_eq!(answer.status, 401, "{answer:?}");
        assert_eq!(answer.json(), json!({ "error": "unauthorized" }));
    }
}

#[test]
fn a_key_for_one_provider_is_for_no_other() {
    let world = World::new();
    let gateway = Gateway::start(&world);
    let (key, _) = add(&world, &["--provider", "anthropic"]);
    let ask = |path: &str| gateway.ask("GET", path, &bearer(&key), "");
    assert_eq!(ask("/v1/auth/anthropic/status").status, 200);
    assert_eq!(ask("/v1/auth/chatgpt/anthropic/status").status, 200);
    for path in [
        STATUS,
        "/v1/auth/openai-codex/status",
        "/v1/auth/nobody/status",
    ] {
        assert_eq!(code(&ask(path)), (403, "scope".to_owned()), "{path}");
    }
    assert_eq!(code(&ask("/metrics")), (403, "scope".to_owned()));
    let listed = ask("/v1/credentials").json();
    for provider in listed["providers"].as_array().unwrap() {
        assert_eq!(provider["provider"], "anthropic");
    }
}

#[test]
fn a_key_for_one_network_is_for_no_other() {
    let world = World::new();
    let (near, _) = add(&world, &["--from", "127.0.0.0/8"]);
    let (far, _) = add(&world, &["--from", "203.0.113.0/24"]);
    let forwarded = |key: &str| format!("{}X-Forwarded-For: 203.0.113.9\r\n", bearer(key));
    let alone = Gateway::start(&world);
    assert_eq!(status(&alone, &near).status, 200);
    assert_eq!(code(&status(&alone, &far)), (403, "scope".to_owned()));
    // Whoever asks may write what they like.
    assert_eq!(alone.ask("GET", STATUS, &forwarded(&far), "").status, 403);
    let run = [
        "gateway",
        "run",
        "--listen",
        "127.0.0.1:0",
        "--trusted-proxy",
        "127.0.0.1",
    ];
    let behind_proxy = Gateway::of(world.command(&run));
    assert_eq!(
        behind_proxy.ask("GET", STATUS, &forwarded(&far), "").status,
        200
    );
    assert_eq!(
        behind_proxy
            .ask("GET", STATUS, &forwarded(&near), "")
            .status,
        403
    );
}

#[test]
fn keys_are_made_and_revoked_while_the_gateway_runs() {
    let world = World::new();
    let gateway = Gateway::start(&world);
    let (key, entry) = add(&world, &[]);
    assert_eq!(status(&gateway, &key).status, 200);
    revoke(&world, &entry);
    until_refused(&gateway, &key);
    assert_eq!(status(&gateway, TOKEN).status, 200);
}

#[test]
fn a_revoked_key_hears_of_no_more_changes() {
    let world = World::new();
    let gateway = Gateway::start(&world);
    let (key, entry) = add(&world, &[]);
    let mut stream = TcpStream::connect(&gateway.address).unwrap();
    let (address, header) = (&gateway.address, bearer(&key));
    let request = format!("GET /v1/events HTTP/1.1\r\nHost: {address}\r\n{header}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut heard = String::new();
    let mut buffer = [0; 1024];
    let mut listen = || {
        let count = stream.read(&mut buffer).unwrap();
        heard.push_str(&String::from_utf8_lossy(&buffer[..count]));
        heard.clone()
    };
    while !listen().contains("event: changed") {}
    revoke(&world, &entry);
    // The last chunk is empty. Until then there is a line every 15 seconds.
    let begun = Instant::now();
    while !listen().ends_with("\r\n0\r\n\r\n") {
        assert!(begun.elapsed() < Duration::from_secs(60), "{heard}");
    }
}

#[test]
fn a_key_ends_at_its_time() {
    let world = World::new();
    let gateway = Gateway::start(&world);
    let (key, _) = add(&world, &["--for", "1d"]);
    assert_eq!(status(&gateway, &key).status, 200);
    let mut file: Value = serde_json::from_str(&world.read(FILE)).unwrap();
    file["keys"][0]["notAfter"] = json!(1);
    world.write(FILE, &file.to_string());
    until_refused(&gateway, &key);
    let listed = world.run(&["gateway", "key", "list"]);
    assert!(listed.out.contains("expired"), "{listed:?}");
}

#[test]
fn a_limit_that_does_not_suit_the_role_opens_nothing() {
    let world = World::new();
    let gateway = Gateway::start(&world);
    let (key, _) = add(&world, &[]);
    let mut file: Value = serde_json::from_str(&world.read(FILE)).unwrap();
    file["keys"][0]["scope"]["agents"] = json!(["work"]);
    world.write(FILE, &file.to_string());
    until_refused(&gateway, &key);
}

#[test]
fn with_a_damaged_file_only_the_gateways_own_token_is_good() {
    let world = World::new();
    let gateway = Gateway::start(&world);
    let (key, _) = add(&world, &["--role", "admin"]);
    assert_eq!(status(&gateway, &key).status, 200);
    world.write(FILE, "{");
    until_refused(&gateway, &key);
    assert_eq!(status(&gateway, TOKEN).status, 200);
    let list = gateway.ask("GET", "/v1/keys", &bearer(TOKEN), "");
    assert_eq!(list.status, 503, "{list:?}");
    assert_eq!(world.read(FILE), "{");
    let log = gateway.stop().err;
    assert!(log.contains("keys.json cannot be understood"), "{log}");
    assert!(log.contains("only the gateway's own token"), "{log}");
    // The next one says so at once.
    let log = Gateway::start(&world).stop().err;
    assert!(log.contains("only the gateway's own token"), "{log}");
}

#[test]
fn keys_are_managed_over_http() {
    let world = World::new();
    let gateway = Gateway::start(&world);
    let asked =
        json!({ "name": "ci", "role": "lease", "providers": ["anthropic"], "expires_in": 60 });
    let made = gateway.post("/v1/keys", &asked);
    assert_eq!(made.status, 200, "{made:?}");
    let made = made.json();
    let key = made["key"].as_str().unwrap();
    assert_eq!(
        (&made["state"], &made["scope"]["providers"]),
        (&json!("active"), &json!(["anthropic"]))
    );
    assert_eq!(status(&gateway, key).status, 403);
    let listed = gateway.get("/v1/keys");
    assert!(!listed.body.contains(&key[4..]), "{listed:?}");
    assert_eq!(listed.json()["keys"][0]["id"], made["id"]);
    for wrong in [
        json!({ "role": "lease", "expires_in": 91 * 24 * 3_600 }),
        json!({ "role": "admin", "providers": ["anthropic"] }),
        json!({ "networks": ["home"] }),
    ] {
        let answer = gateway.post("/v1/keys", &wrong);
        assert_eq!(answer.status, 400, "{wrong} {answer:?}");
    }
    let path = format!("/v1/keys/{}", made["id"].as_str().unwrap());
    let revoked = gateway.ask("DELETE", &path, &bearer(TOKEN), "");
    assert_eq!(
        (revoked.status, &revoked.json()["state"]),
        (200, &json!("revoked"))
    );
    until_refused(&gateway, key);
    let unknown = gateway.ask("DELETE", "/v1/keys/none", &bearer(TOKEN), "");
    assert_eq!(unknown.status, 404, "{unknown:?}");
    let log = gateway.stop().err;
    assert!(
        log.contains("key added") && log.contains("key revoked"),
        "{log}"
    );
    assert!(!log.contains(&key[4..]), "{log}");
}
