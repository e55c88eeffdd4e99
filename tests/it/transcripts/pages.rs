//! The pages that a browser shows.

use std::io::{Read, Write};
use std::net::TcpStream;

use openclaw::testing::browser::visit;
use openclaw::testing::issuer::Account;

use super::compare;
use crate::support::World;
use crate::support::login::Waiting;

/// Sends a head as it is; the whole answer.
fn send(login: &Waiting, head: &str) -> String {
    let url = url::Url::parse(&login.callback("")).unwrap();
    let port = url.port().unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let head = head.replace("HOST", &format!("Host: localhost:{port}"));
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.replace('\r', "")
}

/// Every page of a login that goes on waiting, by what was asked for.
pub(crate) fn refusals(login: &Waiting) -> Vec<(&'static str, String)> {
    let state = login.state();
    let get = |query: &str| format!("GET /auth/callback?{query} HTTP/1.1\r\nHOST\r\n\r\n");
    let code = "code=CODE-MARKER";
    let asked = [
        ("another state", get(&format!("{code}&state=STATE-MARKER"))),
        ("no state", get(code)),
        ("no code", get(&format!("state={state}"))),
        (
            "a refusal with another state",
            get("error=access_denied&error_description=CODE-MARKER&state=STATE-MARKER"),
        ),
        (
            "a repeated parameter",
            get(&format!("{code}&{code}&state={state}")),
        ),
        (
            "another path",
            format!("GET /success?{code}&state={state} HTTP/1.1\r\nHOST\r\n\r\n"),
        ),
        (
            "another method",
            format!("POST /auth/callback?{code}&state={state} HTTP/1.1\r\nHOST\r\n\r\n"),
        ),
        (
            "another host",
            format!(
                "GET /auth/callback?{code}&state={state} HTTP/1.1\r\nHost: evil.example\r\n\r\n"
            ),
        ),
        (
            "too large",
            format!(
                "GET /auth/callback?{code}&state={state} HTTP/1.1\r\nHOST\r\nX: {}\r\n\r\n",
                "y".repeat(20 * 1024)
            ),
        ),
        ("no HTTP", format!("{code} {state}\r\n\r\n")),
    ];
    let asked = asked.into_iter();
    asked
        .map(|(what, head)| (what, send(login, &head)))
        .collect()
}

fn text(pages: &[(&str, String)]) -> String {
    let each = pages.iter().map(|(what, answer)| {
        let lines = answer.lines().filter(|line| !line.starts_with("Date: "));
        let answer: Vec<_> = lines.collect();
        format!("# {what}\n{}\n", answer.join("\n"))
    });
    each.collect::<Vec<_>>().join("\n")
}

#[test]
fn of_success_and_of_strays() {
    let (world, _issuer) = World::with_issuer(Account::default());
    let login = Waiting::start(&world, &[]);
    let mut pages = refusals(&login);
    pages.push((
        "the answer",
        visit(&login.url).unwrap().text.replace('\r', ""),
    ));
    login.finish();
    compare("pages", &text(&pages));
}

#[test]
fn of_failure() {
    let page = |prepare: &dyn Fn(&World, &openclaw::testing::issuer::Issuer)| {
        let (world, issuer) = World::with_issuer(Account::default());
        prepare(&world, &issuer);
        let login = Waiting::start(&world, &[]);
        let page = visit(&login.url).unwrap().text.replace('\r', "");
        login.finish();
        let base = world.directory.path().display().to_string();
        page.replace(&base, "<base>")
    };
    let refused = page(&|_, issuer| issuer.refuse_consent("access_denied", "<b>No</b>\u{1b}[31m"));
    let unanswered = page(&|_, issuer| super::token::hang_up(issuer));
    let unstored = page(&|world, _| world.write("agents/main", "in the way"));
    let pages = [
        ("refused by the person", refused),
        ("the code could not be exchanged", unanswered),
        ("the login could not be stored", unstored),
    ];
    compare("pages_of_failure", &text(&pages));
}
