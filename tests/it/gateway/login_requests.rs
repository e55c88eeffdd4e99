//! Requests of a login that are not as they should be, and those that store a key instead.

use serde_json::json;

use super::login::{CALLBACK, CANCEL, FLOW, START, code_of, world};
use crate::support::running_gateway::TOKEN;

#[test]
fn a_key_is_stored_and_never_told() {
    let (world, _issuer, gateway) = world();
    let no_browser = gateway.post_nothing("/v1/auth/openrouter2/start");
    assert_eq!(no_browser.status, 404, "{no_browser:?}");
    assert_eq!(no_browser.json()["error"], "unknown provider: openrouter2");
    let needs = gateway.post_nothing("/v1/auth/deepseek/start");
    assert_eq!(
        (needs.status, code_of(&needs)),
        (400, "needs_token".to_owned())
    );
    let key = "sk-0123456789abcdef0123456789abcdef";
    let path = "/v1/auth/deepseek/credential";
    let stored = gateway.post(path, &json!({ "api_key": key }));
    assert_eq!(stored.status, 200, "{stored:?}");
    assert_eq!(stored.json()["provider_name"], "deepseek");
    assert!(!stored.body.contains(key));
    let profile = stored.json()["provider_id"].as_str().unwrap().to_owned();
    assert_eq!(world.store()["profiles"][&profile]["key"], key);
    for body in [
        json!({}),
        json!({ "api_key": key, "token": key }),
        json!({ "api_key": " " }),
    ] {
        let answer = gateway.post(path, &body);
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        assert!(!answer.body.contains(key), "{answer:?}");
    }
}

#[test]
fn bodies_have_limits() {
    let (_world, _issuer, gateway) = world();
    let long = "x".repeat(9 * 1024);
    let bodies = [
        (CALLBACK, json!({ "redirect_url": long }), 400),
        (
            CALLBACK,
            json!({ "redirect_url": "x".repeat(17 * 1024) }),
            413,
        ),
        (CALLBACK, json!({}), 400),
        (CALLBACK, json!({ "redirect_url": 7 }), 400),
        (START, json!({ "display_name": "a".repeat(129) }), 400),
        (START, json!({ "display_name": "a\u{1b}[1m" }), 400),
        (START, json!({ "api_base": "https://proxy.example" }), 400),
        (START, json!({ "agent": "nobody" }), 404),
        (START, json!({ "other": true }), 400),
    ];
    for (path, body, status) in bodies {
        let answer = gateway.post(path, &body);
        assert_eq!(answer.status, status, "{answer:?}");
    }
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let bearer = format!("Authorization: Bearer {TOKEN}\r\n");
    let answer = gateway.ask("POST", START, &format!("{bearer}{form}"), "display_name=a");
    assert_eq!(answer.status, 415, "{answer:?}");
    for path in [START, CALLBACK, CANCEL, "/v1/auth/openai/logout"] {
        let answer = gateway.ask("POST", path, "", "");
        assert_eq!(answer.status, 401, "{path}: {answer:?}");
    }
    assert_eq!(gateway.get(FLOW).json(), json!({ "state": "idle" }));
}
