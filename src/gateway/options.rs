//! How a gateway is to be run.

use std::net::SocketAddr;

use url::Url;

use super::address::is_loopback;
use crate::model::access::Network;
use crate::model::secret::Secret;

/// How many bytes the token of a gateway has at least that other machines reach.
pub const LEAST_TOKEN: usize = 32;

/// Parameters of [`run`](super::run).
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 is any free one.
    pub listen: SocketAddr,
    /// The URL that browsers and clients use, if that is not the one we listen at.
    pub public_url: Option<Url>,
    /// The bearer that may do everything.
    pub token: Secret<String>,
    /// Proxies that are believed where a request comes from.
    pub trusted_proxies: Vec<Network>,
}

/// Why a gateway is not run so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsafe {
    /// Other machines reach it, and nothing says under which name.
    #[error("other machines reach {0}, and --public-url does not say by which URL")]
    NoPublicUrl(SocketAddr),
    /// Other machines reach it, and its token can be guessed.
    #[error("other machines reach this gateway, and its token has fewer than {LEAST_TOKEN} bytes")]
    ShortToken,
    /// The URL is none that a browser can use.
    #[error(
        "--public-url must be an http or https URL with a host, and without user, path, query and fragment"
    )]
    PublicUrl,
}

impl Options {
    /// Refuses what would be open to other machines.
    ///
    /// # Errors
    /// What is missing.
    pub fn check(&self) -> Result<(), Unsafe> {
        let is_usable = |url: &Url| {
            matches!(url.scheme(), "http" | "https")
                && url.has_host()
                && url.username().is_empty()
                && url.password().is_none()
                && url.path() == "/"
                && url.query().is_none()
                && url.fragment().is_none()
        };
        if !self.public_url.as_ref().is_none_or(is_usable) {
            return Err(Unsafe::PublicUrl);
        }
        let listens_to_others = !self.listen.ip().is_loopback();
        if listens_to_others && self.public_url.is_none() {
            return Err(Unsafe::NoPublicUrl(self.listen));
        }
        // A proxy brings other machines to a gateway that listens on loopback.
        let is_public = |url: &Url| !is_loopback(url);
        let is_reached = listens_to_others || self.public_url.as_ref().is_some_and(is_public);
        match is_reached && self.token.expose().len() < LEAST_TOKEN {
            true => Err(Unsafe::ShortToken),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(listen: &str, public_url: Option<&str>, token: &str) -> Options {
        Options {
            listen: listen.parse().unwrap(),
            public_url: public_url.map(|url| url.parse().unwrap()),
            token: Secret::from(token),
            trusted_proxies: Vec::new(),
        }
    }

    #[test]
    fn other_machines_need_a_url_and_a_token_that_cannot_be_guessed() {
        let long = "x".repeat(LEAST_TOKEN);
        let url = Some("https://logins.example");
        assert_eq!(options("127.0.0.1:0", None, "t").check(), Ok(()));
        assert_eq!(options("[::1]:0", None, "t").check(), Ok(()));
        let open = "0.0.0.0:3577";
        let at = open.parse().unwrap();
        assert_eq!(
            options(open, None, &long).check(),
            Err(Unsafe::NoPublicUrl(at))
        );
        assert_eq!(options(open, url, "short").check(), Err(Unsafe::ShortToken));
        let behind_proxy = |url, token| options("127.0.0.1:0", Some(url), token).check();
        for url in ["https://logins.example", "http://192.0.2.1"] {
            assert_eq!(behind_proxy(url, "short"), Err(Unsafe::ShortToken));
            assert_eq!(behind_proxy(url, &long), Ok(()));
        }
        for url in ["http://localhost:1", "http://127.0.0.1", "https://[::1]"] {
            assert_eq!(behind_proxy(url, "short"), Ok(()));
        }
        assert_eq!(options(open, url, &long).check(), Ok(()));
    }

    #[test]
    fn a_public_url_is_one_that_a_browser_can_use() {
        for url in [
            "ftp://x.example",
            "https://u:p@x.example",
            "https://x.example/path",
            "https://x.example/?a",
            "https://x.example/#a",
            "data:x",
        ] {
            let checked = options("127.0.0.1:0", Some(url), "t").check();
            assert_eq!(checked, Err(Unsafe::PublicUrl), "{url}");
        }
    }
}
