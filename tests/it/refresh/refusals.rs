//! Which answers mean that a person must log in again, under whatever name, and what status says of
//! a login that fails again and again.

use crate::support::World;
use crate::support::issuer::{Account, Issuer, Scripted};

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];
const FORCE: [&str; 4] = ["models", "auth", "refresh", "--force"];

fn answered(status: u16, body: &str) -> (World, Issuer) {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    issuer.answer_next(Scripted::text(status, body));
    (world, issuer)
}

#[test]
fn a_refusal_by_another_name_asks_for_a_new_login() {
    for body in [
        r#"{"error":"invalid_request","error_description":"Invalid refresh token or client_id"}"#,
        r#"{"error":"bad_refresh_token","error_description":"The refresh token passed is incorrect or expired."}"#,
        r#"{"error":"interaction_required"}"#,
        r#"{"error":"consent_required"}"#,
        r#"{"error":"login_required"}"#,
        r#"{"error":"INVALID_GRANT"}"#,
        r#"{"error":{"code":400,"message":"TOKEN_EXPIRED","status":"INVALID_ARGUMENT"}}"#,
        "error=bad_refresh_token&error_description=incorrect",
        r#"{"error":"invalid_grant: Token has been expired or revoked."}"#,
        r#"{"error":"invalidGrant"}"#,
        r#"{"error":"RefreshTokenExpired"}"#,
        r#"{"error":"bad","error_description":"invalid_grant: gone"}"#,
        r#"{"error":"bad","error_description":"Unknown refresh token"}"#,
        r#"{"message":"The refresh token is no longer valid","error":"bad"}"#,
        r#"{"errors":[{"code":"invalid_grant"}],"error":true}"#,
        r#"[{"error":"invalid_grant"}]"#,
        r#"{"error":["invalid_grant"]}"#,
        r#"{"data":{"error":"invalid_grant"},"success":false}"#,
    ] {
        for status in [200, 400] {
            let (world, issuer) = answered(status, body);
            let ran = world.run(&TOKEN);
            assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{body}: {ran:?}");
            assert!(ran.err.contains("models auth login"), "{ran:?}");
            let status = world.run(&["models", "status", "--json"]);
            assert!(status.out.contains("\"refused\""), "{status:?}");
            assert_eq!(world.run(&TOKEN).code, 3);
            assert_eq!(issuer.token_requests().len(), 1);
        }
    }
}

#[test]
fn a_refusal_in_plain_text_or_a_list_asks_for_a_new_login() {
    for body in [
        "invalid_grant",
        "invalid_grant: Token has been revoked",
        r#"{"errors":[{"code":"invalid_grant"}]}"#,
        r#"{"title":"invalid_grant"}"#,
        r#"{"__type":"ExpiredTokenException"}"#,
        r#"{"detail":[{"msg":"refresh token inactive"}]}"#,
    ] {
        let (world, issuer) = answered(400, body);
        for _ in 0..2 {
            assert_eq!(world.run(&TOKEN).code, 3, "{body}");
        }
        assert_eq!(issuer.token_requests().len(), 1);
    }
}

#[test]
fn trouble_that_passes_and_faults_of_the_request_leave_the_login_alive() {
    for (status, code, description) in [
        (
            400,
            "temporarily_unavailable",
            "invalid response while redeeming refresh token",
        ),
        (
            401,
            "server_error",
            "internal error: expired connection of the refresh token",
        ),
        (
            403,
            "rate_limit_exceeded",
            "Too many invalid attempts with this refresh token",
        ),
        (
            400,
            "invalid_request",
            "Invalid value: expected authorization_code or refresh_token",
        ),
        (
            400,
            "invalid_request",
            "Invalid request: missing parameter refresh_token",
        ),
        (
            400,
            "unsupported_grant_type",
            "Invalid grant_type refresh_token",
        ),
    ] {
        let body = serde_json::json!({ "error": code, "error_description": description });
        let (world, _issuer) = answered(status, &body.to_string());
        let ran = world.run(&TOKEN);
        assert_eq!(ran.code, 4, "{code}: {ran:?}");
        assert_eq!(world.run(&FORCE).code, 0, "{code}");
    }
}

#[test]
fn a_token_that_the_server_quotes_in_an_encoding_is_hidden_everywhere() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    let path = "agents/main/agent/auth-profiles.json";
    let mut store = world.store();
    let profiles = store["profiles"].as_object_mut().unwrap();
    profiles.values_mut().next().unwrap()["refresh"] = "1//0gSECRET+x".into();
    world.write(path, &store.to_string());
    let quoted = "refresh_token=1%2F%2F0gSECRET%2Bx 1%2f%2f0gSECRET%2bx";
    for body in [
        format!(r#"{{"error":"x","error_description":"{quoted}"}}"#),
        format!("<!DOCTYPE html><title>{quoted}</title>"),
    ] {
        issuer.answer_next(Scripted::text(400, &body));
        let ran = world.run(&FORCE);
        assert!(ran.err.contains("(hidden) (hidden)"), "{ran:?}");
        for args in [
            ["models", "status"].as_slice(),
            &["models", "status", "--json"],
        ] {
            let status = world.run(args);
            assert!(!status.out.contains("0gSECRET"), "{status:?}");
        }
        let journal = std::process::Command::new("grep")
            .args(["-rl", "0gSECRET"])
            .arg(world.state())
            .output()
            .unwrap();
        let holders = String::from_utf8(journal.stdout).unwrap();
        assert!(
            holders.lines().all(|line| line.ends_with(path)),
            "{holders}"
        );
    }
}

#[test]
fn a_manifest_says_what_else_is_a_refusal() {
    let refusals = "\n[dialect.refusals]\ncodes = [\"E1007\"]\ndescriptions = [\"session * over\"]\nstatuses = [418]\n";
    for (status, body) in [
        (400, r#"{"error":"e1007"}"#),
        (
            403,
            r#"{"error":"x","error_description":"Your session is over"}"#,
        ),
        (418, ""),
    ] {
        let (world, issuer) = answered(status, body);
        assert_eq!(world.run(&TOKEN).code, 4, "{body}");
        world.write(
            "providers/openai-codex.toml",
            &(issuer.manifest() + refusals),
        );
        issuer.answer_next(Scripted::text(status, body));
        assert_eq!(world.run(&FORCE).code, 3, "{body}");
    }
}

#[test]
fn status_tells_of_a_login_that_fails_again_and_again() {
    let body = r#"{"error":"invalid_request","error_description":"something else"}"#;
    let (world, issuer) = answered(400, body);
    for _ in 0..2 {
        issuer.answer_next(Scripted::text(400, body));
    }
    for count in 1..=3 {
        assert_eq!(world.run(&FORCE).code, 4);
        let status = world.run(&["models", "status", "--json"]);
        let status: serde_json::Value = serde_json::from_str(&status.out).unwrap();
        let text = status.to_string();
        assert!(text.contains(&format!("\"attempts\":{count}")), "{text}");
        assert!(text.contains("something else"), "{text}");
    }
    let status = world.run(&["models", "status"]);
    assert!(status.out.contains("refresh failed 3 times"), "{status:?}");
    let status = world.run(&["models", "status", "--json"]);
    assert!(status.out.contains("\"retrying\""), "{status:?}");
}

#[test]
fn an_error_with_status_200_leaves_no_file() {
    for body in [
        r#"{"error":"temporarily_unavailable"}"#,
        r#"{"error":"invalid_grant"}"#,
        r#"{"error":"invalid_grant","refresh_token":"rt-x"}"#,
    ] {
        let (world, _issuer) = answered(200, body);
        assert_ne!(world.run(&TOKEN).code, 0, "{body}");
        let left = std::fs::read_dir(world.state().join("rescue")).unwrap();
        assert_eq!(left.count(), 0, "{body}");
    }
}
