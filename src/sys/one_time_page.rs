//! A one-time address on this machine that leads to another page.
//!
//! Every user of the machine can read the arguments of a process, and the address of a login holds
//! `state` and the PKCE challenge: with both, somebody else could finish it with a code of their own.
//! So the program that opens pages is handed an address that leads to the true one a single time.
//! Whoever reads it there is refused as another user, or comes too late, or makes the browser come
//! too late, which ends the login. Two programs of this very user may both come: where one opener
//! failed and its browser is slow, the next one opens the page as well.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::callback_page;
use super::loopback;
use super::loopback_server::{Client, LoopbackServer};
use super::random::OsRandom;
use super::request_head::Refusal;
use crate::ports::browser::OpenedPage;
use crate::ports::host::Random;

/// The host of the address: no name, which might lead elsewhere.
const HOST: &str = "127.0.0.1";

/// The visits at an address.
#[derive(Default)]
struct Visits {
    all: AtomicUsize,
    /// Those that are not known to be this user's.
    of_others: AtomicUsize,
    /// Whether another user was turned away, and nobody has been told.
    were_refused: AtomicBool,
}

impl Visits {
    /// Counts one, and returns how many were before it.
    fn count(&self, is_own: bool) -> usize {
        if !is_own {
            self.of_others.fetch_add(1, Ordering::SeqCst);
        }
        self.all.fetch_add(1, Ordering::SeqCst)
    }
}

/// Such an address, as long as it is kept.
pub(super) struct OneTimePage {
    address: String,
    visits: Arc<Visits>,
    /// Dropped, it closes the port.
    _server: LoopbackServer,
}

impl OneTimePage {
    /// Opens an address on any free port that leads to `target`.
    ///
    /// # Errors
    /// If there is no port, or no randomness.
    pub(super) fn open(target: &str) -> io::Result<Self> {
        let mut name = [0; 32];
        OsRandom.fill(&mut name).map_err(io::Error::other)?;
        let path = format!("/{}", BASE64_URL_SAFE_NO_PAD.encode(name));
        let (port, sockets) = loopback::port(loopback::addresses(HOST), 0)?;
        let address = format!("http://{HOST}:{port}{path}");
        let visits = Arc::<Visits>::default();
        let server = {
            let (visits, target) = (Arc::clone(&visits), target.to_owned());
            LoopbackServer::start(sockets, move |client| {
                serve(&client, port, &path, &visits, &target);
            })?
        };
        Ok(Self {
            address,
            visits,
            _server: server,
        })
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }
}

impl OpenedPage for OneTimePage {
    fn visits(&self) -> usize {
        self.visits.all.load(Ordering::SeqCst)
    }

    fn is_visited_by_others(&self) -> bool {
        self.visits() > 1 && self.visits.of_others.load(Ordering::SeqCst) > 0
    }

    fn was_refused_to_others(&self) -> bool {
        self.visits.were_refused.swap(false, Ordering::SeqCst)
    }
}

fn serve(client: &Client, port: u16, path: &str, visits: &Visits, target: &str) {
    match client.request(port, path) {
        None => {}
        // Among them HEAD, by which a program may look before it opens the page.
        Some(Err(refusal)) => {
            if refusal == Refusal::Foreign {
                visits.were_refused.store(true, Ordering::SeqCst);
            }
            client.refuse(refusal);
        }
        Some(Ok(_)) => match visits.count(client.is_this_user()) {
            0 => {
                let html = callback_page::html("Log in", "Your browser is sent to the login.");
                client.answer(303, &html, Some(("Location", target)));
            }
            _ => client.answer(410, &callback_page::used_up(), None),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;

    fn ask(page: &OneTimePage, method: &str) -> String {
        let address = url::Url::parse(page.address()).unwrap();
        let port = address.port().unwrap();
        let mut stream = TcpStream::connect((HOST, port)).unwrap();
        let head = format!(
            "{method} {} HTTP/1.1\r\nHost: {HOST}:{port}\r\n\r\n",
            address.path()
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn it_leads_on_once_and_is_not_used_up_by_a_look() {
        let page = OneTimePage::open("https://login.example/authorize?state=MARKER").unwrap();
        assert!(!page.address().contains("MARKER"));
        // A scheme, a host, a port, and 32 random bytes.
        let name = page.address().rsplit('/').next().unwrap();
        assert_eq!(name.len(), 43);
        assert!(ask(&page, "HEAD").starts_with("HTTP/1.1 405"));
        assert_eq!(page.visits(), 0);
        let first = ask(&page, "GET");
        assert!(first.starts_with("HTTP/1.1 303"), "{first}");
        assert!(first.contains("Location: https://login.example/authorize?state=MARKER\r\n"));
        assert_eq!(page.visits(), 1);
        let second = ask(&page, "GET");
        assert!(second.starts_with("HTTP/1.1 410"), "{second}");
        assert!(
            !second.contains("MARKER") && second.contains("start it again"),
            "{second}"
        );
        assert_eq!(page.visits(), 2);
    }

    #[test]
    fn two_visits_are_of_others_unless_both_are_known_to_be_ours() {
        for (first, second) in [(true, true), (true, false), (false, true), (false, false)] {
            let page = OneTimePage::open("https://login.example/").unwrap();
            assert_eq!(page.visits.count(first), 0);
            assert!(!page.is_visited_by_others());
            assert_eq!(page.visits.count(second), 1);
            assert_eq!(page.is_visited_by_others(), !(first && second));
        }
    }

    /// Elsewhere nobody tells whose a connection is.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_second_visit_of_this_user_is_known_for_one() {
        let page = OneTimePage::open("https://login.example/").unwrap();
        assert!(ask(&page, "GET").starts_with("HTTP/1.1 303"));
        assert!(ask(&page, "GET").starts_with("HTTP/1.1 410"));
        assert_eq!(page.visits(), 2);
        assert!(!page.is_visited_by_others());
    }
}
