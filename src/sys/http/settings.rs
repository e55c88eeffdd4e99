//! What the environment says about the network: proxies, and a company's own authority.

use url::Url;

use super::super::env::names;
use crate::model::secret::Secret;
use crate::ports::host::Env;

/// Set in a CGI program.
const CGI: &str = "REQUEST_METHOD";

/// What the environment says about the network.
pub(super) struct Settings {
    /// Variable and value; the value may hold a password.
    pub(super) https_proxy: Option<(&'static str, Secret<String>)>,
    pub(super) http_proxy: Option<(&'static str, Secret<String>)>,
    pub(super) no_proxy: Option<String>,
    pub(super) ca_bundle: Option<String>,
}

impl Settings {
    pub(super) fn read(env: &dyn Env) -> Self {
        let first = |names: [&'static str; 2]| {
            let mut set = names
                .into_iter()
                .filter_map(|name| Some((name, env.var(name)?)));
            set.next()
        };
        let [https, http, all, none] = names::PROXIES;
        // In a CGI program HTTP_PROXY is what a client sent as its `Proxy` header.
        let cgi = env.var(CGI).is_some();
        let http = if cgi { None } else { first(http) };
        Self {
            https_proxy: first(https).or_else(|| first(all)),
            http_proxy: http.or_else(|| first(all)),
            no_proxy: none.iter().find_map(|name| env.plain(name)),
            ca_bundle: env.plain(names::CA_BUNDLE),
        }
    }
}

/// `host:port` means http, as everywhere.
pub(super) fn proxy_url(text: &str) -> Option<String> {
    let text = match text.contains("://") {
        true => text.to_owned(),
        false => format!("http://{text}"),
    };
    let url = Url::parse(&text).ok()?;
    let known = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];
    (known.contains(&url.scheme()) && url.has_host()).then_some(text)
}
