//! What answers on the port of a gateway may be anything: nothing of it is shown that is not known
//! to be for people, and nothing is followed.

use crate::support::stand_in_gateway::StandInGateway;
use crate::support::{Ran, World, ran};

const MARKER: &str = "MARKER-0123456789-0123456789-0123456789";

fn ask(gateway: &StandInGateway, action: &str) -> Ran {
    let world = World::new();
    let mut command = world.command(&["auth", action, "-vvv"]);
    command.env("GOCLAW_GATEWAY_URL", gateway.url());
    ran(command.env("GOCLAW_TOKEN", MARKER).output().unwrap())
}

#[test]
fn what_is_no_answer_of_a_gateway_is_not_shown() {
    let page = |text: &str| StandInGateway::answering(200, "text/html", "", text);
    let json = |text: &str| StandInGateway::json(200, text);
    for gateway in [
        page("<html>BODY</html>"),
        page(""),
        json("BODY"),
        json(r#""BODY""#),
        json("[]"),
        json("{}"),
        json(r#"{"authenticated":"BODY","status":"BODY"}"#),
        json(r#"{"authenticated":1,"status":1}"#),
        json(r#"{"authenticated":true,"authenticated":false,"status":"BODY"}"#),
        json(r#"{"authenticated":true,"status":"logged out"} BODY"#),
        json(&"[".repeat(100_000)),
        StandInGateway::json(204, ""),
        StandInGateway::json(500, "BODY"),
        StandInGateway::json(404, r#"{"error":{"message":"BODY"}}"#),
    ] {
        for action in ["status", "logout"] {
            let ran = ask(&gateway, action);
            assert_eq!((ran.code, ran.out.as_str()), (4, ""), "{ran:?}");
            assert!(ran.err.contains("is not a gateway (status "), "{ran:?}");
            assert!(!ran.err.contains("BODY"), "{ran:?}");
        }
    }
}

#[test]
fn an_answer_that_is_too_long_or_breaks_off_is_none() {
    let long = StandInGateway::json(200, &" ".repeat((1 << 20) + 1));
    let torn = "HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{\"authenticated\":true,";
    for gateway in [
        long,
        StandInGateway::raw(torn.to_owned()),
        StandInGateway::raw(String::new()),
    ] {
        let told = ask(&gateway, "status");
        assert_eq!((told.code, told.out.as_str()), (4, ""), "{told:?}");
        let told = ask(&gateway, "logout");
        assert_eq!((told.code, told.out.as_str()), (4, ""), "{told:?}");
        // It may have been done before the answer was lost.
        assert!(
            told.err.contains("Credentials may have been changed."),
            "{told:?}"
        );
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let target = StandInGateway::json(200, r#"{"authenticated":true}"#);
    for status in [301, 302, 307, 308] {
        let location = format!("location: {}/v1/auth/openai/status\r\n", target.url());
        let gateway = StandInGateway::answering(status, "application/json", &location, "{}");
        for action in ["status", "logout"] {
            let ran = ask(&gateway, action);
            assert_eq!((ran.code, ran.out.as_str()), (4, ""), "{ran:?}");
        }
    }
    assert!(target.requests().is_empty());
}

#[test]
fn words_of_a_gateway_cannot_steer_a_terminal_or_repeat_the_token() {
    let words = format!(r"\u001b]0;owned\u0007\u001b[2Jno\u202e {MARKER} no\nError: forged");
    let error = format!(r#"{{"error":"{words}","code":"\u001b[2J"}}"#);
    let dead = format!(r#"{{"authenticated":false,"error":"{words}","detail":"{words}"}}"#);
    let name = format!(r#"{{"authenticated":true,"provider_name":"{words}"}}"#);
    for (status, body) in [
        (500, &error),
        (400, &error),
        (403, &error),
        (200, &dead),
        (200, &name),
    ] {
        let ran = ask(&StandInGateway::json(status, body), "status");
        for text in [&ran.out, &ran.err] {
            let odd = text.chars().find(|c| c.is_control() && *c != '\n');
            assert_eq!(odd, None, "{ran:?}");
            assert!(
                !text.contains("MARKER") && !text.contains('\u{202e}'),
                "{ran:?}"
            );
            assert!(!text.contains("\nError: forged"), "{ran:?}");
        }
    }
    // A name that is none is not taken for one.
    let ran = ask(&StandInGateway::json(200, &name), "status");
    assert!(
        ran.out
            .starts_with("OpenAI OAuth: active (provider: openai-codex)\n"),
        "{ran:?}"
    );
}

#[test]
#[ignore = "waits as long as the client does: half a minute"]
fn an_answer_that_never_ends_is_given_up() {
    let gateway = StandInGateway::stuck();
    let ran = ask(&gateway, "status");
    assert_eq!((ran.code, ran.out.as_str()), (4, ""), "{ran:?}");
    assert!(ran.err.contains("timed out"), "{ran:?}");
}
