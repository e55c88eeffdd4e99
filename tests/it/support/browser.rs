//! A browser without a screen: follows an authorization URL to the page at its end.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use url::Url;

/// A page: status, headers and body as one text.
#[derive(Clone, Debug)]
pub(crate) struct Visited {
    /// The status of the last answer.
    pub(crate) status: u16,
    /// The last answer, head and body.
    pub(crate) text: String,
    /// The address that it was the answer of.
    pub(crate) url: String,
}

/// Opens `url` and follows redirects, on loopback only, as a browser would.
pub(crate) fn visit(url: &str) -> io::Result<Visited> {
    let mut url = Url::parse(url).map_err(io::Error::other)?;
    for _ in 0..5 {
        let text = get(&url)?;
        let status = text
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .unwrap_or(0);
        let location = text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("location")
                .then(|| value.trim().to_owned())
        });
        match location {
            Some(next) if (300..400).contains(&status) => {
                url = url.join(&next).map_err(io::Error::other)?;
            }
            _ => {
                return Ok(Visited {
                    status,
                    text,
                    url: url.to_string(),
                });
            }
        }
    }
    Err(io::Error::other("too many redirects"))
}

fn get(url: &Url) -> io::Result<String> {
    let host = url.host_str().unwrap_or_default();
    if !matches!(host, "127.0.0.1" | "localhost" | "[::1]") {
        return Err(io::Error::other("not a loopback address"));
    }
    let port = url.port_or_known_default().unwrap_or(80);
    let mut stream = TcpStream::connect((host.trim_matches(['[', ']']), port))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    let query = url
        .query()
        .map_or_else(String::new, |query| format!("?{query}"));
    let path = url.path();
    write!(
        stream,
        "GET {path}{query} HTTP/1.0\r\nHost: {host}:{port}\r\n\r\n"
    )?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}
