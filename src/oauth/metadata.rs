//! What an authorization server publishes about itself: RFC 8414, and OpenID Connect Discovery 1.0.
//! Pure: it neither asks nor keeps.
//!
//! The invariant: what gets through here names the very issuer that was asked for (RFC 8414 section
//! 3.3), and no endpoint that the manifest does not allow. Whoever keeps a document reads it
//! through here again.

use std::time::Duration;

use serde_json::{Map, Value};
use url::Url;

use super::address;
use crate::model::id::printable;
use crate::model::provider::{ClientAuth, Registration};
use crate::ports::http::Response;

/// Longest document, in bytes; real ones have a few KiB.
const LONGEST: usize = 256 * 1024;
/// The lifetime of a document where its server names none, and the longest.
const LIFE: Duration = Duration::from_secs(86_400);
/// The shortest lifetime, so that a login and its first refresh ask once.
const SHORTEST_LIFE: Duration = Duration::from_secs(300);

/// The members that are read; nothing else is cached.
const MEMBERS: [&str; 11] = [
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "device_authorization_endpoint",
    "revocation_endpoint",
    "jwks_uri",
    "userinfo_endpoint",
    "authorization_response_iss_parameter_supported",
    "code_challenge_methods_supported",
    "grant_types_supported",
    "token_endpoint_auth_methods_supported",
];

/// A document whose issuer and endpoints were checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    members: Map<String, Value>,
}

/// A failure to get metadata.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// There is none at this address; another one may have it.
    #[error("{0}")]
    NotHere(String),
    /// The server cannot answer now.
    #[error("{0}")]
    Later(String),
    /// The document must not be used.
    #[error("{0}")]
    Unfit(String),
}

/// Returns the addresses where the metadata of an issuer may lie, in the order in which they are
/// asked: OpenID Connect's own first where an ID token is wanted, because only that document surely
/// names the keys and the userinfo endpoint; else RFC 8414's.
///
/// # Errors
/// Fails if the issuer is no address that can have metadata.
pub fn addresses(issuer: &str, wants_id_token: bool) -> Result<Vec<String>, MetadataError> {
    let unfit = |why: &str| MetadataError::Unfit(format!("the issuer {issuer} {why}"));
    let url = Url::parse(issuer).map_err(|_| unfit("is not a URL"))?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(unfit("contains a query or a fragment"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    let at = |path: String| {
        let mut url = url.clone();
        url.set_path(&path);
        url.to_string()
    };
    // RFC 8414 section 3.1: between the host and the path; OpenID Connect appends.
    let rfc8414 = at(format!("/.well-known/oauth-authorization-server{path}"));
    let openid = at(format!("{path}/.well-known/openid-configuration"));
    let mut addresses = match wants_id_token {
        true => vec![openid, rfc8414],
        false => vec![rfc8414, openid],
    };
    if !path.is_empty() {
        // The transformation that RFC 8414 section 5 gives the older suffix, too.
        addresses.push(at(format!("/.well-known/openid-configuration{path}")));
    }
    Ok(addresses)
}

/// Reads the answer of one of the [`addresses`].
///
/// # Errors
/// Returns why it is no metadata of the registration's issuer.
pub fn read_answer(
    answer: &Response,
    registration: &Registration,
) -> Result<Metadata, MetadataError> {
    let returned = |what: String| format!("the server returned {what}");
    match answer.status {
        200..=299 => {}
        status @ (429 | 500..) => {
            return Err(MetadataError::Later(returned(format!("HTTP {status}"))));
        }
        status => {
            let what = match status {
                300..=399 => format!("a redirect (HTTP {status})"),
                _ => format!("HTTP {status}"),
            };
            return Err(MetadataError::NotHere(returned(what)));
        }
    }
    let body = answer.body.expose();
    if body.len() > LONGEST {
        let why = format!("the document is larger than {LONGEST} bytes");
        return Err(MetadataError::Unfit(why));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Metadata::read(members, registration),
        _ => Err(MetadataError::NotHere(
            "the response is not a JSON object".into(),
        )),
    }
}

/// Returns for how long an answer may be kept; `None` if it must not be (RFC 9111 section 5.2.2).
pub fn cache_lifetime(answer: &Response) -> Option<Duration> {
    let directives = answer.header("cache-control").unwrap_or_default();
    let mut life = LIFE;
    for directive in directives.split(',').map(str::trim) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.to_ascii_lowercase().as_str() {
            "no-store" => return None,
            "no-cache" => life = SHORTEST_LIFE,
            "max-age" => {
                if let Ok(seconds) = value.trim_matches('"').parse() {
                    life = Duration::from_secs(seconds);
                }
            }
            _ => {}
        }
    }
    Some(life.clamp(SHORTEST_LIFE, LIFE))
}

impl Metadata {
    /// Checks a document.
    ///
    /// # Errors
    /// [`MetadataError::Unfit`] with what is wrong.
    pub fn read(
        mut members: Map<String, Value>,
        registration: &Registration,
    ) -> Result<Self, MetadataError> {
        let unfit = |why: String| Err(MetadataError::Unfit(why));
        members.retain(|name, _| MEMBERS.contains(&name.as_str()));
        let metadata = Self { members };
        let issuer = registration.issuer.as_deref().unwrap_or_default();
        match metadata.text("issuer") {
            Some(told) if told == issuer => {}
            Some(told) => {
                let told = printable(told, 120);
                return unfit(format!("it belongs to another issuer, {told}"));
            }
            None => return unfit("it does not name its issuer".to_owned()),
        }
        let own = address::origin(issuer);
        for name in MEMBERS.iter().filter(|name| is_address(name)) {
            let Some(value) = metadata.members.get(*name) else {
                continue;
            };
            let text = value.as_str().unwrap_or_default();
            if let Some(why) = address::fault(text, &registration.hosts, own.as_ref()) {
                let text = printable(text, 120);
                return unfit(format!("its {name} {text} {why}"));
            }
        }
        Ok(metadata)
    }

    /// Returns the known members, to be cached.
    pub fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    /// Reports whether every callback names its issuer (RFC 9207 section 3).
    pub fn sends_iss(&self) -> bool {
        let member = "authorization_response_iss_parameter_supported";
        self.members.get(member).and_then(Value::as_bool) == Some(true)
    }

    /// Reports whether the server says that it does not check an S256 challenge: then it would take
    /// a code without its verifier, and `plain` is never sent instead (RFC 7636 section 7.2, RFC
    /// 9700 section 4.8).
    pub fn lacks_s256(&self) -> bool {
        self.lacks("code_challenge_methods_supported", "S256")
    }

    /// Reports whether the server lists its grant types without this one.
    pub fn lacks_grant(&self, grant_type: &str) -> bool {
        self.lacks("grant_types_supported", grant_type)
    }

    /// Returns the server's client authentication methods, if this client's is not among them.
    pub fn other_auth_methods(&self, has_secret: bool, auth: ClientAuth) -> Option<String> {
        let ours = match (has_secret, auth) {
            (false, _) => "none",
            (true, ClientAuth::Post) => "client_secret_post",
            (true, ClientAuth::Basic) => "client_secret_basic",
        };
        let name = "token_endpoint_auth_methods_supported";
        let lacks = self.lacks(name, ours);
        lacks.then(|| printable(&self.list(name).unwrap_or_default().join(", "), 200))
    }

    /// Returns a member that is a text, such as the address of an endpoint.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name)?.as_str()
    }

    fn list(&self, name: &str) -> Option<Vec<&str>> {
        let values = self.members.get(name)?.as_array()?;
        Some(values.iter().filter_map(Value::as_str).collect())
    }

    fn lacks(&self, name: &str, wanted: &str) -> bool {
        self.list(name)
            .is_some_and(|values| !values.contains(&wanted))
    }
}

fn is_address(member: &str) -> bool {
    member.ends_with("_endpoint") || member == "jwks_uri"
}

#[cfg(test)]
mod tests;
