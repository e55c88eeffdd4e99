//! The values of a manifest, each checked while the TOML is read, so that an error has a line and
//! a column, and nothing unchecked can be had.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use url::{Host, Url};

use crate::model::id::{ProfileId, ProviderId, is_unprintable};
use crate::model::provider::{ClaimPath, ClaimSource, filled};
use crate::model::time::parse_duration;

/// The parameters that the protocol itself sets (RFC 6749, RFC 7636).
const STANDARD_PARAMS: [&str; 18] = [
    "response_type",
    "response_mode",
    "client_id",
    "client_secret",
    "redirect_uri",
    "scope",
    "state",
    "device_code",
    "user_code",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "code_verifier",
    "grant_type",
    "refresh_token",
    "request",
    "request_uri",
    "iss",
];

/// The headers of a token request that no manifest may set.
const STANDARD_HEADERS: [&str; 9] = [
    "accept",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "cookie",
    "host",
    "proxy-authorization",
    "transfer-encoding",
];

/// Defines values that are checked while the TOML is read, so that the error has line and column.
macro_rules! checked {
    ($($(#[$attribute:meta])* $name:ident($inner:ty), from $raw:ty, by $check:expr;)*) => {$(
        $(#[$attribute])*
        pub(super) struct $name(pub(super) $inner);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let raw = <$raw>::deserialize(from)?;
                ($check)(raw).map(Self).map_err(serde::de::Error::custom)
            }
        }
    )*};
}

checked! {
    Schema(()), from i64, by schema;
    Id(ProviderId), from String, by |text: String| id(&text);
    Line(String), from String, by line;
    Variable(String), from String, by variable;
    Address(String), from String, by address;
    RedirectHost(String), from String, by redirect_host;
    RedirectPath(String), from String, by redirect_path;
    Context(Vec<u16>), from Vec<u16>, by ports;
    #[derive(Default)]
    Params(BTreeMap<String, String>), from BTreeMap<String, String>, by params;
    #[derive(Default)]
    Headers(BTreeMap<String, String>), from BTreeMap<String, String>, by headers;
    Claim(ClaimPath), from String, by |text: String| claim(&text);
    Span(Duration), from String, by |text: String| span(&text);
    HostPattern(String), from String, by host_pattern;
    HeaderName(String), from String, by header_name;
    SecretName(String), from String, by |text: String| secret_name(&text);
    AbsolutePath(String), from String, by absolute_path;
    ProfileName(String), from String, by profile_name;
    SchemeWord(String), from String, by scheme_word;
    #[derive(Default)]
    Statuses(Vec<u16>), from Vec<u16>, by statuses;
    Body(String), from String, by body;
}

impl From<Line> for String {
    fn from(line: Line) -> Self {
        line.0
    }
}

impl From<Variable> for String {
    fn from(variable: Variable) -> Self {
        variable.0
    }
}

/// Checked values as plain texts.
pub(super) fn texts<T: Into<String>>(values: Vec<T>) -> Vec<String> {
    values.into_iter().map(Into::into).collect()
}

fn schema(number: i64) -> Result<(), String> {
    match number {
        1 => Ok(()),
        _ => Err(format!(
            "schema {number} is not known here: write schema = 1"
        )),
    }
}

fn id(text: &str) -> Result<ProviderId, String> {
    let id = ProviderId::parse(text).map_err(|why| why.to_string())?;
    if id.as_str() == text {
        Ok(id)
    } else {
        Err(format!("the id must be written {:?}", id.as_str()))
    }
}

fn line(text: String) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("this cannot be empty: write something, or leave the key out".to_owned());
    }
    if text.contains(is_unprintable) {
        return Err("this cannot hold a control character: write plain text".to_owned());
    }
    Ok(text)
}

fn variable(text: String) -> Result<String, String> {
    let plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    let valid = text.bytes().all(plain) && !text.is_empty() && !text.as_bytes()[0].is_ascii_digit();
    let wrong = || format!("{text:?} is not the name of a variable: write capitals, digits and _");
    if valid { Ok(text) } else { Err(wrong()) }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

fn address(text: String) -> Result<String, String> {
    let url = Url::parse(&text)
        .map_err(|why| format!("{text:?} is not a URL ({why}): write https://..."))?;
    let local = url.scheme() == "http" && url.host().is_some_and(|host| is_loopback(&host));
    if url.scheme() != "https" && !local {
        return Err(format!(
            "{text:?} must be https: http is for addresses of this machine only"
        ));
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(
            "an address cannot hold a user, a password or a fragment: leave it out".to_owned(),
        );
    }
    Ok(text)
}

fn redirect_host(text: String) -> Result<String, String> {
    match text.as_str() {
        "localhost" | "127.0.0.1" | "[::1]" => Ok(text),
        _ => Err("the redirect comes back to this machine: write \"localhost\", \"127.0.0.1\" or \"[::1]\"".to_owned()),
    }
}

fn redirect_path(text: String) -> Result<String, String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~".contains(&b);
    if text.starts_with('/') && text.bytes().all(plain) {
        Ok(text)
    } else {
        Err("write the path of the redirect, from its / on and without a query".to_owned())
    }
}

fn ports(numbers: Vec<u16>) -> Result<Vec<u16>, String> {
    match numbers.is_empty() {
        true => Err("name at least one port; 0 stands for any free one".to_owned()),
        false => Ok(numbers),
    }
}

fn params(pairs: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, String> {
    match pairs
        .keys()
        .find(|name| STANDARD_PARAMS.contains(&name.as_str()))
    {
        Some(name) => Err(format!("the protocol sets {name} itself: leave it out")),
        None => Ok(pairs),
    }
}

fn headers(pairs: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, String> {
    for (name, value) in &pairs {
        header_name(name.clone())?;
        if !value.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) {
            return Err(format!(
                "the header {name} holds something else than printable ASCII"
            ));
        }
    }
    Ok(pairs)
}

fn header_name(name: String) -> Result<String, String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if name.is_empty() || !name.bytes().all(plain) {
        return Err(format!(
            "{name:?} is not the name of a header: write letters, digits, - and _"
        ));
    }
    if STANDARD_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
        return Err(format!(
            "the header {name} is not for a manifest to set: leave it out"
        ));
    }
    Ok(name)
}

/// What stands behind the colon of a profile's name.
fn profile_name(text: String) -> Result<String, String> {
    match ProfileId::parse(&text) {
        Ok(id) if id.as_str() == text => Ok(text),
        Ok(_) => Err(format!("{text:?} begins or ends with a space")),
        Err(error) => Err(error.to_string()),
    }
}

/// `host`, or `*.host` for every host below it.
fn host_pattern(text: String) -> Result<String, String> {
    let host = text.strip_prefix("*.").unwrap_or(&text);
    match Host::parse(host) {
        Ok(parsed) if parsed.to_string() == host => Ok(text),
        _ => Err(format!(
            "{text:?} is not the name of a host: write it alone and in lower case, *. in front for \
             every host below"
        )),
    }
}

/// A secret itself never stands in a manifest, only its name.
fn secret_name(text: &str) -> Result<String, String> {
    let name = text
        .strip_prefix("${secret:")
        .and_then(|rest| rest.strip_suffix('}'));
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    match name {
        Some(name) if !name.is_empty() && name.bytes().all(plain) => Ok(name.to_owned()),
        _ => Err("a secret does not belong in a manifest: write ${secret:NAME}".to_owned()),
    }
}

fn absolute_path(text: String) -> Result<String, String> {
    if text.starts_with('/') && !text.contains(is_unprintable) {
        Ok(text)
    } else {
        Err("the path of a program must be absolute: write it from / on".to_owned())
    }
}

/// The word in front of a credential in `Authorization` (RFC 9110 section 11.1).
fn scheme_word(text: String) -> Result<String, String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    match !text.is_empty() && text.bytes().all(plain) {
        true => Ok(text),
        false => Err(format!(
            "{text:?} is no word for Authorization: write one such as \"Bearer\""
        )),
    }
}

fn statuses(numbers: Vec<u16>) -> Result<Vec<u16>, String> {
    // A redirect is not followed, so it never is the answer.
    match numbers.iter().find(|n| !matches!(n, 200..300 | 400..500)) {
        Some(number) => Err(format!(
            "{number} is no status that can mean yes: write one from 200 to 299 or 400 to 499"
        )),
        None => Ok(numbers),
    }
}

/// A JSON text once its places are filled.
fn body(text: String) -> Result<String, String> {
    match serde_json::from_str::<serde::de::IgnoredAny>(&filled(&text, "m", 1)) {
        Ok(_) => Ok(text),
        Err(why) => Err(format!(
            "the body is no JSON ({why}): write '{{\"model\": \"{{model}}\", \"max_tokens\": {{max_tokens}}}}' and \
             the like"
        )),
    }
}

fn claim(text: &str) -> Result<ClaimPath, String> {
    let sources = [
        ("access_token", ClaimSource::AccessToken),
        ("id_token", ClaimSource::IdToken),
        ("response", ClaimSource::Response),
        ("userinfo", ClaimSource::UserInfo),
    ];
    let found = text.split_once(':').and_then(|(name, pointer)| {
        let source = sources.iter().find(|(other, _)| *other == name)?.1;
        let pointer = pointer.starts_with('/').then(|| pointer.to_owned())?;
        Some(ClaimPath { source, pointer })
    });
    found.ok_or_else(|| {
        format!(
            "{text:?} is not a place of a claim: write access_token, id_token, response or \
             userinfo, a colon, and a JSON pointer, as in \"id_token:/sub\""
        )
    })
}

fn span(text: &str) -> Result<Duration, String> {
    parse_duration(text, "s").map_err(|_| {
        format!("{text:?} is no length of time: write one such as \"90s\", \"10m\" or \"1.5h\"")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_https_or_loopback() {
        for wrong in [
            "ftp://a.example/",
            "https://u:p@a.example/",
            "https://a.example/#f",
        ] {
            assert!(address(wrong.to_owned()).is_err(), "{wrong}");
        }
        for right in [
            "https://a.example/x?y=z",
            "http://127.0.0.1:9/",
            "http://[::1]:9/t",
        ] {
            assert!(address(right.to_owned()).is_ok(), "{right}");
        }
        assert!(address("http://localhost.evil.example/".to_owned()).is_err());
        assert!(redirect_host("0.0.0.0".to_owned()).is_err());
        assert!(redirect_path("/a?b".to_owned()).is_err());
        assert!(ports(Vec::new()).is_err());
    }

    #[test]
    fn the_name_of_a_profile_is_one_everywhere() {
        assert!(profile_name("github".to_owned()).is_ok());
        for wrong in ["", " github", "a/b", "a\u{1b}[2J", ".."] {
            assert!(profile_name(wrong.to_owned()).is_err(), "{wrong:?}");
        }
    }
}
