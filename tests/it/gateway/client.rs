//! `auth status` and `auth logout` against a gateway that answers as it should: what is asked, what
//! is printed, and the exit codes.

use serde_json::{Value, json};

use crate::support::stand_in_gateway::StandInGateway;
use crate::support::{Ran, World, ran};

const ACTIVE: &str = r#"{"authenticated":true,"provider_name":"openai-codex"}"#;
const OUT: &str = r#"{"status":"logged out","revoked":true}"#;

/// Runs a command with the URL of the gateway, and other variables.
fn ask(gateway: &StandInGateway, args: &[&str], env: &[(&str, &str)]) -> Ran {
    let world = World::new();
    let mut command = world.command(args);
    command.env("GOCLAW_GATEWAY_URL", gateway.url());
    ran(command.envs(env.iter().copied()).output().unwrap())
}

/// The same, and what came of it: the code and what is said.
fn asked(status: u16, body: &str, args: &[&str]) -> Ran {
    ask(&StandInGateway::json(status, body), args, &[])
}

#[test]
fn an_active_login_is_told_in_two_lines() {
    let gateway = StandInGateway::json(200, ACTIVE);
    for args in [
        &["auth", "status"][..],
        &["auth", "status", "openai"],
        &["auth", "status", "openai-codex"],
        &["auth", "status", "chatgpt", "--check"],
    ] {
        let ran = ask(&gateway, args, &[]);
        assert_eq!(
            ran.out,
            "OpenAI OAuth: active (provider: openai-codex)\n\
             Use model prefix 'openai-codex/' in agent config (e.g. openai-codex/gpt-4o).\n",
        );
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    }
    let requests = gateway.requests();
    assert_eq!(requests.len(), 4);
    for request in requests {
        assert!(request.starts_with("GET /v1/auth/openai/status HTTP/1.1\r\n"));
        assert!(
            !request.to_lowercase().contains("authorization"),
            "{request}"
        );
    }
}

#[test]
fn no_login_is_no_failure_unless_that_is_asked_for() {
    let body = r#"{"authenticated":false}"#;
    let told = "No OAuth tokens found.\nUse the web UI to authenticate with ChatGPT OAuth.\n";
    let ran = asked(200, body, &["auth", "status"]);
    assert_eq!(
        (ran.code, ran.out.as_str(), ran.err.as_str()),
        (0, told, "")
    );
    let ran = asked(200, body, &["auth", "status", "--check"]);
    assert_eq!((ran.code, ran.out.as_str()), (3, told));
    let ran = asked(200, body, &["auth", "status", "anthropic"]);
    assert!(
        ran.out
            .ends_with("\nUse the web UI to authenticate with Anthropic.\n")
    );
}

#[test]
fn another_provider_has_its_own_path_and_line() {
    let gateway = StandInGateway::json(200, r#"{"authenticated":true,"provider_name":"suno"}"#);
    let ran = ask(&gateway, &["auth", "status", "suno"], &[]);
    assert_eq!(ran.out, "Suno: active (provider: suno)\n", "{ran:?}");
    let asked = gateway.requests().remove(0);
    assert!(asked.starts_with("GET /v1/auth/suno/status HTTP/1.1\r\n"));
}

#[test]
fn a_dead_login_is_a_failure_that_says_what_to_do() {
    let body = r#"{"authenticated":false,"error":"token invalid or expired"}"#;
    let ran = asked(200, body, &["auth", "status"]);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{ran:?}");
    assert!(ran.err.starts_with("Error: token invalid or expired\n"));
    assert!(
        ran.err
            .contains("Try: openclaw auth logout, then connect again")
    );
    let ran = asked(200, body, &["auth", "status", "anthropic"]);
    assert!(
        ran.err
            .contains("Try: openclaw auth logout anthropic, then")
    );
    let body = r#"{"authenticated":false,"error":"token invalid or expired","detail":"it ended","refreshable":true}"#;
    let ran = asked(200, body, &["auth", "status"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(
        ran.err
            .starts_with("Error: token invalid or expired (it ended)\n")
    );
    assert!(
        ran.err.contains("Try: openclaw auth status again soon"),
        "{ran:?}"
    );
    assert!(!ran.err.contains("logout"), "{ran:?}");
}

#[test]
fn a_logout_is_posted_once_and_told() {
    let gateway = StandInGateway::json(200, OUT);
    for args in [&["auth", "logout"][..], &["auth", "logout", "openai"]] {
        let ran = ask(&gateway, args, &[]);
        assert_eq!((ran.code, ran.out.as_str()), (0, "OAuth tokens removed.\n"));
        assert_eq!(ran.err, "");
    }
    let requests = gateway.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        assert!(request.starts_with("POST /v1/auth/openai/logout HTTP/1.1\r\n"));
        assert!(request.ends_with("\r\n\r\n{}"), "{request}");
    }
    let ran = asked(200, r#"{"status":"logged out"}"#, &["auth", "logout"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let unrevoked = r#"{"status":"logged out","revoked":false}"#;
    let ran = asked(200, unrevoked, &["auth", "logout"]);
    assert_eq!(ran.code, 0);
    assert!(
        ran.err
            .starts_with("Warning: the login was not revoked at the provider")
    );
}

#[test]
fn programs_get_json() {
    let gateway = StandInGateway::json(200, ACTIVE);
    let ran = ask(&gateway, &["auth", "status", "--json"], &[]);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        told,
        json!({ "gateway": gateway.url(), "provider": "openai-codex", "authenticated": true,
            "provider_name": "openai-codex", "error": null, "detail": null, "refreshable": false })
    );
    let dead = r#"{"authenticated":false,"error":"token invalid or expired"}"#;
    let ran = asked(200, dead, &["auth", "status", "--json"]);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (ran.code, &told["error"]),
        (3, &json!("token invalid or expired"))
    );
    let ran = asked(200, OUT, &["auth", "logout", "--json"]);
    let told: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (&told["status"], &told["revoked"]),
        (&json!("logged out"), &json!(true))
    );
}

#[test]
fn each_refusal_has_its_exit_code_and_words() {
    for (status, body, code, words) in [
        (
            401,
            r#"{"error":"unauthorized"}"#,
            1,
            "GOCLAW_TOKEN is not set",
        ),
        (401, "<html>", 1, "GOCLAW_TOKEN is not set"),
        (403, r#"{"error":"forbidden"}"#, 1, "GOCLAW_TOKEN"),
        (400, r#"{"error":"no such name"}"#, 1, "no such name"),
        (
            404,
            r#"{"error":"unknown provider: openai"}"#,
            1,
            "unknown provider: openai",
        ),
        (429, r#"{"error":"slow down"}"#, 4, "slow down"),
        (500, r#"{"error":"it broke"}"#, 4, "it broke"),
        (500, r#"{}"#, 4, "status 500"),
        (503, r#"{"error":"no place","code":"busy"}"#, 4, "no place"),
        (
            503,
            r#"{"error":"no rows","code":"database_unavailable"}"#,
            5,
            "no rows",
        ),
        (
            503,
            r#"{"error":"who knows","code":"outcome_unknown"}"#,
            7,
            "who knows",
        ),
    ] {
        for args in [["auth", "status"], ["auth", "logout"]] {
            let ran = asked(status, body, &args);
            assert_eq!(
                (ran.code, ran.out.as_str()),
                (code, ""),
                "{status} {body} {ran:?}"
            );
            assert!(ran.err.contains(words), "{ran:?}");
        }
    }
    let busy = StandInGateway::answering(429, "application/json", "retry-after: 7\r\n", "{}");
    let ran = ask(&busy, &["auth", "status"], &[]);
    assert!(
        ran.err.contains("Try: run the command again in 7s\n"),
        "{ran:?}"
    );
}

#[test]
fn a_gateway_that_is_not_there_is_named() {
    // Nobody but root listens there, and nobody does.
    for args in [["auth", "status"], ["auth", "logout"]] {
        let world = World::new();
        let mut command = world.command(&args);
        let ran = ran(command.env("GOCLAW_PORT", "1").output().unwrap());
        assert_eq!((ran.code, ran.out.as_str()), (4, ""), "{ran:?}");
        let words = "Error: cannot reach gateway at http://127.0.0.1:1: could not connect";
        assert!(ran.err.starts_with(words), "{ran:?}");
        assert!(ran.err.contains("No credentials were changed."), "{ran:?}");
        assert!(ran.err.contains("Try: openclaw gateway run\n"), "{ran:?}");
    }
}

#[test]
fn an_unknown_provider_is_told_without_a_request() {
    let gateway = StandInGateway::json(200, OUT);
    for action in ["status", "logout"] {
        let ran = ask(&gateway, &["auth", action, "xyz"], &[]);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""));
        assert!(
            ran.err.starts_with("Error: unknown provider: xyz\n"),
            "{ran:?}"
        );
    }
    assert!(gateway.requests().is_empty());
}

#[test]
fn the_address_is_put_together_from_what_is_set() {
    let gateway = StandInGateway::json(200, ACTIVE);
    let port = gateway.port.to_string();
    let status = |args: &[&str], env: &[(&str, &str)]| {
        let world = World::new();
        let mut command = world.command(&["auth", "status"]);
        command.args(args).envs(env.iter().copied());
        ran(command.output().unwrap()).code
    };
    let url = gateway.url() + "///";
    let nowhere = ("GOCLAW_PORT", "1");
    assert_eq!(status(&[], &[("GOCLAW_PORT", &port)]), 0);
    assert_eq!(
        status(&[], &[("GOCLAW_PORT", &port), ("GOCLAW_HOST", "localhost")]),
        0
    );
    assert_eq!(
        status(&[], &[("GOCLAW_PORT", &port), ("GOCLAW_HOST", "0.0.0.0")]),
        0
    );
    assert_eq!(status(&[], &[nowhere, ("GOCLAW_GATEWAY_URL", &url)]), 0);
    assert_eq!(status(&["--gateway-url", &url], &[nowhere]), 0);
    let count = gateway.requests().len();
    assert_eq!(count, 5);
    for wrong in [
        ("GOCLAW_PORT", "0"),
        ("GOCLAW_HOST", "a/b"),
        ("GOCLAW_GATEWAY_URL", "https://user:s3cret@gateway.test"),
        ("GOCLAW_GATEWAY_URL", "https://gateway.test?key=s3cret"),
    ] {
        let world = World::new();
        let mut command = world.command(&["auth", "status"]);
        let ran = ran(command.envs([wrong]).output().unwrap());
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(
            ran.err.contains(wrong.0) && !ran.err.contains("s3cret"),
            "{ran:?}"
        );
    }
    // A proxy could not reach this machine, and would be told the token.
    let proxies = ["http_proxy", "HTTP_PROXY", "ALL_PROXY", "https_proxy"];
    let mut env: Vec<_> = proxies
        .iter()
        .map(|name| (*name, "http://127.0.0.1:1"))
        .collect();
    env.push(("GOCLAW_PORT", &port));
    assert_eq!(status(&[], &env), 0);
}

#[test]
fn a_base_path_is_kept() {
    let gateway = StandInGateway::json(200, ACTIVE);
    let url = gateway.url() + "/behind/";
    let world = World::new();
    let mut command = world.command(&["auth", "status", "--gateway-url", &url]);
    assert_eq!(ran(command.output().unwrap()).code, 0);
    let asked = gateway.requests().remove(0);
    assert!(
        asked.starts_with("GET /behind/v1/auth/openai/status HTTP/1.1"),
        "{asked}"
    );
}
