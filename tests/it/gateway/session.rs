//! The session of a browser: a cookie, and what must stand beside it.

use serde_json::{Value, json};

use super::access::bearer;
use super::keys::add;
use crate::support::running_gateway::{Answer, Gateway, TOKEN};
use crate::support::{World, ran};

const JSON: &str = "Content-Type: application/json\r\n";

/// Exchanges something for a session.
pub(crate) fn exchange(gateway: &Gateway, body: &Value) -> Answer {
    gateway.ask("POST", "/v1/session", JSON, &body.to_string())
}

/// The header of the cookie, and that of the value beside it.
pub(crate) fn opened(answer: &Answer) -> (String, String) {
    assert_eq!(answer.status, 200, "{answer:?}");
    let set = answer.header("set-cookie").unwrap();
    let cookie = set.split(';').next().unwrap();
    let csrf = answer.json()["csrf"].as_str().unwrap().to_owned();
    (
        format!("Cookie: {cookie}\r\n"),
        format!("X-OpenClaw-CSRF: {csrf}\r\n"),
    )
}

#[test]
fn a_cookie_is_for_the_browser_alone() {
    let world = World::new();
    let gateway = Gateway::start(&world);
    let answer = exchange(&gateway, &json!({ "bearer": TOKEN }));
    let cookie = answer.header("set-cookie").unwrap().to_owned();
    let port = gateway.address.rsplit(':').next().unwrap();
    assert!(cookie.starts_with(&format!("openclaw-{port}=")), "{cookie}");
    assert!(
        cookie.ends_with("; Max-Age=43200; Path=/; HttpOnly; SameSite=Strict"),
        "{cookie}"
    );
    assert_eq!(answer.json()["role"], "admin");
}

#[test]
fn nothing_else_is_exchanged_for_a_session() {
    let world = World::new();
    let gateway = Gateway::start(&world);
    let unauthorized = [
        json!({ "bearer": "a guess" }),
        json!({ "bearer": "" }),
        json!({ "one_time_code": "a guess" }),
        json!({ "one_time_code": TOKEN }),
    ];
    for body in unauthorized {
        let answer = exchange(&gateway, &body);
        assert_eq!(
            (answer.status, answer.json()["error"].as_str()),
            (401, Some("unauthorized"))
        );
        assert_eq!(answer.header("set-cookie"), None);
    }
    let bad = [
        json!({}),
        json!({ "bearer": TOKEN, "one_time_code": "x" }),
        json!({ "other": 1 }),
    ];
    for body in bad {
        assert_eq!(exchange(&gateway, &body).status, 400, "{body}");
    }
}

#[test]
fn a_cookie_opens_nothing_alone() {
    let world = World::new();
    let gateway = Gateway::start(&world);
    let (cookie, csrf) = opened(&exchange(&gateway, &json!({ "bearer": TOKEN })));
    let (other, _) = opened(&exchange(&gateway, &json!({ "bearer": TOKEN })));
    let ours = format!("Origin: http://{}\r\n", gateway.address);
    let (same, foreign) = (
        "Sec-Fetch-Site: same-origin\r\n",
        "Origin: http://127.0.0.1:1\r\n",
    );
    let wrong = "X-OpenClaw-CSRF: a guess\r\n".to_owned();
    let get = |headers: &[&str]| {
        gateway
            .ask("GET", "/v1/session", &headers.concat(), "")
            .status
    };
    assert_eq!(get(&[&cookie, &csrf, same]), 200);
    assert_eq!(get(&[&cookie, &csrf, &ours]), 200);
    assert_eq!(get(&[&cookie, &csrf]), 401);
    assert_eq!(get(&[&cookie, same]), 401);
    assert_eq!(get(&[&csrf, same]), 401);
    assert_eq!(get(&[&cookie, &wrong, same]), 401);
    assert_eq!(get(&[&other, &csrf, same]), 401);
    assert_eq!(get(&[&cookie, &other, &csrf, same]), 401);
    assert_eq!(get(&[&cookie, &csrf, foreign]), 403);

    let delete = |headers: &[&str]| {
        gateway
            .ask("DELETE", "/v1/session", &headers.concat(), "")
            .status
    };
    assert_eq!(delete(&[&cookie, &csrf, same]), 401);
    assert_eq!(delete(&[&cookie, &ours]), 401);
    assert_eq!(delete(&[&cookie, &csrf, foreign]), 403);
    assert_eq!(delete(&[&cookie, &csrf, &ours]), 204);
    assert_eq!(get(&[&cookie, &csrf, same]), 401);
}

#[test]
fn a_link_opens_one_session() {
    let world = World::new();
    let gateway = Gateway::start(&world);
    let nobody = gateway.ask("POST", "/v1/links", "", "");
    assert_eq!(nobody.status, 401, "{nobody:?}");
    let made = gateway.post("/v1/links", &json!({})).json();
    assert_eq!(made["expires_in"], 60);
    let code = made["url"].as_str().unwrap().split_once("#k=").unwrap().1;
    let body = json!({ "one_time_code": code });
    opened(&exchange(&gateway, &body));
    assert_eq!(exchange(&gateway, &body).status, 401);
}

#[test]
fn a_command_prints_such_a_link() {
    let world = World::new();
    let gateway = Gateway::start(&world);
    let url = format!("http://{}", gateway.address);
    let mut command = world.command(&["gateway", "link", "--gateway-url", &url]);
    let printed = ran(command.env("GOCLAW_TOKEN", TOKEN).output().unwrap());
    assert_eq!((printed.code, printed.err.as_str()), (0, ""), "{printed:?}");
    let code = printed
        .out
        .trim_end()
        .strip_prefix(&format!("{url}/#k="))
        .unwrap();
    opened(&exchange(&gateway, &json!({ "one_time_code": code })));
}

#[test]
fn one_caller_does_not_sign_in_without_end() {
    let world = World::new();
    let gateway = Gateway::start(&world);
    let (viewer, _) = add(&world, &[]);
    let first = opened(&exchange(&gateway, &json!({ "bearer": TOKEN })));
    let refused = (0..100).find_map(|_| {
        let answer = exchange(&gateway, &json!({ "bearer": viewer }));
        (answer.status != 200).then_some(answer.status)
    });
    assert_eq!(refused, Some(429));
    let link = gateway.ask("POST", "/v1/links", &bearer(&viewer), "");
    assert_eq!(link.status, 429, "{link:?}");
    let same = "Sec-Fetch-Site: same-origin\r\n";
    let headers = [first.0.as_str(), &first.1, same].concat();
    assert_eq!(gateway.ask("GET", "/v1/session", &headers, "").status, 200);
}

/// What is not a terminal may be a log, which others read.
#[test]
fn a_gateway_prints_a_link_on_a_terminal_only() {
    let world = World::new();
    let gateway = Gateway::start(&world);
    let printed = gateway.stop();
    assert!(!format!("{printed:?}").contains("#k="), "{printed:?}");

    let mut command = world.command(&["gateway", "run", "--listen", "127.0.0.1:0"]);
    command.env("GOCLAW_GATEWAY_TOKEN", TOKEN);
    let mut terminal = rexpect::session::spawn_command(command, Some(60_000)).unwrap();
    terminal
        .exp_string("Listening on http://127.0.0.1:")
        .unwrap();
    terminal.exp_string("/#k=").unwrap();
    terminal.send_control('c').unwrap();
    terminal.exp_eof().unwrap();
}
