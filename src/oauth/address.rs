//! Whether an address that a server told may be used.
//!
//! A server that was taken over, or an answer that was tampered with, must not send tokens or people
//! to somebody else: what it names is https (loopback excepted) and on a host that the manifest
//! allows.

use url::Url;

use crate::model::provider::is_loopback;

/// Returns what keeps an address from being used, in words that follow "it"; `own` is the host that
/// is allowed where the manifest names none.
pub fn fault(text: &str, hosts: &[String], own: Option<&str>) -> Option<&'static str> {
    let Ok(url) = Url::parse(text) else {
        return Some("is not a URL");
    };
    let Some(host) = url.host() else {
        return Some("has no host");
    };
    let is_secure = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&host));
    if !is_secure {
        return Some("is not https");
    }
    // `https://github.com@evil.example/` reads as another host than it is.
    if !url.username().is_empty() || url.password().is_some() {
        return Some("contains a user name");
    }
    if url.fragment().is_some() {
        return Some("contains a fragment");
    }
    let host = host.to_string();
    let is_allowed = match hosts {
        [] => own == Some(host.as_str()),
        hosts => hosts.iter().any(|pattern| matches(pattern, &host)),
    };
    (!is_allowed).then_some("is on a host that the manifest does not allow")
}

/// Returns the host of an address, as it is compared.
pub fn host(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    url.host().map(|host| host.to_string())
}

/// Returns the host of an address, and its port if that is not the usual one of the scheme.
pub fn authority(address: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    let host = url.host()?;
    Some(match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_string(),
    })
}

/// `*.` in front of a name stands for every host below it, and not for the name itself.
fn matches(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(parent) => host
            .strip_suffix(parent)
            .is_some_and(|below| below.len() > 1 && below.ends_with('.')),
        None => host == pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_secure_and_on_an_allowed_host() {
        let of = |text: &str, hosts: &[&str]| {
            let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
            fault(text, &hosts, Some("auth.x.ai"))
        };
        let x = ["x.ai", "*.x.ai"];
        for right in ["https://x.ai/t", "https://AUTH.x.ai:8443/t?a=b"] {
            assert_eq!(of(right, &x), None, "{right}");
        }
        assert_eq!(of("https://auth.x.ai/t", &[]), None);
        let elsewhere = Some("is on a host that the manifest does not allow");
        for wrong in ["https://evilx.ai/", "https://x.ai.evil.example/"] {
            assert_eq!(of(wrong, &x), elsewhere, "{wrong}");
        }
        assert_eq!(of("https://x.ai/", &[]), elsewhere);
        assert_eq!(of("https://x.ai/", &["*.x.ai"]), elsewhere);
        // Loopback is no way around the list.
        assert_eq!(of("http://127.0.0.1:9/", &x), elsewhere);
        assert_eq!(of("http://127.0.0.1:9/", &["127.0.0.1"]), None);
        assert_eq!(of("http://x.ai/", &x), Some("is not https"));
        assert_eq!(
            of("https://x.ai@evil.example/", &x),
            Some("contains a user name")
        );
        assert_eq!(of("https://x.ai/#f", &x), Some("contains a fragment"));
        assert_eq!(of("/token", &x), Some("is not a URL"));
    }
}
