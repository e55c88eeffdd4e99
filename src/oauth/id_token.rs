//! Whether an ID token is about this login (OpenID Connect Core section 3.1.3.7).
//!
//! It came from the token endpoint over TLS, which may stand for its signature; where the manifest
//! asks for more, `jwks.rs` checks that. Nobody is let in because of it: it names a profile, and
//! one that was made for another client or another login must not.

use serde_json::Value;

use super::claims::text as name;
use super::jwt::{self, moment};
use crate::model::id::printable;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;

/// Tolerated clock difference, in milliseconds.
const SKEW: i64 = 300_000;

/// The claims that an ID token must have.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The issuer, exactly.
    pub issuer: &'a str,
    /// Our client id.
    pub client_id: &'a str,
    /// The nonce that was sent, if one was.
    pub nonce: Option<&'a Secret<String>>,
    /// Now, by the clock of the server that made it as far as that is known.
    pub now: Timestamp,
}

/// A fault of an ID token, in words that follow "it". They hold nothing but its own claims,
/// cleaned for a terminal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct IdTokenError(String);

fn wrong<T>(why: impl Into<String>) -> Result<T, IdTokenError> {
    Err(IdTokenError(why.into()))
}

/// Checks the ID token of a login; returns its subject.
///
/// # Errors
/// Returns the first thing that is wrong.
pub fn check(token: &Secret<String>, expected: &Expected<'_>) -> Result<String, IdTokenError> {
    let header = jwt::header(token);
    match header.get("alg").and_then(Value::as_str) {
        None => return wrong("is not a valid JWT"),
        Some(alg) if alg.eq_ignore_ascii_case("none") => return wrong("is not signed"),
        Some(_) if header.get("crit").is_some() => {
            return wrong("requires an unsupported extension");
        }
        Some(_) => {}
    }
    let claims = jwt::payload(Some(token));
    let is_us = |id: &str| id == expected.client_id;
    let subject = check_issue(&claims, expected.issuer, &is_us)?;
    let now = expected.now.0;
    match moment(&claims, "exp") {
        None => return wrong("has no expiry"),
        Some(end) if end.0.saturating_add(SKEW) <= now => return wrong("has expired"),
        Some(_) => {}
    }
    match moment(&claims, "iat") {
        None => return wrong("has no issue time"),
        Some(made) if made.0 > now.saturating_add(SKEW) => {
            return wrong("was issued in the future");
        }
        Some(_) => {}
    }
    if let Some(nonce) = expected.nonce {
        let told = claims.get("nonce").and_then(Value::as_str);
        if told.map(Secret::from).as_ref() != Some(nonce) {
            return wrong("does not repeat the nonce of this login");
        }
    }
    Ok(subject)
}

/// Checks the ID token of a refresh (section 12.2): the same issuer, the same subject if that is
/// known, and still for us, which `is_us` tells of a client id.
///
/// # Errors
/// Returns the first thing that is wrong.
pub fn check_renewed(
    token: &Secret<String>,
    (issuer, is_us): (&str, &dyn Fn(&str) -> bool),
    subject: Option<&str>,
) -> Result<(), IdTokenError> {
    let claims = jwt::payload(Some(token));
    let told = check_issue(&claims, issuer, is_us)?;
    match subject {
        Some(subject) if subject != told => wrong("belongs to another account than at login"),
        _ => Ok(()),
    }
}

/// Checks issuer and audience; returns the subject.
fn check_issue(
    claims: &Value,
    issuer: &str,
    is_us: &dyn Fn(&str) -> bool,
) -> Result<String, IdTokenError> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    match text("iss") {
        None => return wrong("does not name its issuer"),
        Some(told) if told != issuer => {
            return wrong(format!(
                "is from {} and not from {issuer}",
                printable(told, 120)
            ));
        }
        Some(_) => {}
    }
    let audience: Vec<&str> = match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !audience.iter().any(|id| is_us(id)) {
        return wrong("is not for this client");
    }
    match text("azp") {
        Some(party) if !is_us(party) => return wrong("was issued to another client"),
        None if audience.len() > 1 => {
            return wrong("is for several clients and does not name the one it was issued to");
        }
        _ => {}
    }
    // A number is not what the standard says, and no reason to lose a login.
    match claims
        .get("sub")
        .and_then(name)
        .filter(|subject| !subject.is_empty())
    {
        Some(subject) => Ok(subject.into_owned()),
        None => wrong("has no subject"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::claims::tests::jwt;
    use crate::oauth::encoding::base64url;
    use serde_json::json;

    const NOW: Timestamp = Timestamp(1_795_242_600_000);
    const ISSUER: &str = "https://auth.example";

    /// Right claims, with some changed; null takes one away.
    fn claims(changes: &Value) -> Value {
        let now = NOW.0 / 1_000;
        let mut claims = json!({
            "iss": ISSUER, "sub": "user-1", "aud": "client-1",
            "exp": now + 600, "iat": now, "nonce": "n-1",
        });
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
                value => claims[name] = value.clone(),
            }
        }
        claims
    }

    fn judge(token: &str, nonce: Option<&str>) -> Result<String, String> {
        let nonce = nonce.map(Secret::from);
        let expected = Expected {
            issuer: ISSUER,
            client_id: "client-1",
            nonce: nonce.as_ref(),
            now: NOW,
        };
        check(&Secret::from(token), &expected).map_err(|error| error.to_string())
    }

    fn of(changes: &Value) -> Result<String, String> {
        judge(&jwt(&claims(changes)), Some("n-1"))
    }

    #[test]
    fn oidc_core_3_1_3_7_what_is_right_is_taken() {
        let now = NOW.0 / 1_000;
        for right in [
            json!({}),
            json!({ "aud": ["client-1"] }),
            json!({ "aud": ["client-1", "api"], "azp": "client-1" }),
            json!({ "azp": "client-1" }),
            // Five minutes, either way.
            json!({ "exp": now - 299 }),
            json!({ "iat": now + 299 }),
            json!({ "exp": now as f64 + 0.5 }),
        ] {
            assert_eq!(of(&right), Ok("user-1".to_owned()), "{right}");
        }
        // A nonce that was not asked for says nothing.
        assert!(judge(&jwt(&claims(&json!({}))), None).is_ok());
    }

    #[test]
    fn oidc_core_3_1_3_7_what_is_wrong_is_refused() {
        let now = NOW.0 / 1_000;
        for (changes, why) in [
            (json!({ "iss": null }), "does not name its issuer"),
            (
                json!({ "iss": "https://auth.example/" }),
                "is from https://auth.example/ and",
            ),
            (json!({ "iss": "\u{1b}[2J" }), "is from [2J and"),
            (json!({ "aud": null }), "is not for this client"),
            (json!({ "aud": "client-2" }), "is not for this client"),
            (json!({ "aud": "client-1 " }), "is not for this client"),
            (json!({ "aud": ["client-2", 7] }), "is not for this client"),
            (
                json!({ "aud": ["client-1", "client-2"] }),
                "for several clients",
            ),
            (json!({ "azp": "client-2" }), "to another client"),
            (json!({ "exp": null }), "has no expiry"),
            (json!({ "exp": "tomorrow" }), "has no expiry"),
            (json!({ "exp": now - 300 }), "has expired"),
            (json!({ "iat": null }), "has no issue time"),
            (json!({ "iat": now + 301 }), "in the future"),
            (json!({ "nonce": null }), "nonce"),
            (json!({ "nonce": "n-2" }), "nonce"),
            (json!({ "sub": null }), "has no subject"),
            (json!({ "sub": "" }), "has no subject"),
        ] {
            let error = of(&changes).unwrap_err();
            assert!(error.contains(why), "{changes}: {error}");
        }
    }

    #[test]
    fn oidc_core_3_1_3_7_an_unsigned_token_is_none() {
        let with = |header: Value| {
            let claims = base64url(claims(&json!({})).to_string().as_bytes());
            judge(
                &format!("{}.{claims}.x", base64url(header.to_string().as_bytes())),
                None,
            )
        };
        for alg in ["none", "None", "NONE"] {
            assert_eq!(with(json!({ "alg": alg })), Err("is not signed".into()));
        }
        let unreadable = Err("is not a valid JWT".to_owned());
        assert_eq!(with(json!({})), unreadable);
        assert_eq!(judge("opaque", None), unreadable);
        assert_eq!(judge("a.b.c", None), unreadable);
        assert!(with(json!({ "alg": "RS256", "crit": ["b64"] })).is_err());
        assert!(with(json!({ "alg": "RS256" })).is_ok());
    }

    #[test]
    fn oidc_core_12_2_a_renewed_token_is_about_the_same() {
        let of = |changes: Value, subject| {
            let token = Secret::from(jwt(&claims(&changes)).as_str());
            let checked = check_renewed(&token, (ISSUER, &|id| id == "client-1"), subject);
            checked.map_err(|error| error.to_string())
        };
        assert_eq!(of(json!({}), Some("user-1")), Ok(()));
        // An old one may be repeated, and what was not known before says nothing.
        assert_eq!(of(json!({ "exp": 1, "nonce": null }), None), Ok(()));
        assert!(
            of(json!({}), Some("user-2"))
                .unwrap_err()
                .contains("another account")
        );
        assert!(of(json!({ "iss": "https://b.example" }), None).is_err());
        assert!(of(json!({ "aud": "client-2" }), None).is_err());
    }
}
