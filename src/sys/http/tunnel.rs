//! Why a proxy made no tunnel (RFC 9110 section 9.3.6). The client does not tell its status, so the
//! proxy is asked once more, on a connection of its own and without a request in the tunnel.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use url::Url;

/// How long connecting, and the answer, may take each.
const LIMIT: Duration = Duration::from_secs(2);
/// The most that is read of a status line, in bytes.
const LINE: u64 = 1024;

/// Returns the status with which the proxy refuses a tunnel to the server of a URL, if that can be
/// found out. Its login is not sent again.
pub(super) fn refusal(proxy: &Url, server: &Url) -> Option<u16> {
    if proxy.scheme() != "http" {
        return None;
    }
    let addresses = proxy.socket_addrs(|| None).ok()?;
    let mut addresses = addresses.iter();
    let mut stream = addresses.find_map(|it| TcpStream::connect_timeout(it, LIMIT).ok())?;
    stream.set_read_timeout(Some(LIMIT)).ok()?;
    let (host, port) = (server.host_str()?, server.port_or_known_default()?);
    let request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut line = String::new();
    BufReader::new(stream.take(LINE))
        .read_line(&mut line)
        .ok()?;
    let status = line.strip_prefix("HTTP/1.")?.split(' ').nth(1)?;
    let status = status.trim().parse().ok()?;
    // It asks for the login that was not sent again, or has changed its mind.
    (status != 407 && !(200..300).contains(&status)).then_some(status)
}
