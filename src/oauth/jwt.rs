//! Reading JWTs (RFC 7519) without checking who signed them.

use serde_json::Value;
use serde_json::value::RawValue;

use super::encoding::from_base64url;
use super::lenient_json;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;

/// The header of a JWT; null if the token is opaque.
pub(super) fn header(token: &Secret<String>) -> Value {
    let header = token.expose().split('.').next().unwrap_or_default();
    let header = from_base64url(header).unwrap_or_default();
    serde_json::from_slice(&header).unwrap_or(Value::Null)
}

/// The payload of a JWT; null if the token is opaque.
pub(super) fn payload(token: Option<&Secret<String>>) -> Value {
    let claims = token.and_then(|token| {
        let claims = jsonwebtoken::dangerous::insecure_decode_claims::<Box<RawValue>>;
        lenient_json::read(claims(token.expose()).ok()?.get())
    });
    claims.unwrap_or(Value::Null)
}

/// A moment among the claims, in seconds there: `exp`, `iat`; by the clock of whoever made them.
pub(super) fn moment(claims: &Value, name: &str) -> Option<Timestamp> {
    let millis = (claims.get(name)?.as_f64()? * 1_000.0).round();
    (millis > 0.0 && millis < 1e15).then_some(Timestamp(millis as i64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::claims::tests::jwt;
    use serde_json::json;

    #[test]
    fn an_expiry_is_in_seconds() {
        let of = |claims| {
            let token = Secret::from(jwt(&claims).as_str());
            moment(&payload(Some(&token)), "exp")
        };
        assert_eq!(
            of(json!({"exp": 1_795_242_600})),
            Some(Timestamp(1_795_242_600_000))
        );
        assert_eq!(of(json!({"exp": "soon"})), None);
        assert_eq!(of(json!({"exp": 1e300})), None);
        assert_eq!(moment(&payload(Some(&Secret::from("opaque"))), "exp"), None);
    }
}
