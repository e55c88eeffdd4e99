//! The address of a gateway: a URL that is given, else a host and a port.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::app::failure::{Failure, Kind};
use crate::model::provider::is_loopback;
use crate::ports::host::Env;

/// The URL; it takes precedence over the other two.
const URL: &str = "GOCLAW_GATEWAY_URL";
/// The host, [`DEFAULT_HOST`] by default.
const HOST: &str = "GOCLAW_HOST";
/// The port, [`DEFAULT_PORT`] by default.
const PORT: &str = "GOCLAW_PORT";
const DEFAULT_HOST: &str = "127.0.0.1";
const DEFAULT_PORT: u16 = 3577;

/// The base URL of a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address(Url);

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

impl Address {
    /// Finds it: in `given`, which is the value of an option, else in the variables. What is blank
    /// counts as not set.
    ///
    /// # Errors
    /// [`Kind::Usage`] for a value that is no such address. It is not repeated, for it may hold a
    /// password.
    pub(super) fn find(given: Option<&str>, env: &dyn Env) -> Result<Self, Failure> {
        if let Some(text) = given.filter(|text| !text.trim().is_empty()) {
            return Self::parse(text).map_err(|why| wrong("--gateway-url", why));
        }
        if let Some(named) = Self::named(env, URL)? {
            return Ok(named);
        }
        let host = variable(env, HOST)?;
        let host = host.as_deref().unwrap_or(DEFAULT_HOST);
        let host = read_host(host).ok_or_else(|| wrong(HOST, "is not the name of a host"))?;
        let port = match variable(env, PORT)? {
            Some(text) => text.parse().ok().filter(|port| *port != 0),
            None => Some(DEFAULT_PORT),
        };
        let port = port.ok_or_else(|| wrong(PORT, "is not a port from 1 to 65535"))?;
        Self::parse(&format!("http://{host}:{port}")).map_err(|why| wrong(HOST, why))
    }

    /// The URL in a variable, if it is set and not blank.
    ///
    /// # Errors
    /// As [`Self::find`].
    pub(super) fn named(env: &dyn Env, name: &'static str) -> Result<Option<Self>, Failure> {
        let text = variable(env, name)?;
        let named = text.map(|text| Self::parse(&text));
        named.transpose().map_err(|why| wrong(name, why))
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let url = Url::parse(text.trim()).map_err(|_| "is not a URL")?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("is neither an http nor an https URL");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("contains a user name or a password; a token has a variable of its own");
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("contains a query or a fragment");
        }
        if url.port() == Some(0) {
            return Err("names port 0");
        }
        Ok(Self(url))
    }

    /// The URL of a path, which begins with a slash.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{self}{path}")
    }

    /// Whether the gateway is on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        self.0.host().is_some_and(|host| is_loopback(&host))
    }

    /// Whether what is sent there can be read on the way.
    pub(super) fn is_in_the_clear(&self) -> bool {
        self.0.scheme() == "http" && !self.is_loopback()
    }

    /// The port, that of the scheme where none is written.
    pub(super) fn port(&self) -> Option<u16> {
        self.0.port_or_known_default()
    }
}

/// A host as it stands in a URL. A server that listens at every address is reached at the loopback
/// one: its variable is often in force for the client, too.
fn read_host(text: &str) -> Option<Host> {
    let bare = text.parse::<Ipv6Addr>().map(Host::Ipv6);
    let host = bare.or_else(|_| Host::parse(text)).ok()?;
    Some(match host {
        Host::Ipv4(address) if address.is_unspecified() => Host::Ipv4(Ipv4Addr::LOCALHOST),
        Host::Ipv6(address) => match address.to_canonical() {
            IpAddr::V4(address) => Host::Ipv4(address),
            IpAddr::V6(address) if address.is_unspecified() => Host::Ipv6(Ipv6Addr::LOCALHOST),
            IpAddr::V6(address) => Host::Ipv6(address),
        },
        other => other,
    })
}

fn variable(env: &dyn Env, name: &str) -> Result<Option<String>, Failure> {
    match env.plain(name) {
        None if env.is_garbled(name) => Err(wrong(name, "is not valid UTF-8")),
        value => Ok(value),
    }
}

fn wrong(name: &str, why: &str) -> Failure {
    Failure::new(Kind::Usage, format!("{name} {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::env::FixedEnv;

    fn find(given: Option<&str>, env: &[(&str, &str)]) -> Result<String, String> {
        let found = Address::find(given, &FixedEnv::of(env));
        found
            .map(|address| address.to_string())
            .map_err(|failure| failure.message)
    }

    #[test]
    fn the_url_wins_over_host_and_port_and_an_option_over_all() {
        let host = ("GOCLAW_HOST", "gw.test");
        let port = ("GOCLAW_PORT", "99");
        let url = ("GOCLAW_GATEWAY_URL", "https://gw.test/base//");
        let found = |given, env: &[_]| find(given, env).unwrap();
        assert_eq!(found(None, &[]), "http://127.0.0.1:3577");
        assert_eq!(found(None, &[host]), "http://gw.test:3577");
        assert_eq!(found(None, &[port]), "http://127.0.0.1:99");
        assert_eq!(found(None, &[host, port]), "http://gw.test:99");
        assert_eq!(found(None, &[host, port, url]), "https://gw.test/base");
        assert_eq!(found(Some("http://a.test/"), &[url]), "http://a.test");
        assert_eq!(found(Some(" "), &[url]), "https://gw.test/base");
        // Of what does not count nothing is judged.
        let broken = ("GOCLAW_PORT", "none");
        assert_eq!(found(None, &[broken, url]), "https://gw.test/base");
    }

    #[test]
    fn a_host_is_written_as_in_a_url() {
        for (host, url) in [
            ("localhost", "http://localhost:3577"),
            ("::1", "http://[::1]:3577"),
            ("[::1]", "http://[::1]:3577"),
            ("2001:db8::1", "http://[2001:db8::1]:3577"),
            ("::ffff:127.0.0.1", "http://127.0.0.1:3577"),
            ("0.0.0.0", "http://127.0.0.1:3577"),
            ("::", "http://[::1]:3577"),
            ("bücher.test", "http://xn--bcher-kva.test:3577"),
        ] {
            assert_eq!(find(None, &[("GOCLAW_HOST", host)]).unwrap(), url, "{host}");
        }
        for host in [
            "a b",
            "127.0.0.1:80",
            "a/b",
            "user@host",
            "http://a",
            "a\u{fffd}",
        ] {
            let error = find(None, &[("GOCLAW_HOST", host)]).unwrap_err();
            assert!(error.starts_with("GOCLAW_HOST is not"), "{error}");
        }
    }

    #[test]
    fn what_is_no_port_is_refused() {
        for port in ["0", "-1", "65536", "http", "80 81", "0x50"] {
            let error = find(None, &[("GOCLAW_PORT", port)]).unwrap_err();
            assert_eq!(error, "GOCLAW_PORT is not a port from 1 to 65535", "{port}");
        }
        let highest = find(None, &[("GOCLAW_PORT", "65535")]).unwrap();
        assert_eq!(highest, "http://127.0.0.1:65535");
    }

    #[test]
    fn a_url_with_more_than_a_place_in_it_is_refused_and_not_repeated() {
        for (url, why) in [
            ("127.0.0.1:3577", "is not a URL"),
            ("ftp://s3cret.test", "is neither an http nor an https URL"),
            ("https://u:s3cret@a.test", "contains a user name"),
            ("https://s3cret@a.test", "contains a user name"),
            ("https://a.test/?k=s3cret", "contains a query"),
            ("https://a.test/#s3cret", "contains a query or a fragment"),
            ("http://127.0.0.1:0", "names port 0"),
        ] {
            for error in [
                find(Some(url), &[]).unwrap_err(),
                find(None, &[("GOCLAW_GATEWAY_URL", url)]).unwrap_err(),
            ] {
                assert!(error.contains(why), "{url}: {error}");
                assert!(!error.contains("s3cret"), "{error}");
            }
        }
    }

    #[test]
    fn only_another_machine_without_tls_is_in_the_clear() {
        let is = |url: &str| Address::parse(url).unwrap().is_in_the_clear();
        for url in [
            "https://gw.test",
            "http://127.0.0.1:3577",
            "http://localhost",
            "http://[::1]:9",
        ] {
            assert!(!is(url), "{url}");
        }
        for url in [
            "http://gw.test",
            "http://10.0.0.1",
            "http://127.0.0.1.evil.test",
            "http://a.localhost",
            "http://0.0.0.0:3577",
        ] {
            assert!(is(url), "{url}");
        }
    }
}
