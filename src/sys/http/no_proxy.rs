//! `NO_PROXY`: whom to reach without a proxy.
//!
//! No standard describes it. An entry counts if undici, the client of OpenClaw, or curl would let
//! it count: a host that is meant to stay inside must not be told to a proxy.

use std::net::IpAddr;

use ipnet::IpNet;
use url::{Host, Url};

/// The entries of the list.
#[derive(Default)]
pub(super) struct Exceptions(Vec<Entry>);

struct Entry {
    target: Target,
    port: Option<u16>,
}

enum Target {
    Every,
    Network(IpNet),
    /// A domain and those below it.
    Domain(String),
    /// `*corp.test`, which matches `mycorp.test`, too.
    Ending(String),
}

impl Exceptions {
    /// Reads a list separated by commas or blanks. An entry that cannot be understood counts for
    /// nothing.
    pub(super) fn parse(list: &str) -> Self {
        let entries = list.split(|c: char| c == ',' || c.is_whitespace());
        Self(entries.filter_map(Entry::parse).collect())
    }

    /// Whether a server is among them.
    pub(super) fn contain(&self, url: &Url) -> bool {
        let port = url.port_or_known_default();
        let is_port = |entry: &Entry| entry.port.is_none() || entry.port == port;
        let host = url.host();
        host.is_some_and(|host| (self.0.iter()).any(|entry| is_port(entry) && entry.covers(&host)))
    }
}

impl Entry {
    fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.rsplit_once(':') {
            // The colons of an IPv6 address are none of a port, unless it is in brackets.
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, Some(port.parse().ok()?))
            }
            _ => (text, None),
        };
        let target = Target::parse(host)?;
        Some(Self { target, port })
    }

    fn covers(&self, host: &Host<&str>) -> bool {
        match (&self.target, host) {
            (Target::Every, _) => true,
            (Target::Network(network), host) => {
                address(host).is_some_and(|address| network.contains(&address))
            }
            (Target::Domain(domain), Host::Domain(name)) => {
                let below = name.trim_end_matches('.').strip_suffix(domain.as_str());
                below.is_some_and(|below| below.is_empty() || below.ends_with('.'))
            }
            (Target::Ending(ending), Host::Domain(name)) => {
                name.trim_end_matches('.').ends_with(ending.as_str())
            }
            (Target::Domain(_) | Target::Ending(_), _) => false,
        }
    }
}

impl Target {
    fn parse(host: &str) -> Option<Self> {
        if host == "*" {
            return Some(Self::Every);
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(network) = bare.parse() {
            return Some(Self::Network(network));
        }
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Some(Self::Network(address.into()));
        }
        let name = host.trim_end_matches('.');
        let domain = name.strip_prefix("*.").or_else(|| name.strip_prefix('.'));
        if let (None, Some(ending)) = (domain, name.strip_prefix('*')) {
            // `*.` is the beginning of an entry, and no entry.
            if ending.is_empty() {
                return None;
            }
            return Some(Self::Ending(ending.to_ascii_lowercase()));
        }
        // As in a URL: lower case, and Punycode.
        match Host::parse(domain.unwrap_or(name)).ok()? {
            Host::Domain(domain) => Some(Self::Domain(domain)),
            Host::Ipv4(address) => Some(Self::Network(IpAddr::from(address).into())),
            Host::Ipv6(address) => Some(Self::Network(IpAddr::from(address).into())),
        }
    }
}

/// The address that a host is written as, if it is; IPv4 in IPv6 as IPv4.
pub(super) fn address(host: &Host<&str>) -> Option<IpAddr> {
    match *host {
        Host::Domain(_) => None,
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(IpAddr::from(address).to_canonical()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_exception_that_undici_or_curl_knows_counts() {
        for (list, url, is_direct) in [
            ("corp.test", "https://corp.test/", true),
            ("corp.test", "https://auth.corp.test/", true),
            ("corp.test", "https://mycorp.test/", false),
            ("corp.test", "https://corp.test.evil.test/", false),
            (".corp.test", "https://auth.corp.test/", true),
            (".corp.test", "https://corp.test/", true),
            ("*.corp.test", "https://auth.corp.test/", true),
            ("*.corp.test", "https://a.b.corp.test/", true),
            ("*.corp.test", "https://mycorp.test/", false),
            ("*corp.test", "https://mycorp.test/", true),
            ("CORP.Test.", "https://auth.corp.test./", true),
            ("bücher.test", "https://xn--bcher-kva.test/", true),
            ("auth.corp.test:8443", "https://auth.corp.test:8443/", true),
            ("auth.corp.test:8443", "https://auth.corp.test/", false),
            ("corp.test:443", "https://auth.corp.test/", true),
            ("*.corp.test:443", "https://auth.corp.test/", true),
            ("corp.test:80", "http://corp.test/", true),
            ("corp.test:https", "https://corp.test/", false),
            ("a.test b.test", "https://b.test/", true),
            ("a.test\tb.test,,  c.test ,", "https://c.test/", true),
            ("*", "https://192.0.2.1/", true),
            ("*", "https://[2001:db8::1]/", true),
            ("a.test, *", "https://b.test/", true),
            ("*:8443", "https://192.0.2.1:8443/", true),
            ("*:8443", "https://192.0.2.1/", false),
            ("192.0.2.1", "https://192.0.2.1/", true),
            ("192.0.2.1:8443", "https://192.0.2.1:8443/", true),
            ("192.0.2.1:8443", "https://192.0.2.1/", false),
            ("192.0.2.0/24", "https://192.0.2.77/", true),
            ("192.0.2.0/24", "https://192.0.3.1/", false),
            ("192.0.2.1", "https://[::ffff:192.0.2.1]/", true),
            ("2001:db8::1", "https://[2001:db8::1]/", true),
            ("[2001:db8::1]", "https://[2001:db8::1]:8443/", true),
            ("[2001:db8::1]:8443", "https://[2001:db8::1]/", false),
            ("[2001:db8::1]:8443", "https://[2001:db8::1]:8443/", true),
            ("2001:db8::/32", "https://[2001:db8::2]/", true),
            ("0.2.1", "https://192.0.2.1/", false),
            ("", "https://a.test/", false),
            ("*.", "https://a.test/", false),
            ("*.:443, .", "https://a.test/", false),
        ] {
            let exceptions = Exceptions::parse(list);
            let url = Url::parse(url).unwrap();
            assert_eq!(exceptions.contain(&url), is_direct, "{list} {url}");
        }
    }
}
