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
