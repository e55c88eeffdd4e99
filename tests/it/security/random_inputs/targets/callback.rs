//! Any bytes at the redirect endpoint of a login that waits, over a real socket.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use openclaw::model::provider::{BrowserFlow, Client, Loopback, Redirect};
use openclaw::oauth::authorization::{self, CallbackError, PendingAuthorization};
use openclaw::ports::callback::{Callback as _, Page};
use openclaw::sys::callback::SystemCallback;

use super::fake_ports::{Counting, assert_printable};

/// Far longer than anything here takes; it ends a check that would hang.
const PATIENCE: Duration = Duration::from_secs(30);
const PATH: &str = "/auth/callback";

/// Stands in an input for the state of the login that waits.
const STATE: &str = "{STATE}";
/// Stands in an input for the port that it waits at.
const PORT: &str = "{PORT}";

/// A login of nobody.
pub(crate) fn attempt(port: u16) -> PendingAuthorization {
    let client = Client {
        authorize: Some("https://login.example/authorize".into()),
        issuer: Some("https://login.example".into()),
        ..Client::public("client-1", "https://login.example/token")
    };
    let redirect = Loopback {
        host: "localhost".into(),
        ports: vec![port],
        path: PATH.into(),
    };
    let uri = redirect.uri(port);
    let flow = BrowserFlow {
        scopes: vec!["openid".into()],
        ..BrowserFlow::to(Redirect::Loopback(redirect))
    };
    let begun = authorization::begin(&client, &flow, &uri, &Counting::default());
    begun.expect("a request").pending
}

/// The `state` that a login sends.
pub(crate) fn state_of(attempt: &PendingAuthorization) -> String {
    attempt.state.expose().clone()
}

/// A login that waits, and what became of each request that it was shown.
struct Login {
    port: u16,
    state: String,
    verdicts: Mutex<Receiver<bool>>,
}

fn login() -> &'static Login {
    static LOGIN: OnceLock<Login> = OnceLock::new();
    LOGIN.get_or_init(|| {
        let endpoint = Loopback {
            host: "127.0.0.1".into(),
            ports: vec![0],
            path: PATH.into(),
        };
        let mut listening = SystemCallback.bind(&endpoint).expect("a free port");
        let port = listening.port();
        let attempt = attempt(port);
        let state = state_of(&attempt);
        let (sender, verdicts) = channel();
        std::thread::spawn(move || {
            loop {
                let Some(arrival) = listening.next(PATIENCE) else {
                    continue;
                };
                let (good, page) = judge(&attempt, &arrival.query);
                let _ = sender.send(good);
                arrival.answer(page);
            }
        });
        Login {
            port,
            state,
            verdicts: Mutex::new(verdicts),
        }
    })
}

fn judge(
    attempt: &PendingAuthorization,
    query: &[(String, openclaw::model::secret::Secret<String>)],
) -> (bool, Page) {
    let reason = |error: &CallbackError| {
        assert_printable(&error.to_string());
        error.to_string()
    };
    match attempt.read_callback(query) {
        Ok(_) => {
            let account = "me@example.com".to_owned();
            (true, Page::Stored { account })
        }
        Err(error @ CallbackError::Refused(_)) => (
            true,
            Page::Refused {
                reason: reason(&error),
            },
        ),
        Err(error) => (
            false,
            Page::Ignored {
                reason: reason(&error),
            },
        ),
    }
}

fn replaced(bytes: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut rest = bytes;
    let mut whole = Vec::with_capacity(bytes.len());
    while let Some(at) = rest
        .windows(from.len())
        .position(|part| part == from.as_bytes())
    {
        whole.extend_from_slice(&rest[..at]);
        whole.extend_from_slice(to.as_bytes());
        rest = &rest[at + from.len()..];
    }
    whole.extend_from_slice(rest);
    whole
}

fn exchange(port: u16, request: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("the endpoint is open");
    stream.set_read_timeout(Some(PATIENCE)).expect("a limit");
    // The server may answer and close before it has read everything.
    let _ = stream.write_all(request);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer) {
        let reset = error.kind() == std::io::ErrorKind::ConnectionReset;
        assert!(reset, "the endpoint did not answer: {error}");
    }
    answer
}

/// Every request is answered with a status that fits, nothing of it is sent back, and only a request
/// with the right `state` says anything to the login, which goes on waiting.
pub(crate) fn check(bytes: &[u8]) {
    let login = login();
    let verdicts = login
        .verdicts
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let bytes = &bytes[..bytes.len().min(60_000)];
    let request = replaced(bytes, STATE, &login.state);
    let request = replaced(&request, PORT, &login.port.to_string());
    let answer = exchange(login.port, &request);
    let answer = String::from_utf8_lossy(&answer);
    let believed = verdicts.try_iter().any(|good| good);
    if answer.is_empty() {
        assert!(!believed, "a login was answered without a page");
        return;
    }
    let status = answer
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3));
    let status: u16 = status.and_then(|code| code.parse().ok()).expect("a status");
    let fits = [200, 303, 400, 403, 404, 405, 408, 409, 431].contains(&status);
    assert!(fits, "{answer}");
    // A proven refusal is told in the provider's own words, whatever those are.
    for secret in ["CODE-MARKER", &login.state] {
        assert!(status == 403 || !answer.contains(secret), "{answer}");
    }
    if believed {
        let text = String::from_utf8_lossy(&request);
        assert!(text.contains(&login.state) || text.contains('%'), "{text}");
    }
    if status == 303 {
        assert!(believed, "{answer}");
        let last = format!(
            "GET {PATH} HTTP/1.1\r\nHost: localhost:{}\r\n\r\n",
            login.port
        );
        let page = exchange(login.port, last.as_bytes());
        assert!(page.starts_with(b"HTTP/1.1 200"), "no last page");
    }
    let stray = format!(
        "GET {PATH}?code=x HTTP/1.1\r\nHost: localhost:{}\r\n\r\n",
        login.port
    );
    let answer = exchange(login.port, stray.as_bytes());
    assert!(
        answer.starts_with(b"HTTP/1.1 400"),
        "the login no longer waits"
    );
    assert_eq!(verdicts.try_iter().collect::<Vec<_>>(), [false]);
}
