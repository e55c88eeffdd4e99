//! Redirects to this machine (RFC 8252 section 7.3).

use url::{Host, Url};

/// A redirect URI on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loopback {
    /// Its host, exactly as registered: `localhost` or a loopback literal.
    pub host: String,
    /// The registered ports, tried in order; `0` stands for any free one (RFC 8252 section 7.3).
    pub ports: Vec<u16>,
    /// Its path.
    pub path: String,
}

impl Loopback {
    /// The hosts that this program listens on.
    pub const HOSTS: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

    /// The redirect URI with one of the registered ports, exactly as it is sent.
    pub fn uri(&self, port: u16) -> String {
        format!("http://{}:{port}{}", self.host, self.path)
    }

    /// Reads a redirect URI as it was registered: what would be sent must be what is written, for
    /// servers compare it letter by letter (RFC 9700 section 2.1).
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let port = url.port().filter(|port| *port != 0)?;
        let host = url.host_str().filter(|host| Self::HOSTS.contains(host))?;
        let loopback = Self {
            host: host.to_owned(),
            ports: vec![port],
            path: url.path().to_owned(),
        };
        (loopback.uri(port) == text).then_some(loopback)
    }
}

/// Reports whether a host is this machine.
pub fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_leads_to_this_machine_and_nowhere_else() {
        for text in [
            "http://127.0.0.1:1456/oauth-callback",
            "http://localhost:8080/",
            "http://[::1]:9/cb",
        ] {
            let found = Loopback::parse(text).unwrap();
            assert_eq!(found.uri(found.ports[0]), text);
        }
        for text in [
            "https://127.0.0.1:1456/cb",
            "http://127.0.0.1/cb",
            "http://127.0.0.1:80/cb",
            "http://127.0.0.1:0/cb",
            "http://0.0.0.0:1456/cb",
            "http://10.0.0.1:1456/cb",
            "http://127.1:1456/cb",
            "http://localhost.evil.example:1456/cb",
            "http://localhost@evil.example:1456/cb",
            "http://user@localhost:1456/cb",
            "http://localhost:1456/cb?a=b",
            "http://localhost:1456/cb#a",
            "http://LOCALHOST:1456/cb",
            "http://localhost:1456/a/../cb",
            "http://localhost:1456",
            "localhost:1456/cb",
            "nonsense",
        ] {
            assert_eq!(Loopback::parse(text), None, "{text}");
        }
    }
}
