//! A server that lies, and secrets that must not be seen.

use super::*;
use crate::support::issuer::Scripted;

/// A login at a server that gives out these codes: what it printed. Nothing is polled or stored.
fn refused(codes: Codes) -> Ran {
    let (world, issuer) = World::with_builtin("github-copilot");
    issuer.set_device_codes(codes);
    let (ran, events) = login(&world, "github-copilot", &["-vvv"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(names(&events), ["policy", "error"]);
    assert_eq!(issuer.token_requests().len(), 0);
    let odd = |c: char| c.is_control() && c != '\n';
    assert!(!ran.err.contains(odd) && !ran.out.contains(odd), "{ran:?}");
    assert!(!stored_anything(&world));
    ran
}

#[test]
fn rfc8628_5_4_a_verification_address_elsewhere_is_not_shown_as_one() {
    for uri in [
        "https://evil.example/login/device",
        "https://127.0.0.1.evil.example/",
        "https://127.0.0.1@evil.example/",
        "http://evil.example/",
        "http://192.0.2.1/",
        "data:text/html,x",
        "\u{1b}[2Jhttps://evil.example/\r\n",
    ] {
        let ran = refused(Codes {
            verification_uri: Some(uri.to_owned()),
            ..Codes::default()
        });
        assert!(!ran.err.contains("WDJB-MJHT"), "{ran:?}");
        assert!(ran.err.contains("no code was shown"), "{ran:?}");
    }
}

#[test]
fn a_user_code_that_steers_a_terminal_is_not_shown() {
    for code in [
        "WDJB\u{1b}[2J\u{1b}[1;1H",
        "A\nSaved profile x",
        "A\u{202e}B",
    ] {
        let ran = refused(Codes {
            user_code: code.to_owned(),
            ..Codes::default()
        });
        assert!(!ran.err.contains("Saved profile"), "{ran:?}");
    }
    refused(Codes {
        user_code: "x".repeat(65),
        ..Codes::default()
    });
}

#[test]
fn no_secret_of_a_device_login_is_seen() {
    for provider in [
        "openai-codex",
        "github-copilot",
        "qwen-portal",
        "minimax-portal",
    ] {
        let (world, issuer) = World::with_builtin(provider);
        let (ran, _) = login(&world, provider, &["-vvv"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        let mut seen = format!("{}{}", ran.out, ran.err);
        // A server that quotes what it was sent.
        let sent = issuer.token_requests().pop().unwrap();
        let quoted: Vec<_> = sent.iter().map(|(_, value)| value.as_str()).collect();
        issuer.answer_next(Scripted {
            status: 400,
            body: serde_json::json!({
                "error": "invalid_request", "error_description": quoted.join(" "),
                "access_token": "at-MARKER",
            })
            .to_string(),
            ..Scripted::default()
        });
        let (ran, _) = login(&world, provider, &["-vvv"]);
        assert_ne!(ran.code, 0, "{ran:?}");
        seen.push_str(&format!("{}{}", ran.out, ran.err));
        assert!(seen.contains("WDJB-MJHT"), "{seen}");
        // The first login's code and verifier are quoted, and unknown to the second.
        let first = ["device_code", "code_verifier", "code"];
        let is_secret = |name: &str| first.contains(&name);
        let sent = issuer.token_requests().into_iter().skip(1).flatten();
        let mut secrets: Vec<String> = sent
            .filter(|(name, _)| is_secret(name))
            .map(|(_, value)| value)
            .collect();
        let profiles = world.store()["profiles"].clone();
        let profile = profiles.as_object().unwrap().values().next().unwrap();
        for name in ["access", "refresh", "token"] {
            secrets.extend(profile[name].as_str().map(str::to_owned));
        }
        assert!(secrets.len() > 1, "{secrets:?}");
        for secret in secrets {
            assert!(!seen.contains(&secret), "{provider}: {secret} in {seen}");
        }
        assert!(!seen.contains("at-MARKER"), "{seen}");
    }
}
