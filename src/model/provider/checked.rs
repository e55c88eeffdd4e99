//! The values of a manifest, each checked while it is read, so that an error has a line and a column,
//! and nothing unchecked can be had.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use url::{Host, Url};

use super::claim::{ClaimPath, ClaimSource};
use super::loopback::{Loopback, is_loopback};
use super::probe::fill_body;
use crate::model::id::{ProfileId, ProviderId};
use crate::model::text::is_unprintable;
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

/// A checked value, or several of them, as the plain data that they hold.
pub(crate) trait Checked {
    type Plain;

    fn plain(self) -> Self::Plain;
}

impl<C: Checked> Checked for Option<C> {
    type Plain = Option<C::Plain>;

    fn plain(self) -> Self::Plain {
        self.map(C::plain)
    }
}

impl<C: Checked> Checked for Vec<C> {
    type Plain = Vec<C::Plain>;

    fn plain(self) -> Self::Plain {
        self.into_iter().map(C::plain).collect()
    }
}

impl<C: Checked> Checked for BTreeMap<String, C> {
    type Plain = Vec<(String, C::Plain)>;

    fn plain(self) -> Self::Plain {
        let members = self.into_iter();
        members.map(|(name, value)| (name, value.plain())).collect()
    }
}

/// Reads plain data by way of what checks it, so that an error has line and column.
pub(super) fn plain<'de, C: Deserialize<'de> + Checked, D: Deserializer<'de>>(
    from: D,
) -> Result<C::Plain, D::Error> {
    C::deserialize(from).map(C::plain)
}

/// Defines values that are checked while they are read: by what finds a fault in them, or by what
/// makes something else of them.
macro_rules! checked {
    ($($name:ident($plain:ty) $(, faults $fault:expr)? $(, from $raw:ty, by $make:expr)?;)*) => {$(
        pub(crate) struct $name($plain);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $(
                    let value = <$plain>::deserialize(from)?;
                    let made = ($fault)(&value).map_or(Ok(value), Err);
                )?
                $(let made: Result<$plain, String> = ($make)(&<$raw>::deserialize(from)?);)?
                made.map(Self).map_err(serde::de::Error::custom)
            }
        }

        impl Checked for $name {
            type Plain = $plain;

            fn plain(self) -> $plain {
                self.0
            }
        }
    )*};
}

checked! {
    Schema(i64), faults schema;
    Id(ProviderId), from String, by id;
    Line(String), faults line;
    Variable(String), faults variable;
    Address(String), faults address;
    RedirectHost(String), faults redirect_host;
    RedirectPath(String), faults redirect_path;
    PortList(Vec<u16>), faults port_list;
    Params(Vec<(String, String)>), from BTreeMap<String, String>, by params;
    Headers(Vec<(String, String)>), from BTreeMap<String, String>, by headers;
    Claim(ClaimPath), from String, by claim;
    Span(Duration), from String, by span;
    HostPattern(String), faults host_pattern;
    HeaderName(String), faults header_name;
    SecretName(String), from String, by secret_name;
    AbsolutePath(String), faults absolute_path;
    ProfileName(String), faults profile_name;
    SchemeWord(String), faults scheme_word;
    Statuses(Vec<u16>), faults statuses;
    RefusalStatuses(Vec<u16>), faults refusal_statuses;
    Body(String), faults body;
}

/// The fault of what does not fit.
fn unless(fits: bool, fault: &str) -> Option<String> {
    (!fits).then(|| fault.to_owned())
}

fn schema(number: &i64) -> Option<String> {
    let fault = format!("unknown schema {number}: write schema = 1");
    unless(*number == 1, &fault)
}

fn id(text: &str) -> Result<ProviderId, String> {
    let id = ProviderId::parse(text).map_err(|why| why.to_string())?;
    let fault = unless(
        id.as_str() == text,
        &format!("the id must be written {:?}", id.as_str()),
    );
    fault.map_or(Ok(id), Err)
}

fn line(text: &str) -> Option<String> {
    if text.trim().is_empty() {
        return Some("this cannot be empty: set it, or remove the key".to_owned());
    }
    let fits = !text.contains(is_unprintable);
    unless(fits, "this cannot contain control or invisible characters")
}

fn variable(text: &str) -> Option<String> {
    let plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    let fits = text.bytes().all(plain) && text.starts_with(|c: char| !c.is_ascii_digit());
    let fault = format!("{text:?} is not a variable name: use capital letters, digits and _");
    unless(fits, &fault)
}

fn address(text: &str) -> Option<String> {
    let url = match Url::parse(text) {
        Ok(url) => url,
        Err(why) => return Some(format!("{text:?} is not a URL ({why}): write https://...")),
    };
    let local = url.scheme() == "http" && url.host().is_some_and(|host| is_loopback(&host));
    if url.scheme() != "https" && !local {
        return Some(format!(
            "{text:?} must be https: http is for addresses of this machine only"
        ));
    }
    let names_user = !url.username().is_empty() || url.password().is_some();
    let fault = "a URL cannot contain a user name, password or fragment: remove it";
    unless(!names_user && url.fragment().is_none(), fault)
}

fn redirect_host(text: &str) -> Option<String> {
    let fault =
        "the redirect must point to this machine: write \"localhost\", \"127.0.0.1\" or \"[::1]\"";
    unless(Loopback::HOSTS.contains(&text), fault)
}

fn redirect_path(text: &str) -> Option<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~".contains(&b);
    let fits = text.starts_with('/') && text.bytes().all(plain);
    let fault = "write the path of the redirect, starting with / and without a query";
    unless(fits, fault)
}

fn port_list(numbers: &[u16]) -> Option<String> {
    let fault = "set at least one port; 0 means any free port";
    unless(!numbers.is_empty(), fault)
}

fn params(pairs: &BTreeMap<String, String>) -> Result<Vec<(String, String)>, String> {
    let mut names = pairs.keys();
    match names.find(|name| STANDARD_PARAMS.contains(&name.as_str())) {
        Some(name) => Err(format!("{name} is set by the protocol: remove it")),
        None => Ok(pairs.clone().into_iter().collect()),
    }
}

fn headers(pairs: &BTreeMap<String, String>) -> Result<Vec<(String, String)>, String> {
    let fault = |(name, value): (&String, &String)| {
        let fits = value.bytes().all(|b| b == b' ' || b.is_ascii_graphic());
        let fault = format!("the header {name} must be printable ASCII");
        header_name(name).or(unless(fits, &fault))
    };
    let fault = pairs.iter().find_map(fault);
    fault.map_or_else(|| Ok(pairs.clone().into_iter().collect()), Err)
}

fn header_name(name: &str) -> Option<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    if name.is_empty() || !name.bytes().all(plain) {
        return Some(format!(
            "{name:?} is not a header name: use letters, digits, - and _"
        ));
    }
    let is_standard = STANDARD_HEADERS.contains(&name.to_ascii_lowercase().as_str());
    let fault = format!("a manifest cannot set the header {name}: remove it");
    unless(!is_standard, &fault)
}

/// What stands behind the colon of a profile's name.
fn profile_name(text: &str) -> Option<String> {
    match ProfileId::parse_new(text) {
        Ok(id) => unless(
            id.as_str() == text,
            &format!("{text:?} starts or ends with a space"),
        ),
        Err(error) => Some(error.to_string()),
    }
}

/// `host`, or `*.host` for every host below it.
fn host_pattern(text: &str) -> Option<String> {
    let host = text.strip_prefix("*.").unwrap_or(text);
    let fits = Host::parse(host).is_ok_and(|parsed| parsed.to_string() == host);
    let fault = format!(
        "{text:?} is not a host name: write only the host, in lower case; *. in front matches \
         subdomains"
    );
    unless(fits, &fault)
}

/// A secret itself never stands in a manifest, only its name.
fn secret_name(text: &str) -> Result<String, String> {
    let name = text.strip_prefix("${secret:");
    let name = name.and_then(|rest| rest.strip_suffix('}'));
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let name = name.filter(|name| !name.is_empty() && name.bytes().all(plain));
    let fault = "a manifest must not contain a secret: write ${secret:NAME}";
    name.map(str::to_owned).ok_or_else(|| fault.to_owned())
}

fn absolute_path(text: &str) -> Option<String> {
    let fits = text.starts_with('/') && !text.contains(is_unprintable);
    let fault = "the path of a program must be absolute: start it with /";
    unless(fits, fault)
}

/// The word in front of a credential in `Authorization` (RFC 9110 section 11.1).
fn scheme_word(text: &str) -> Option<String> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    let fault = format!("{text:?} is not an Authorization scheme: write one such as \"Bearer\"");
    unless(!text.is_empty() && text.bytes().all(plain), &fault)
}

fn statuses(numbers: &[u16]) -> Option<String> {
    // A redirect is not followed, so it never is the answer.
    let mut numbers = numbers.iter();
    let wrong = numbers.find(|number| !matches!(number, 200..300 | 400..500))?;
    Some(format!(
        "{wrong} cannot be a success status: use 200 to 299 or 400 to 499"
    ))
}

fn refusal_statuses(numbers: &[u16]) -> Option<String> {
    let mut numbers = numbers.iter();
    let is_final = |number: &u16| matches!(number, 400..500) && !matches!(number, 408 | 425 | 429);
    let wrong = numbers.find(|number| !is_final(number))?;
    Some(format!(
        "{wrong} does not say that a login is over: use 400 to 499, without 408, 425 and 429"
    ))
}

/// A JSON text once its places are fill_body.
fn body(text: &str) -> Option<String> {
    let read = serde_json::from_str::<serde::de::IgnoredAny>(&fill_body(text, "m", 1));
    let why = read.err()?;
    Some(format!(
        "the body is not JSON ({why}): write '{{\"model\": \"{{model}}\", \"max_tokens\": {{max_tokens}}}}' and \
         the like"
    ))
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
            "{text:?} is not the location of a claim: write access_token, id_token, response or \
             userinfo, a colon, and a JSON pointer, as in \"id_token:/sub\""
        )
    })
}

fn span(text: &str) -> Result<Duration, String> {
    parse_duration(text, "s").map_err(|_| {
        format!("{text:?} is not a duration: write one such as \"90s\", \"10m\" or \"1.5h\"")
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
            assert!(address(wrong).is_some(), "{wrong}");
        }
        for right in [
            "https://a.example/x?y=z",
            "http://127.0.0.1:9/",
            "http://[::1]:9/t",
        ] {
            assert!(address(right).is_none(), "{right}");
        }
        assert!(address("http://localhost.evil.example/").is_some());
        assert!(redirect_host("0.0.0.0").is_some());
        assert!(redirect_path("/a?b").is_some());
        assert!(port_list(&[]).is_some());
    }

    #[test]
    fn the_name_of_a_profile_is_one_everywhere() {
        assert!(profile_name("github").is_none());
        for wrong in ["", " github", "a\u{1b}[2J"] {
            assert!(profile_name(wrong).is_some(), "{wrong:?}");
        }
    }
}
