//! The head of a request at the redirect endpoint: reading it within limits, and judging it.
//!
//! Anybody on this machine and any page in the user's browser can talk to the port, so whatever is
//! not exactly a browser that follows our redirect is refused with the status that says why. The
//! limits are kept here because the server crate has none: it waits for a silent client for ever
//! and reads a head of any length.

use std::collections::HashSet;
use std::io::{ErrorKind, Read};
use std::net::TcpStream;
use std::time::Duration;

use crate::model::secret::Secret;
use crate::ports::host::Clock;

/// The longest head that is read, in bytes. An authorization response has less than four KiB, and
/// the cookies of whatever else was ever served on localhost may stand beside it.
pub(crate) const MAX_HEAD: usize = 256 * 1024;

/// The first byte of a client that speaks TLS (RFC 8446 section 5.1).
const TLS_HANDSHAKE: u8 = 22;

/// What is read at once.
const PIECE: usize = 16 * 1024;

/// The most header fields of a request.
const MAX_FIELDS: usize = 128;

/// The decoded query of a request, in order.
pub(crate) type Query = Vec<(String, Secret<String>)>;

/// Why a request is turned away; waiting for the right one goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// 400: not HTTP, or cut off.
    Malformed,
    /// 403: it came from another user of this machine.
    Foreign,
    /// 400: no `Host`, several, or one that is not ours: a page that rebinds its name to loopback.
    WrongHost,
    /// 400: a parameter more than once (RFC 6749 section 3.1).
    Repeated,
    /// 404: another path, such as `/favicon.ico`.
    NotFound,
    /// 405: anything but GET.
    Method,
    /// 408: the head did not come in time.
    Slow,
    /// 400: TLS, which a browser speaks where the address was rewritten to https.
    Encrypted,
    /// 431: longer than [`MAX_HEAD`], or too many fields.
    TooLarge,
}

impl Refusal {
    /// The status, and the sentence for the page.
    pub(crate) fn describe(self) -> (u16, &'static str) {
        match self {
            Self::Malformed => (400, "This is not a well-formed HTTP request."),
            Self::Foreign => (403, "This request came from another user of this machine."),
            Self::WrongHost => (400, "The Host header does not match this endpoint."),
            Self::Repeated => (400, "A parameter is given more than once."),
            Self::NotFound => (404, "Nothing is served at this path."),
            Self::Method => (405, "Only GET is allowed."),
            Self::Slow => (408, "The request took too long."),
            Self::Encrypted => (400, "This address is http, not https."),
            Self::TooLarge => (
                431,
                "The request is too large: this browser sends many cookies to localhost. Copy the \
                 address of this page and paste it at the terminal.",
            ),
        }
    }
}

impl Refusal {
    /// Why a request was turned away that may have been meant for the login, as the end of a
    /// sentence; `None` for what browsers ask of their own accord.
    pub(crate) fn concern(self) -> Option<&'static str> {
        match self {
            Self::Foreign => Some("it came from another user of this machine"),
            Self::WrongHost => Some("it names another host"),
            Self::Repeated => Some("a parameter is given more than once"),
            Self::Encrypted => Some("it came by https, and this address is http"),
            Self::TooLarge => Some("it carries too many cookies"),
            Self::Malformed | Self::NotFound | Self::Method | Self::Slow => None,
        }
    }
}

/// How long a client may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// For the whole head.
    pub(crate) whole: Duration,
    /// For the first byte of it.
    pub(crate) first: Duration,
}

/// Reads from `stream` until the head is complete, at most [`MAX_HEAD`] bytes, and calls `heard`
/// whenever something has come. `None` if the client left without a word, as a browser's preconnect
/// does.
pub(crate) fn read(
    mut stream: &TcpStream,
    clock: &dyn Clock,
    limits: Limits,
    heard: &dyn Fn(),
) -> Result<Option<Secret<Vec<u8>>>, Refusal> {
    let begun = clock.monotonic();
    let mut buffer = Vec::new();
    let mut length = 0;
    loop {
        // One deadline for the whole head: a limit per read is no limit for a client that drips.
        let limit = if length == 0 {
            limits.first
        } else {
            limits.whole
        };
        let left = (begun + limit).saturating_sub(clock.monotonic());
        if left.is_zero() || stream.set_read_timeout(Some(left)).is_err() {
            return Err(Refusal::Slow);
        }
        if buffer.len() == length {
            grow(&mut buffer);
        }
        match stream.read(&mut buffer[length..]) {
            Ok(0) if length == 0 => return Ok(None),
            Ok(0) => return Err(Refusal::Malformed),
            Ok(count) => {
                length += count;
                heard();
            }
            Err(error) => match error.kind() {
                ErrorKind::Interrupted => {}
                ErrorKind::WouldBlock | ErrorKind::TimedOut => return Err(Refusal::Slow),
                _ => return Ok(None),
            },
        }
        if buffer[0] == TLS_HANDSHAKE {
            return Err(Refusal::Encrypted);
        }
        if is_complete(&buffer[..length])? {
            buffer.truncate(length);
            return Ok(Some(Secret::new(buffer)));
        }
        if length == MAX_HEAD {
            return Err(Refusal::TooLarge);
        }
    }
}

/// Makes room for one more piece, and leaves no copy of what was read behind.
fn grow(buffer: &mut Vec<u8>) {
    let mut larger = vec![0; (buffer.len() + PIECE).min(MAX_HEAD)];
    larger[..buffer.len()].copy_from_slice(buffer);
    drop(Secret::new(std::mem::replace(buffer, larger)));
}

fn is_complete(head: &[u8]) -> Result<bool, Refusal> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let parsed = httparse::Request::new(&mut fields).parse(head);
    parsed.map(|status| status.is_complete()).map_err(refusal)
}

fn refusal(error: httparse::Error) -> Refusal {
    match error {
        httparse::Error::TooManyHeaders => Refusal::TooLarge,
        _ => Refusal::Malformed,
    }
}

/// Judges a complete head; the query if it is a GET for `path` at this `port`.
pub(crate) fn judge(head: &[u8], port: u16, path: &str) -> Result<Query, Refusal> {
    let mut fields = [httparse::EMPTY_HEADER; MAX_FIELDS];
    let mut request = httparse::Request::new(&mut fields);
    let status = request.parse(head).map_err(refusal)?;
    let (true, Some(method), Some(target)) = (status.is_complete(), request.method, request.path)
    else {
        return Err(Refusal::Malformed);
    };
    // The host first: a page that reached us under its own name is told nothing else.
    if !names_us(request.headers, port) {
        return Err(Refusal::WrongHost);
    }
    let (asked, query) = target.split_once('?').unwrap_or((target, ""));
    if asked != path {
        return Err(Refusal::NotFound);
    }
    if method != "GET" {
        return Err(Refusal::Method);
    }
    decode(query)
}

fn names_us(fields: &[httparse::Header<'_>], port: u16) -> bool {
    let mut hosts = fields
        .iter()
        .filter(|field| field.name.eq_ignore_ascii_case("host"));
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    ["localhost", "127.0.0.1", "[::1]"]
        .iter()
        .any(|name| format!("{name}:{port}").as_bytes() == host.value.to_ascii_lowercase())
}

fn decode(query: &str) -> Result<Query, Refusal> {
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    let pairs: Query = pairs
        .map(|(name, value)| (name.into_owned(), Secret::new(value.into_owned())))
        .collect();
    // Of two values one program takes the first and another the last: an attacker's choice.
    let mut seen = HashSet::new();
    if pairs.iter().all(|(name, _)| seen.insert(name)) {
        Ok(pairs)
    } else {
        Err(Refusal::Repeated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(line: &str, fields: &str) -> Result<Query, Refusal> {
        judge(
            format!("{line} HTTP/1.1\r\n{fields}\r\n").as_bytes(),
            1455,
            "/auth/callback",
        )
    }

    #[test]
    fn the_query_is_decoded_in_order() {
        let line = "GET /auth/callback?state=a%20b+c&code=%C3%A9&empty=&bare";
        let query = judged(line, "host: LOCALHOST:1455\r\n").unwrap();
        let plain: Vec<(&str, &str)> = query
            .iter()
            .map(|(name, value)| (name.as_str(), value.expose().as_str()))
            .collect();
        assert_eq!(
            plain,
            [
                ("state", "a b c"),
                ("code", "é"),
                ("empty", ""),
                ("bare", "")
            ]
        );
    }

    #[test]
    fn every_loopback_name_with_our_port_and_no_other_host_is_ours() {
        for host in ["localhost:1455", "127.0.0.1:1455", "[::1]:1455"] {
            let fields = format!("Host: {host}\r\n");
            assert!(judged("GET /auth/callback", &fields).is_ok(), "{host}");
        }
        for fields in [
            "",
            "Host: localhost\r\n",
            "Host: localhost:1456\r\n",
            "Host: evil.example:1455\r\n",
            "Host: localhost:1455.evil.example\r\n",
            "Host: localhost:1455\r\nHost: localhost:1455\r\n",
        ] {
            let result = judged("GET /auth/callback", fields);
            assert_eq!(result, Err(Refusal::WrongHost), "{fields:?}");
        }
    }

    #[test]
    fn each_fault_has_its_own_refusal() {
        let host = "Host: 127.0.0.1:1455\r\n";
        let many = format!("{host}{}", "X: y\r\n".repeat(MAX_FIELDS));
        let table = [
            ("POST /auth/callback", host, Refusal::Method),
            ("HEAD /auth/callback", host, Refusal::Method),
            ("GET /favicon.ico", host, Refusal::NotFound),
            ("GET /auth/callback/", host, Refusal::NotFound),
            ("GET /success", host, Refusal::NotFound),
            ("GET /cancel", host, Refusal::NotFound),
            (
                "GET /auth/callback?state=a&state=a",
                host,
                Refusal::Repeated,
            ),
            (
                "GET /auth/callback?c%6fde=a&code=b",
                host,
                Refusal::Repeated,
            ),
            ("GET", host, Refusal::Malformed),
            ("GET /auth/callback", many.as_str(), Refusal::TooLarge),
        ];
        for (line, fields, refusal) in table {
            assert_eq!(judged(line, fields), Err(refusal), "{line}");
        }
    }
}
