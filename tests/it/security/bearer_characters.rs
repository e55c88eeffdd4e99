//! Tokens that no header can hold: a line break adds a header, an escape is swallowed by a terminal.
//! A stored one is named and kept, one of a server's answer costs nobody the login.

use crate::login::methods::two_halves::{begun, ended_on, finish};
use crate::support::World;
use crate::support::issuer::{Account, Scripted};

const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";
const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];
/// An access token with `CR LF X-Evil: 1`, and a refresh token.
const ANSWER: &str = include_str!("../../fixtures/security/token-answer.json");
const WORDS: &str = "holds a character that no header may hold (U+000D at 4)";

#[test]
fn a_stored_one_is_kept_and_named_and_never_handed_out() {
    for (store, point) in [
        (
            include_str!("../../fixtures/security/store-crlf.json"),
            "U+000D",
        ),
        (
            include_str!("../../fixtures/security/store-esc.json"),
            "U+001B",
        ),
        (
            include_str!("../../fixtures/security/store-nul.json"),
            "U+0000",
        ),
        (
            include_str!("../../fixtures/security/store-osc.json"),
            "U+001B",
        ),
        (
            r#"{"version":1,"profiles":{"anthropic:manual":{"type":"token","provider":"anthropic","token":"tokéx"}}}"#,
            "U+00E9",
        ),
        (
            r#"{"version":1,"profiles":{"anthropic:manual":{"type":"token","provider":"anthropic","token":"tok x"}}}"#,
            "U+0020",
        ),
    ] {
        let world = World::new();
        world.write(DOCUMENT, store);
        let words = format!("holds a character that no header may hold ({point} at 4)");
        let token = ["models", "auth", "token", "--provider", "anthropic"];
        let exec = [
            "models",
            "auth",
            "exec",
            "--provider",
            "anthropic",
            "--",
            "env",
        ];
        for args in [
            &token[..],
            &[&token[..], &["--header"]].concat(),
            &[&token[..], &["--json"]].concat(),
            &exec,
        ] {
            let ran = world.run(args);
            assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{ran:?}");
            assert!(ran.err.contains(&words), "{ran:?}");
        }
        for args in [
            &["models", "status"][..],
            &["models", "auth", "list"],
            &["models", "auth", "explain", "--provider", "anthropic"],
            &["doctor"],
        ] {
            let ran = world.run(args);
            let told = format!("{}{}", ran.out, ran.err).replace("\n             ", " ");
            let told = told.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(told.contains(&words), "{args:?} {ran:?}");
            assert!(
                !told.contains("Evil") && !told.contains("swallowed"),
                "{ran:?}"
            );
        }
        assert_eq!(world.read(DOCUMENT), store);
    }
}

#[test]
fn one_beside_a_refresh_token_is_refreshed_and_never_handed_out() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (_, refresh) = issuer.issue();
    world.seed_with("main", 3_600, "at\r\nX-Evil: 1", &refresh);
    let ran = world.run(&TOKEN);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(issuer.token_requests().len(), 1);
    assert!(!ran.out.contains("Evil"), "{ran:?}");
}

#[test]
fn one_that_answers_a_refresh_is_kept_and_never_stored() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (access, _) = world.seed(&issuer, "main", -10);
    issuer.answer_next(Scripted::text(200, ANSWER));
    for _ in 0..2 {
        let ran = world.run(&TOKEN);
        assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{ran:?}");
        assert!(ran.err.contains(WORDS), "{ran:?}");
    }
    assert_eq!(issuer.token_requests().len(), 1);
    assert_eq!(world.only_profile()["access"], access.as_str());
    let [answer] = world.rescued().try_into().unwrap();
    assert!(answer.contains(ANSWER));
}

#[test]
fn one_that_answers_a_login_is_kept_and_never_stored() {
    let (world, issuer, begun) = begun();
    issuer.answer_next(Scripted::text(200, ANSWER));
    let ran = finish(&world, &ended_on(&issuer, &begun), &[]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(
        ran.err.contains(WORDS) && ran.err.contains("kept in"),
        "{ran:?}"
    );
    assert!(!world.state().join(DOCUMENT).exists());
    let [answer] = world.rescued().try_into().unwrap();
    assert!(answer.contains(ANSWER));
}

#[test]
fn a_refresh_token_goes_into_a_form_and_may_hold_any_character() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    let answer = r#"{"access_token":"at-new","refresh_token":"r t\r\n\u00e9&=","expires_in":1}"#;
    issuer.answer_next(Scripted::text(200, answer));
    assert_eq!(world.run(&TOKEN).out, "at-new\n");
    assert_eq!(world.only_profile()["refresh"], "r t\r\né&=");
    world.run(&["models", "auth", "refresh", "--force"]);
    let sent = &issuer.token_requests()[1];
    assert!(
        sent.contains(&("refresh_token".into(), "r t\r\né&=".into())),
        "{sent:?}"
    );
}

#[test]
fn every_character_that_a_header_holds_comes_out_as_it_is() {
    let token: String = ('#'..='~').filter(|c| !"'`\\".contains(*c)).collect();
    for color in ["always", "never"] {
        let (world, issuer) = World::with_issuer(Account::default());
        let (_, refresh) = issuer.issue();
        world.seed_with("main", 3_600, &token, &refresh);
        let args = [&TOKEN[..], &["--color", color]].concat();
        assert_eq!(world.run(&args).out, format!("{token}\n"));
        let header = world.run(&[&args[..], &["--header"]].concat());
        assert_eq!(header.out, format!("Authorization: Bearer {token}\n"));
        let json = world.run(&[&args[..], &["--json"]].concat());
        let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
        assert_eq!(json["token"], token.as_str(), "{json}");
        let mut exec = vec!["models", "auth", "exec", "--provider", "openai-codex"];
        exec.extend(["--env", "T", "--", "sh", "-c", "printf %s \"$T\""]);
        let mut command = world.command(&exec);
        let output = command.env("PATH", "/usr/bin:/bin").output().unwrap();
        assert_eq!(String::from_utf8(output.stdout).unwrap(), token);
    }
}

#[test]
fn one_that_is_too_long_for_a_header_is_not_stored_and_not_handed_out() {
    let world = World::new();
    let long = format!("mm-{}", "0123456789abcdef".repeat(1_024));
    let paste = ["models", "auth", "paste-api-key", "--provider", "minimax"];
    let ran = world.pipe(&paste, &long);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.err
            .contains("is longer than 16384 bytes; nothing was saved"),
        "{ran:?}"
    );
    let mut command = world.command(&["models", "auth", "token", "--provider", "minimax"]);
    let output = command.env("MINIMAX_API_KEY", &long).output().unwrap();
    let ran = crate::support::ran(output);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{ran:?}");
    assert!(ran.err.contains("is longer than 16384 bytes"), "{ran:?}");
}
