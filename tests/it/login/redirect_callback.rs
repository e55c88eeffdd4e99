//! The redirect endpoint, spoken to over real sockets.
#![expect(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

mod under_load;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use openclaw::model::provider::Loopback;
use openclaw::ports::callback::{Arrival, BindError, Callback, Listening, Page};
use openclaw::sys::callback::SystemCallback;

/// Far longer than anything here takes; it ends a test that would hang.
const PATIENCE: Duration = Duration::from_secs(60);

fn endpoint(host: &str, ports: &[u16]) -> Loopback {
    Loopback {
        host: host.to_owned(),
        ports: ports.to_vec(),
        path: "/auth/callback".to_owned(),
    }
}

fn open(host: &str) -> Box<dyn Listening> {
    SystemCallback.bind(&endpoint(host, &[0])).unwrap()
}

fn refused(endpoint: &Loopback) -> BindError {
    match SystemCallback.bind(endpoint) {
        Ok(listening) => panic!("bound {}", listening.port()),
        Err(error) => error,
    }
}

/// Sends `request` as it is and reads until the server closes.
fn exchange(address: (&str, u16), request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn redirect(port: u16, query: &str) -> Vec<u8> {
    format!("GET /auth/callback?{query} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n").into_bytes()
}

/// Sends `request` and goes where a redirect leads, as a browser does.
fn follow(address: (&str, u16), request: &[u8]) -> String {
    let answer = exchange(address, request);
    match field(&answer, "Location") {
        None => answer,
        Some(path) => {
            assert_eq!(status(&answer), 303);
            assert_guarded(&answer);
            assert_eq!(path, "/auth/callback", "no code, no state");
            let request = format!(
                "GET {path} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n",
                address.1
            );
            exchange(address, request.as_bytes())
        }
    }
}

/// Sends a good request, answers it with `page`, and gives the query and the answer.
fn login(
    listening: &mut dyn Listening,
    host: &'static str,
    query: &str,
    page: Page,
) -> (Vec<(String, String)>, String) {
    let port = listening.port();
    let request = redirect(port, query);
    let client = thread::spawn(move || follow((host, port), &request));
    let arrival = listening.next(PATIENCE).unwrap();
    let pairs = pairs(&arrival);
    arrival.answer(page);
    (pairs, client.join().unwrap())
}

fn pairs(arrival: &Arrival) -> Vec<(String, String)> {
    let pairs = arrival.query.iter();
    pairs
        .map(|(name, value)| (name.clone(), value.expose().clone()))
        .collect()
}

fn stored() -> Page {
    Page::Stored {
        account: "a&b@example.com".to_owned(),
    }
}

fn status(answer: &str) -> u16 {
    let code = answer
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3));
    code.and_then(|code| code.parse().ok())
        .unwrap_or_else(|| panic!("no status: {answer:?}"))
}

fn field<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let (head, _) = answer.split_once("\r\n\r\n")?;
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    fields
        .find(|(other, _)| other.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn assert_guarded(answer: &str) {
    for (name, value) in [
        ("Cache-Control", "no-store"),
        ("Content-Security-Policy", "default-src 'none'"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
        ("Connection", "close"),
        ("Content-Type", "text/html; charset=utf-8"),
    ] {
        assert_eq!(field(answer, name), Some(value), "{name} in {answer}");
    }
}

#[test]
fn a_good_request_waits_for_its_page() {
    let mut listening = open("127.0.0.1");
    let query = "code=a%2Fb&state=x%20y";
    let (pairs, answer) = login(listening.as_mut(), "127.0.0.1", query, stored());
    let expected = [("code", "a/b"), ("state", "x y")];
    assert_eq!(
        pairs,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    assert_eq!(status(&answer), 200);
    assert!(answer.contains("a&amp;b@example.com"), "{answer}");
    assert_guarded(&answer);
}

#[test]
fn the_last_page_stands_at_an_address_without_the_code() {
    let mut listening = open("127.0.0.1");
    let port = listening.port();
    let request = redirect(port, "code=MARKER&state=x");
    let client = thread::spawn(move || {
        let sent_on = exchange(("127.0.0.1", port), &request);
        let bare = redirect(port, "");
        (sent_on, exchange(("127.0.0.1", port), &bare))
    });
    let arrival = listening.next(PATIENCE).unwrap();
    arrival.answer(Page::Failed {
        reason: "no".to_owned(),
    });
    drop(listening);
    let (sent_on, shown) = client.join().unwrap();
    assert_eq!(status(&sent_on), 303);
    assert_eq!(field(&sent_on, "Location"), Some("/auth/callback"));
    assert!(!sent_on.contains("MARKER"), "{sent_on}");
    // For a client that does not go there.
    assert!(sent_on.contains("<h1>Login failed</h1>"), "{sent_on}");
    assert_eq!(status(&shown), 500);
    assert_guarded(&shown);
}

#[test]
fn a_client_that_goes_nowhere_does_not_hold_up_the_login() {
    let mut listening = open("127.0.0.1");
    let port = listening.port();
    let client = thread::spawn(move || exchange(("127.0.0.1", port), &redirect(port, "code=a")));
    listening.next(PATIENCE).unwrap().answer(stored());
    let answer = client.join().unwrap();
    assert!(answer.contains("a&amp;b@example.com"), "{answer}");
}

#[test]
fn bad_requests_get_their_status_and_cost_the_login_nothing() {
    let mut listening = open("localhost");
    let port = listening.port();
    let host = format!("Host: localhost:{port}\r\n");
    let long = format!("X: {}\r\n", "y".repeat(300 * 1024));
    let cases = [
        ("POST /auth/callback?code=a", host.clone(), 405),
        ("OPTIONS /auth/callback", host.clone(), 405),
        ("GET /favicon.ico", host.clone(), 404),
        ("GET /success", host.clone(), 404),
        ("GET /cancel", host.clone(), 404),
        ("GET /auth/callback/", host.clone(), 404),
        (
            "GET /auth/callback",
            "Host: evil.example\r\n".to_owned(),
            400,
        ),
        ("GET /auth/callback", String::new(), 400),
        ("GET /auth/callback?state=a&state=b", host.clone(), 400),
        ("GET /auth/callback?code=a&code=a", host.clone(), 400),
        ("GET /auth/callback", format!("{host}{long}"), 431),
        ("GET /auth/callback", format!("{host}no colon\r\n"), 400),
    ];
    for (line, fields, expected) in cases {
        let request = format!("{line} HTTP/1.1\r\n{fields}\r\n");
        let answer = exchange(("127.0.0.1", port), request.as_bytes());
        assert_eq!(status(&answer), expected, "{line}: {answer}");
        assert_guarded(&answer);
        let allow = (expected == 405).then_some("GET");
        assert_eq!(field(&answer, "Allow"), allow, "{answer}");
    }
    let hello = [0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3, b'\r', b'\n'];
    assert_eq!(status(&exchange(("127.0.0.1", port), &hello)), 400);

    assert!(listening.next(Duration::ZERO).is_none());
    let told: Vec<&str> = std::iter::from_fn(|| listening.refused()).collect();
    let expected = [
        "it names another host",
        "a parameter is given more than once",
        "it carries too many cookies",
        "it came by https, and this address is http",
    ];
    assert_eq!(
        told, expected,
        "each once, and none of what browsers ask by themselves"
    );
    let (_, answer) = login(listening.as_mut(), "127.0.0.1", "code=a", stored());
    assert_eq!(status(&answer), 200);
}

#[test]
fn a_request_that_is_cut_off_is_malformed() {
    let listening = open("127.0.0.1");
    let mut stream = TcpStream::connect(("127.0.0.1", listening.port())).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
        .write_all(b"GET /auth/callback HTTP/1.1\r\n")
        .unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert_eq!(status(&answer), 400);
}

#[test]
fn a_body_does_not_cut_off_the_page() {
    let mut listening = open("127.0.0.1");
    let port = listening.port();
    let head = format!(
        "GET /auth/callback HTTP/1.1\r\nHost: [::1]:{port}\r\nContent-Length: 3000\r\n\r\n"
    );
    let request = [head.into_bytes(), vec![b'x'; 3000]].concat();
    let client = thread::spawn(move || exchange(("127.0.0.1", port), &request));
    listening.next(PATIENCE).unwrap().answer(Page::Late);
    assert_eq!(status(&client.join().unwrap()), 409);
}

#[test]
fn localhost_is_both_addresses() {
    let mut listening = open("localhost");
    let (_, answer) = login(listening.as_mut(), "127.0.0.1", "code=a", stored());
    assert_eq!(status(&answer), 200);
    if TcpListener::bind("[::1]:0").is_ok() {
        let (_, answer) = login(listening.as_mut(), "::1", "code=b", stored());
        assert_eq!(status(&answer), 200);
    }
}

#[test]
fn an_address_is_that_address_only() {
    if TcpListener::bind("[::1]:0").is_err() {
        return;
    }
    let mut listening = open("[::1]");
    assert!(TcpStream::connect(("127.0.0.1", listening.port())).is_err());
    let (_, answer) = login(listening.as_mut(), "::1", "code=a", stored());
    assert_eq!(status(&answer), 200);
    let listening = open("127.0.0.1");
    assert!(TcpStream::connect(("::1", listening.port())).is_err());
}

#[test]
fn no_address_but_loopback_is_ever_bound() {
    for host in ["0.0.0.0", "[::]", "example.com", "192.0.2.1", ""] {
        let error = refused(&endpoint(host, &[0]));
        assert!(error.0[0].reason.contains("loopback"), "{error}");
    }
}

#[test]
fn a_busy_port_names_its_holder_and_the_next_one_is_tried() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = refused(&endpoint("127.0.0.1", &[port]));
    assert_eq!(error.0[0].port, port);
    if cfg!(target_os = "linux") {
        let ourselves = format!("pid {} (", std::process::id());
        // A child of another test has the socket, too, until it becomes another program.
        let is_named = (0..100).any(|_| {
            let error = refused(&endpoint("127.0.0.1", &[port]));
            let holder = error.0[0].holder.as_ref();
            let holder = holder.and_then(|holder| holder.process.clone());
            holder.is_some_and(|holder| holder.starts_with(&ourselves))
        });
        assert!(is_named, "{error}");
    }
    let listening = SystemCallback.bind(&endpoint("127.0.0.1", &[port, 0]));
    assert_ne!(listening.unwrap().port(), port);
}

#[test]
fn a_port_that_is_taken_on_one_address_is_not_half_used() {
    let Ok(taken) = TcpListener::bind("[::1]:0") else {
        return;
    };
    let port = taken.local_addr().unwrap().port();
    let error = refused(&endpoint("localhost", &[port]));
    assert_eq!(error.0.len(), 1, "{error}");
    assert_eq!(error.0[0].port, port);
}

#[test]
fn dropping_it_frees_the_port_and_answers_who_waits() {
    let mut listening = open("localhost");
    let port = listening.port();
    let client = thread::spawn(move || exchange(("127.0.0.1", port), &redirect(port, "code=a")));
    let arrival = listening.next(PATIENCE).unwrap();
    drop(listening);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    let again = SystemCallback.bind(&endpoint("localhost", &[port]));
    assert_eq!(again.unwrap().port(), port);
    // Nobody answers it, and it is told so.
    drop(arrival);
    assert_eq!(status(&client.join().unwrap()), 409);
}

#[test]
fn many_cookies_of_other_programs_on_localhost_are_no_hindrance() {
    let mut listening = open("localhost");
    let port = listening.port();
    let cookies = format!("Cookie: {}\r\n", "c=0123456789; ".repeat(7_000));
    let request = |fields: &str| {
        format!("GET /auth/callback?code=a HTTP/1.1\r\nHost: localhost:{port}\r\n{fields}\r\n")
    };
    let browser = {
        let request = request(&cookies);
        thread::spawn(move || follow(("127.0.0.1", port), request.as_bytes()))
    };
    listening.next(PATIENCE).unwrap().answer(stored());
    assert_eq!(status(&browser.join().unwrap()), 200);
    let answer = exchange(("127.0.0.1", port), request(&cookies.repeat(4)).as_bytes());
    assert_eq!(status(&answer), 431);
    assert!(answer.contains("paste it at the terminal"), "{answer}");
}
