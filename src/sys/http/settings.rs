//! What the environment says about the network: which way a request goes, and whom to trust.

use std::fmt;

use url::{Host, Url};

use super::super::env::names;
use super::no_proxy::{Exceptions, address};
use crate::model::secret::Secret;
use crate::ports::host::Env;

/// Set in a CGI program.
const CGI: &str = "REQUEST_METHOD";

/// A variable and its value, which may hold a password; `None` if that is no text.
type Variable = (&'static str, Option<Secret<String>>);

/// What the environment says about the network.
pub(super) struct Settings {
    https_proxy: Option<Variable>,
    http_proxy: Option<Variable>,
    exceptions: Exceptions,
    /// The variable of the exceptions, if it is no text.
    no_exceptions: Option<&'static str>,
    pub(super) authorities: Authorities,
}

/// Where further certificate authorities are.
#[derive(Default)]
pub(super) struct Authorities {
    /// A bundle of certificates, in PEM.
    pub(super) bundle: Option<String>,
    /// Directories of such files, separated as those of `PATH`.
    pub(super) directories: Option<String>,
    /// A bundle that was set for Node, and so for OpenClaw.
    pub(super) of_node: Option<String>,
    /// The first of these variables that is no text.
    pub(super) garbled: Option<&'static str>,
}

/// The way to a server.
pub(super) enum Route {
    /// Straight there.
    Direct,
    /// As the system says outside the environment.
    System,
    /// Through a proxy.
    Proxy(ProxyServer),
}

/// A proxy, and the variable that names it. Shown without the password that it may have.
pub(super) struct ProxyServer {
    pub(super) variable: &'static str,
    pub(super) url: Url,
}

impl fmt::Display for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, host) = (self.url.scheme(), self.url.host_str().unwrap_or_default());
        write!(f, "{scheme}://{host}")?;
        if let Some(port) = self.url.port() {
            write!(f, ":{port}")?;
        }
        write!(f, " ({})", self.variable)
    }
}

impl Settings {
    pub(super) fn read(env: &dyn Env) -> Self {
        let first = |names: [&'static str; 2]| {
            let set = |name| match env.var(name) {
                None if env.is_garbled(name) => Some((name, None)),
                value => Some((name, Some(value?))),
            };
            names.into_iter().find_map(set)
        };
        let garbled = |names: &[&'static str]| {
            let mut names = names.iter().copied();
            names.find(|name| env.is_garbled(name))
        };
        let [https, http, all, none] = names::PROXIES;
        // In a CGI program HTTP_PROXY is what a client sent as its `Proxy` header.
        let cgi = env.var(CGI).is_some();
        let http = if cgi { None } else { first(http) };
        let exceptions = none.iter().find_map(|name| env.plain(name));
        Self {
            https_proxy: first(https).or_else(|| first(all)),
            http_proxy: http.or_else(|| first(all)),
            no_exceptions: garbled(&none).filter(|_| exceptions.is_none()),
            exceptions: Exceptions::parse(&exceptions.unwrap_or_default()),
            authorities: Authorities {
                bundle: env.plain(names::CA_BUNDLE),
                directories: env.plain(names::CA_DIRECTORIES),
                of_node: env.plain(names::NODE_CA_BUNDLE),
                garbled: garbled(&[names::CA_BUNDLE, names::CA_DIRECTORIES]),
            },
        }
    }

    /// The way to the server of a URL. Only the variable that decides about it is looked at.
    ///
    /// # Errors
    /// If that variable is no proxy, a sentence: to go straight to the network is the one thing its
    /// user did not want.
    pub(super) fn route(&self, url: &Url) -> Result<Route, String> {
        if is_this_machine(url) || self.exceptions.contain(url) {
            return Ok(Route::Direct);
        }
        let setting = match url.scheme() {
            "https" => &self.https_proxy,
            _ => &self.http_proxy,
        };
        let Some((variable, value)) = setting else {
            let is_set = self.https_proxy.is_some() || self.http_proxy.is_some();
            return Ok(match cfg!(any(windows, target_os = "macos")) && !is_set {
                true => Route::System,
                false => Route::Direct,
            });
        };
        let garbled = |name| format!("{name} is not valid UTF-8; percent-encode what is not ASCII");
        let text = value.as_ref().ok_or_else(|| garbled(*variable))?;
        // Whom it exempts must not be told to a proxy.
        if let Some(name) = self.no_exceptions {
            return Err(garbled(name));
        }
        let broken = || match text.expose().contains('@') {
            true => format!(
                "{variable} cannot be read: percent-encode what is special in its user name and \
                 password, such as # as %23 and / as %2F"
            ),
            false => format!("{variable} is not an http, https or socks proxy"),
        };
        let url = proxy_url(text.expose()).ok_or_else(broken)?;
        Ok(Route::Proxy(ProxyServer { variable, url }))
    }
}

/// Whether a server is on this machine. A proxy could not reach it, and would be told its tokens:
/// to there they may go without TLS.
fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            // RFC 6761 section 6.3.
            name == "localhost" || name.ends_with(".localhost")
        }
        host => host
            .and_then(|host| address(&host))
            .is_some_and(|address| address.is_loopback() || address.is_unspecified()),
    }
}

/// `host:port` means http, as everywhere; `socks` is what GNOME writes for a proxy that finds the
/// names itself.
fn proxy_url(text: &str) -> Option<Url> {
    let mut url = match text.contains("://") {
        true => Url::parse(text).ok()?,
        false => Url::parse(&format!("http://{text}")).ok()?,
    };
    if url.scheme() == "socks" {
        url.set_scheme("socks5h").ok()?;
    }
    let known = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];
    // `http:/proxy` is read as the host `http`, and a password ends at its first `#`, `?` or `/`.
    let behind = [Some(url.path()), url.query(), url.fragment()];
    let is_cut = behind.into_iter().flatten().any(|part| part.contains('@'));
    let is_torn = !text.contains("://") && url.path() != "/";
    (known.contains(&url.scheme()) && url.has_host() && !is_cut && !is_torn).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::env::FixedEnv;

    /// The proxy on the way to `url`, as it is shown; `None` if there is none.
    fn way(env: &[(&str, &str)], url: &str) -> Result<Option<String>, String> {
        let route = Settings::read(&FixedEnv::of(env)).route(&Url::parse(url).unwrap())?;
        Ok(match route {
            Route::Proxy(proxy) => Some(proxy.to_string()),
            Route::Direct | Route::System => None,
        })
    }

    #[test]
    fn nothing_on_this_machine_is_reached_through_a_proxy() {
        let env = [("ALL_PROXY", "http://proxy.test:3128")];
        for host in [
            "127.0.0.1:8080",
            "127.3.2.1",
            "localhost",
            "LOCALHOST:99",
            "localhost.",
            "issuer.localhost",
            "[::1]:8080",
            "[::ffff:127.0.0.1]",
            "0.0.0.0:8080",
        ] {
            for scheme in ["http", "https"] {
                let way = way(&env, &format!("{scheme}://{host}/token"));
                assert_eq!(way, Ok(None), "{host}");
            }
        }
        for host in ["localhost.evil.test", "notlocalhost", "128.0.0.1"] {
            let way = way(&env, &format!("https://{host}/token")).unwrap();
            assert_eq!(way.unwrap(), "http://proxy.test:3128 (ALL_PROXY)");
        }
    }

    #[test]
    fn only_the_variable_that_would_be_used_is_judged() {
        let gnome = [
            ("all_proxy", "socks://proxy.test:1080/"),
            ("https_proxy", "http://user:pw@proxy.test:3128/"),
            ("http_proxy", "ftp://proxy.test"),
            ("NO_PROXY", "direct.test"),
        ];
        let https = way(&gnome, "https://issuer.test/").unwrap();
        assert_eq!(https.unwrap(), "http://proxy.test:3128 (https_proxy)");
        let http = way(&gnome, "http://issuer.test/").unwrap_err();
        assert_eq!(http, "http_proxy is not an http, https or socks proxy");
        assert_eq!(way(&gnome, "http://direct.test/"), Ok(None));
        let socks = way(&gnome[..1], "https://issuer.test/").unwrap();
        assert_eq!(socks.unwrap(), "socks5h://proxy.test:1080 (all_proxy)");
    }

    #[test]
    fn a_proxy_that_cannot_be_read_is_named_and_never_gone_around() {
        let url = "https://issuer.test/";
        for value in [
            "http://user:12#s3cret@proxy.test:3128",
            "http://user:12?s3cret@proxy.test:3128",
            "http://user:12/s3cret@proxy.test:3128",
            "http://user:s#3cret@proxy.test:3128",
            "user:12#s3cret@proxy.test:3128",
            "http:/proxy.test:3128",
            "http//proxy.test:3128",
            "http://us\u{fffd}r:s3cret@proxy.test:3128",
        ] {
            let error = way(&[("HTTPS_PROXY", value)], url).unwrap_err();
            assert!(error.starts_with("HTTPS_PROXY "), "{value}: {error}");
            assert!(
                !error.contains("3cret") && !error.contains("user:"),
                "{error}"
            );
        }
        let garbled = ("no_proxy", "a\u{fffd}.test");
        let error = way(&[("HTTPS_PROXY", "http://proxy.test"), garbled], url).unwrap_err();
        assert!(error.starts_with("no_proxy "), "{error}");
        assert_eq!(way(&[garbled], url), Ok(None));
        let encoded = [("HTTPS_PROXY", "http://user:12%23ss@proxy.test:3128/")];
        let shown = way(&encoded, url).unwrap().unwrap();
        assert_eq!(shown, "http://proxy.test:3128 (HTTPS_PROXY)");
    }
}
