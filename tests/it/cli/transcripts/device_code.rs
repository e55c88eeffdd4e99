//! Logging in with a device code.

use crate::support::issuer::{Codes, Issuer, Reply, Scripted};

use super::Transcript;
use crate::support::World;

fn login(provider: &str) -> [&str; 6] {
    [
        "models",
        "auth",
        "login",
        "--provider",
        provider,
        "--device-code",
    ]
}

/// A world at `provider`, whose server gives out such codes.
fn giving(provider: &str, codes: Codes) -> (World, Issuer) {
    let (world, issuer) = World::with_builtin(provider);
    issuer.set_device_codes(codes);
    (world, issuer)
}

fn replies(reply: Reply) -> Codes {
    Codes {
        replies: vec![reply],
        ..Codes::default()
    }
}

#[test]
fn a_device_login_succeeds() {
    let (world, _issuer) = giving("github-copilot", replies(Reply::Pending));
    let copilot = ["models", "auth", "login-github-copilot"];
    Transcript::of(&world)
        .note("at GitHub")
        .run(&copilot)
        .note("again")
        .run(&copilot)
        .matches("device");
}

#[test]
fn a_device_code_that_is_not_given_out_says_why() {
    let codes = Codes {
        switched_off: true,
        ..Codes::default()
    };
    let (world, _issuer) = giving("openai-codex", codes.clone());
    Transcript::of(&world)
        .note("device codes are switched off for the account")
        .run(&login("openai-codex"))
        .matches("device_switched_off");
    let (world, _issuer) = giving("github-copilot", codes);
    Transcript::of(&world)
        .run(&login("github-copilot"))
        .matches("device_http_404");
    let elsewhere = Codes {
        verification_uri: Some("https://evil.example/login".to_owned()),
        ..Codes::default()
    };
    let (world, _issuer) = giving("github-copilot", elsewhere);
    Transcript::of(&world)
        .run(&login("github-copilot"))
        .matches("device_elsewhere");
    let steering = Codes {
        user_code: "A\u{1b}[2J".to_owned(),
        ..Codes::default()
    };
    let (world, _issuer) = giving("github-copilot", steering);
    Transcript::of(&world)
        .run(&login("github-copilot"))
        .matches("device_steering");
}

#[test]
fn a_device_login_fails_while_it_waits() {
    for (reply, name) in [
        (Reply::Denied, "device_denied"),
        (Reply::Expired, "device_expired"),
    ] {
        let (world, _issuer) = giving("qwen-portal", replies(reply));
        Transcript::of(&world)
            .run(&login("qwen-portal"))
            .matches(name);
    }
    let (world, issuer) = giving("github-copilot", Codes::default());
    issuer.answer_next(Scripted {
        status: 200,
        body: r#"{"error":"incorrect_device_code","error_description":"The code is invalid."}"#
            .to_owned(),
        ..Scripted::default()
    });
    Transcript::of(&world)
        .run(&login("github-copilot"))
        .matches("device_refused");
    let (world, _issuer) = giving("minimax-portal", replies(Reply::Denied));
    Transcript::of(&world)
        .run(&login("minimax-portal"))
        .matches("device_minimax");
    let (world, issuer) = giving("github-copilot", Codes::default());
    let path = "providers/github-copilot.toml";
    let manifest = world.read(path).replace(issuer.url(), "http://127.0.0.1:1");
    world.write(path, &manifest);
    Transcript::of(&world)
        .run(&login("github-copilot"))
        .matches("device_unreachable");
}
