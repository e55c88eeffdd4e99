//! Where a request comes from.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use crate::model::access::Network;
use crate::model::provider;

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the client: of the connection, or, where that is one of our proxies, what it says
/// of the connection to it. From the right: whatever stands left of the first address that is none of
/// our proxies, the client may have written itself.
///
/// `None` if what our proxy says cannot be read: it counts as nobody, never as the proxy itself.
pub(super) fn client(peer: IpAddr, headers: &HeaderMap, proxies: &[Network]) -> Option<IpAddr> {
    let mut address = peer.to_canonical();
    let values: Vec<&HeaderValue> = headers.get_all(FORWARDED_FOR).iter().collect();
    let values = values.iter().rev();
    // Element by element: a proxy appends to what the client wrote, which may be no text.
    let mut before = values.flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','));
    while is_proxy(address, proxies) {
        match before.next() {
            None => break,
            Some(named) => address = std::str::from_utf8(named).ok().and_then(parse)?,
        }
    }
    Some(address)
}

/// Whether the host of a URL is this machine for whoever asks.
pub(super) fn is_loopback(url: &Url) -> bool {
    url.host().is_some_and(|host| provider::is_loopback(&host))
}

/// Whether an address is that of one of our proxies.
pub(super) fn is_proxy(address: IpAddr, proxies: &[Network]) -> bool {
    let address = address.to_canonical();
    proxies.iter().any(|network| network.contains(&address))
}

/// What stands for a client where something is counted: in IPv6 a client has a whole /64.
pub(super) fn counted(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            Ipv6Addr::from(network).into()
        }
        address => address,
    }
}

/// An address as proxies write it: some with a port, and IPv6 then in brackets.
fn parse(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let with_port = || text.parse::<SocketAddr>().ok().map(|at| at.ip());
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse().ok().or_else(with_port)?;
    Some(IpAddr::to_canonical(&address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::access::parse_network;

    #[test]
    fn only_a_proxy_of_ours_says_where_a_request_comes_from() {
        let proxies = ["10.0.0.0/8", "2001:db8::1"].map(|text| parse_network(text).unwrap());
        for (peer, forwarded, expected) in [
            ("192.0.2.1", &["203.0.113.9"][..], "192.0.2.1"),
            ("10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("::ffff:10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("2001:db8::1", &["203.0.113.9:4711"], "203.0.113.9"),
            ("10.0.0.1", &["[2001:db8::9]:80"], "2001:db8::9"),
            (
                "10.0.0.1",
                &["127.0.0.1, 203.0.113.9, 10.0.0.2"],
                "203.0.113.9",
            ),
            ("10.0.0.1", &["127.0.0.1", "203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["\u{e9}, 203.0.113.9"], "203.0.113.9"),
            ("10.0.0.1", &["127.0.0.1, unknown"], "nobody"),
            ("10.0.0.1", &["127.0.0.1, "], "nobody"),
            ("10.0.0.1", &["fe80::1%eth0"], "nobody"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["10.0.0.2"], "10.0.0.2"),
        ] {
            let mut headers = HeaderMap::new();
            for value in forwarded {
                headers.append(
                    FORWARDED_FOR,
                    HeaderValue::from_bytes(value.as_bytes()).unwrap(),
                );
            }
            let address = client(peer.parse().unwrap(), &headers, &proxies);
            let address = address.map_or("nobody".to_owned(), |address| address.to_string());
            assert_eq!(address, expected, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn a_client_of_ipv6_has_a_network() {
        let counted = |text: &str| counted(text.parse().unwrap()).to_string();
        assert_eq!(counted("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(counted("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(counted("192.0.2.1"), "192.0.2.1");
    }
}
