//! Sockets for a redirect endpoint: on loopback addresses and nowhere else, and for `localhost` on
//! both or on none.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener};

/// With any free port: how often to look for one that is free on both addresses.
const FREE_PORT_TRIES: usize = 16;

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// The addresses that the host of a redirect URI stands for; none if it is no loopback host.
pub(super) fn addresses(host: &str) -> &'static [IpAddr] {
    match host.to_ascii_lowercase().as_str() {
        // A browser may take either for `localhost`, and whoever has the other gets the code.
        "localhost" => &[V4, V6],
        "127.0.0.1" => &[V4],
        "[::1]" | "::1" => &[V6],
        _ => &[],
    }
}

/// Binds one port on all of `addresses` that this machine has; `0` takes any free one.
pub(super) fn port(addresses: &[IpAddr], port: u16) -> io::Result<(u16, Vec<TcpListener>)> {
    let mut tries = if port == 0 { FREE_PORT_TRIES } else { 1 };
    loop {
        tries -= 1;
        match once(addresses, port) {
            // Free on one address, taken on the other: only another port can help.
            Err(error) if error.kind() == ErrorKind::AddrInUse && tries > 0 => {}
            result => return result,
        }
    }
}

fn once(addresses: &[IpAddr], wanted: u16) -> io::Result<(u16, Vec<TcpListener>)> {
    let mut port = wanted;
    let mut sockets = Vec::new();
    for &address in addresses {
        match TcpListener::bind((address, port)) {
            Ok(socket) => {
                port = socket.local_addr()?.port();
                sockets.push(socket);
            }
            // A machine without IPv6: no browser on it can try ::1 either.
            Err(error) if address == V6 && !sockets.is_empty() && is_absent(&error) => {}
            Err(error) => return Err(error),
        }
    }
    if sockets.is_empty() {
        let words = "the redirect URI does not have a loopback host";
        return Err(io::Error::new(ErrorKind::InvalidInput, words));
    }
    Ok((port, sockets))
}

fn is_absent(error: &io::Error) -> bool {
    // The codes of Linux, macOS and Windows for "no such address family".
    const NO_FAMILY: [i32; 3] = [97, 47, 10047];
    matches!(
        error.kind(),
        ErrorKind::AddrNotAvailable | ErrorKind::Unsupported
    ) || error
        .raw_os_error()
        .is_some_and(|code| NO_FAMILY.contains(&code))
}
