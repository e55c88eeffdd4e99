//! What a server wants a person to see: the code and the address to type it at.
//!
//! A server that was taken over, or an answer that was tampered with, must not send people to a
//! page of somebody else (RFC 8628 section 5.4) nor steer their terminal. What is not fit is
//! refused, not mended: a mended code would be wrong.

use url::Url;

use super::poll::DeviceError;
use crate::model::id::printable;
use crate::model::provider::DeviceFlow;
use crate::model::text::is_unprintable;
use crate::oauth::address;

/// The longest user code, in characters; OpenClaw's limit.
const LONGEST_CODE: usize = 64;
/// The longest address: longer ones fit in no QR code that a terminal can show.
const LONGEST_ADDRESS: usize = 2_000;

/// A user code as it is shown.
pub(super) fn user_code(text: &str) -> Result<String, DeviceError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(DeviceError::Malformed("has no user code"));
    }
    let too_long = text.chars().count() > LONGEST_CODE;
    if too_long || text.chars().any(is_unprintable) {
        return Err(DeviceError::Malformed(
            "has a user code that cannot be displayed: it is longer than 64 characters or contains control or invisible characters",
        ));
    }
    Ok(text.to_owned())
}

/// A verification address as it is shown. `endpoint` is the address that the code was asked from;
/// its origin is the one that is allowed where the flow names no hosts.
pub(super) fn address(
    text: &str,
    flow: &DeviceFlow,
    endpoint: &str,
) -> Result<String, DeviceError> {
    let refuse = |why: &str| DeviceError::Address {
        address: printable(text, 100),
        why: why.to_owned(),
    };
    let url = Url::parse(text).map_err(|_| refuse("is not a URL"))?;
    let own = address::origin(endpoint);
    if let Some(why) = address::fault(text, &flow.hosts, own.as_ref()) {
        return Err(refuse(&why));
    }
    if url.as_str().len() > LONGEST_ADDRESS {
        return Err(refuse("is too long"));
    }
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use super::super::tests::flow;
    use super::*;

    const ENDPOINT: &str = "https://login.example/device/code";

    fn address_at(text: &str, hosts: &[&str]) -> Result<String, String> {
        let mut flow = flow();
        flow.hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        address(text, &flow, ENDPOINT).map_err(|error| error.to_string())
    }

    #[test]
    fn rfc8628_5_4_only_addresses_on_the_allowed_hosts_are_shown() {
        let x = ["x.ai", "*.x.ai"];
        for good in ["https://x.ai/device", "https://accounts.x.ai/d?user_code=A"] {
            assert_eq!(address_at(good, &x).as_deref(), Ok(good));
        }
        let bad = [
            ("https://evil.example/", "it is on a host"),
            ("https://x.ai.evil.example/", "it is on a host"),
            ("https://evilx.ai/", "it is on a host"),
            ("https://x.ai@evil.example/", "it contains a user name"),
            ("http://x.ai/device", "it is not https"),
            ("javascript:alert(1)", "it has no host"),
            ("ftp://x.ai/", "it is not https"),
            ("/device", "it is not a URL"),
            ("http://127.0.0.1:99/device", "it is on a host"),
        ];
        for (text, why) in bad {
            let refused = address_at(text, &x).unwrap_err();
            assert!(refused.contains(why), "{text}: {refused}");
        }
        let long = format!("https://x.ai/{}", "y".repeat(2_000));
        assert!(address_at(&long, &x).is_err());
        assert!(address_at("https://.x.ai/", &["*.x.ai"]).is_err());
        assert!(address_at("https://x.ai/", &["*.x.ai"]).is_err());
    }

    #[test]
    fn without_a_list_the_origin_that_gave_the_code_is_allowed() {
        let own = "https://login.example/activate";
        assert_eq!(address_at(own, &[]).as_deref(), Ok(own));
        for other in [
            "https://www.login.example/a",
            "https://login.example:8443/a",
        ] {
            assert!(address_at(other, &[]).is_err(), "{other}");
        }
    }

    #[test]
    fn an_address_is_shown_as_a_machine_reads_it() {
        let shown = |text| address_at(text, &["login.example", "xn--80ak6aa92e.com"]).unwrap();
        assert_eq!(
            shown(" https://LOGIN.example/a\u{1b}[2J\n"),
            "https://login.example/a%1B[2J"
        );
        // Cyrillic letters that look Latin are shown as what they are.
        assert_eq!(shown("https://аррӏе.com/"), "https://xn--80ak6aa92e.com/");
        let refused = address_at("https://evil.example/\u{1b}[2J\r\nok", &[]).unwrap_err();
        assert!(!refused.contains(is_unprintable), "{refused:?}");
    }

    #[test]
    fn a_user_code_is_short_and_printable() {
        assert_eq!(user_code(" WDJB-MJHT ").unwrap(), "WDJB-MJHT");
        assert_eq!(user_code(&"x".repeat(64)).unwrap().len(), 64);
        for bad in [
            "",
            " ",
            &"x".repeat(65),
            "A\u{1b}[2JB",
            "A\nB",
            "A\u{202e}B",
        ] {
            let error = user_code(bad).unwrap_err().to_string();
            assert!(!error.contains(is_unprintable), "{error:?}");
        }
    }
}
