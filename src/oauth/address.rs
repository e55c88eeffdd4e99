//! Whether an address that a server told may be used.
//!
//! A server that was taken over, or an answer that was tampered with, must not send tokens or people
//! to somebody else: what it names is https (loopback excepted) and on a host that the manifest
//! allows, or, where it allows none, of the very origin that was asked. Another port of one host may
//! be another user's (RFC 6454 section 4).

use url::{Origin, Url};

use crate::model::provider::is_loopback;

/// Returns what keeps an address from being used, in words that follow "it"; `own` is the origin
/// that is allowed where the manifest names no hosts.
pub fn fault(text: &str, hosts: &[String], own: Option<&Origin>) -> Option<String> {
    let is_on_allowed = |url: &Url| match hosts {
        [] => own == Some(&url.origin()),
        hosts => {
            let host = url.host().map(|host| host.to_string());
            host.is_some_and(|host| hosts.iter().any(|pattern| matches(pattern, &host)))
        }
    };
    let url = match secure(text) {
        Ok(url) => url,
        Err(why) => return Some(why.to_owned()),
    };
    if is_on_allowed(&url) {
        return None;
    }
    Some(match own.filter(|_| hosts.is_empty()) {
        Some(own) => format!(
            "is on {}, and the manifest allows only {}",
            url.origin().ascii_serialization(),
            own.ascii_serialization()
        ),
        None => "is on a host that the manifest does not allow".to_owned(),
    })
}

/// Reads an address that may be asked, wherever it is; else what is wrong with it.
fn secure(text: &str) -> Result<Url, &'static str> {
    let Ok(url) = Url::parse(text) else {
        return Err("is not a URL");
    };
    let Some(host) = url.host() else {
        return Err("has no host");
    };
    let is_secure = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&host));
    if !is_secure {
        return Err("is not https");
    }
    // `https://github.com@evil.example/` reads as another host than it is.
    if !url.username().is_empty() || url.password().is_some() {
        return Err("contains a user name");
    }
    if url.fragment().is_some() {
        return Err("contains a fragment");
    }
    Ok(url)
}

/// Returns the scheme, host and port of an address; `None` if it has no such origin.
pub fn origin(address: &str) -> Option<Origin> {
    let origin = Url::parse(address).ok()?.origin();
    origin.is_tuple().then_some(origin)
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
        let own = origin("https://auth.x.ai/device").unwrap();
        let of = |text: &str, hosts: &[&str]| {
            let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
            fault(text, &hosts, Some(&own))
        };
        let why = |text: &str, hosts: &[&str]| of(text, hosts).unwrap_or_default();
        let x = ["x.ai", "*.x.ai"];
        for right in ["https://x.ai/t", "https://AUTH.x.ai:8443/t?a=b"] {
            assert_eq!(of(right, &x), None, "{right}");
        }
        let elsewhere = "is on a host that the manifest does not allow";
        for wrong in ["https://evilx.ai/", "https://x.ai.evil.example/"] {
            assert_eq!(why(wrong, &x), elsewhere, "{wrong}");
        }
        assert_eq!(why("https://x.ai/", &["*.x.ai"]), elsewhere);
        // Loopback is no way around the list.
        assert_eq!(why("http://127.0.0.1:9/", &x), elsewhere);
        assert_eq!(of("http://127.0.0.1:9/", &["127.0.0.1"]), None);
        assert_eq!(why("http://x.ai/", &x), "is not https");
        assert_eq!(
            why("https://x.ai@evil.example/", &x),
            "contains a user name"
        );
        assert_eq!(why("https://x.ai/#f", &x), "contains a fragment");
        assert_eq!(why("/token", &x), "is not a URL");
    }

    #[test]
    fn without_a_list_only_the_own_origin_is_allowed() {
        let own = origin("https://auth.x.ai/device").unwrap();
        let of = |text: &str| fault(text, &[], Some(&own));
        assert_eq!(of("https://auth.x.ai/t"), None);
        assert_eq!(of("https://AUTH.x.ai:443/t"), None);
        for (text, named) in [
            ("https://x.ai/", "https://x.ai"),
            ("https://auth.x.ai:8443/t", "https://auth.x.ai:8443"),
            ("http://127.0.0.1:9/t", "http://127.0.0.1:9"),
        ] {
            let words = format!("is on {named}, and the manifest allows only https://auth.x.ai");
            assert_eq!(of(text), Some(words), "{text}");
        }
        assert!(fault("https://x.ai/", &[], None).is_some());
        assert_eq!(origin("data:,"), None);
    }
}
