//! The signature of an ID token, by a key that its issuer publishes (RFC 7515, RFC 7517).

use std::str::FromStr as _;

use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, crypto};
use serde_json::Value;

use super::{jwt, signature};
use crate::model::secret::Secret;

/// A failure to verify a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// No key of the set bears the name that the token gives. The set may be an old one.
    #[error("the issuer does not publish the key it names")]
    UnknownKey,
    /// By a shared secret, by none, or in a way that is not known here.
    #[error("its signature algorithm cannot be verified with the issuer's keys")]
    Unsupported,
    /// It is not by that key.
    #[error("its signature is invalid")]
    Wrong,
}

/// Verifies the signature of a token by a set of keys.
///
/// # Errors
/// Returns why it does not count.
pub fn verify(token: &Secret<String>, keys: &Value) -> Result<(), SignatureError> {
    let header = jwt::header(token);
    let algorithm = header.get("alg").and_then(Value::as_str);
    let algorithm = algorithm.and_then(|name| Algorithm::from_str(name).ok());
    let algorithm = algorithm.filter(|algorithm| algorithm.family() != AlgorithmFamily::Hmac);
    let (Some(algorithm), Some((signed, proof))) = (algorithm, token.expose().rsplit_once('.'))
    else {
        return Err(SignatureError::Unsupported);
    };
    signature::install();
    let kid = header.get("kid").and_then(Value::as_str);
    let mut result = Err(SignatureError::UnknownKey);
    for key in usable(keys, kid, header["alg"].as_str()) {
        // Another kind of key than the token is signed with: not its key, whatever its name.
        let Some(key) = decoding_key(key).filter(|key| key.family() == algorithm.family()) else {
            continue;
        };
        if let Ok(true) = crypto::verify(proof, signed.as_bytes(), &key, algorithm) {
            return Ok(());
        }
        result = Err(SignatureError::Wrong);
    }
    result
}

/// A key of the set (RFC 7518 section 6, RFC 8037 section 2). By hand: the derived reader of every
/// member that a key can have is the larger half of the crate.
fn decoding_key(key: &Value) -> Option<DecodingKey> {
    let text = |name: &str| key.get(name).and_then(Value::as_str);
    let key = match text("kty")? {
        "RSA" => DecodingKey::from_rsa_components(text("n")?, text("e")?),
        "EC" => DecodingKey::from_ec_components(text("x")?, text("y")?),
        "OKP" => DecodingKey::from_ed_components(text("x")?),
        _ => return None,
    };
    key.ok()
}

/// The keys that may have signed, by what is said of them.
fn usable<'a>(
    keys: &'a Value,
    kid: Option<&'a str>,
    algorithm: Option<&'a str>,
) -> impl Iterator<Item = &'a Value> {
    let keys = keys.get("keys").and_then(Value::as_array);
    keys.into_iter().flatten().filter(move |key| {
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        let operations = key.get("key_ops").and_then(Value::as_array);
        let is_named = kid.is_none_or(|kid| text("kid") == Some(kid));
        let signs = text("use").is_none_or(|usage| usage == "sig");
        let verifies = operations.is_none_or(|all| all.iter().any(|one| one == "verify"));
        let is_for_it = text("alg").is_none_or(|named| Some(named) == algorithm);
        is_named && signs && verifies && is_for_it
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::claims::tests::jwt;
    use serde_json::json;

    const VECTORS: &str = include_str!("../../tests/fixtures/id-tokens/vectors.json");

    fn vectors() -> Value {
        serde_json::from_str(VECTORS).unwrap()
    }

    fn token(algorithm: &str) -> Secret<String> {
        Secret::from(vectors()["tokens"][algorithm].as_str().unwrap())
    }

    /// The set, with a member of each key changed.
    fn keys(change: impl Fn(&mut serde_json::Map<String, Value>)) -> Value {
        let mut vectors = vectors();
        for key in vectors["keys"].as_array_mut().unwrap() {
            change(key.as_object_mut().unwrap());
        }
        vectors
    }

    const ALL: [&str; 9] = [
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA",
    ];

    #[test]
    fn every_algorithm_is_checked_by_its_key() {
        for algorithm in ALL {
            let token = token(algorithm);
            assert_eq!(verify(&token, &vectors()), Ok(()), "{algorithm}");
            let (signed, signature) = token.expose().rsplit_once('.').unwrap();
            let (header, _) = signed.split_once('.').unwrap();
            let other = jwt(&json!({ "sub": "somebody else" }));
            let payload = other.split('.').nth(1).unwrap();
            let forged = Secret::from(format!("{header}.{payload}.{signature}").as_str());
            let wrong = Err(SignatureError::Wrong);
            assert_eq!(verify(&forged, &vectors()), wrong, "{algorithm}");
            let cut = Secret::from(format!("{signed}.").as_str());
            assert_eq!(verify(&cut, &vectors()), wrong, "{algorithm}");
        }
    }

    #[test]
    fn the_signature_of_rfc_7515_appendix_a_is_right() {
        let payload = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
        let token = format!("eyJhbGciOiJFUzI1NiJ9.{payload}.{signature}");
        let keys = json!({ "keys": [{
            "kty": "EC", "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        }] });
        assert_eq!(verify(&Secret::from(token.as_str()), &keys), Ok(()));
    }

    #[test]
    fn a_key_counts_only_for_what_it_is_published_for() {
        let unknown = Err(SignatureError::UnknownKey);
        let of = |change: fn(&mut serde_json::Map<String, Value>)| {
            verify(&token("RS256"), &keys(change))
        };
        assert_eq!(
            of(|key| drop(key.insert("use".into(), json!("enc")))),
            unknown
        );
        assert_eq!(
            of(|key| drop(key.insert("alg".into(), json!("RS512")))),
            unknown
        );
        assert_eq!(
            of(|key| drop(key.insert("alg".into(), json!("RS256")))),
            Ok(())
        );
        assert_eq!(
            of(|key| drop(key.insert("key_ops".into(), json!(["sign"])))),
            unknown
        );
        assert_eq!(
            of(|key| drop(key.insert("kid".into(), json!("other")))),
            unknown
        );
        // The name of the key is that of another kind of key.
        assert_eq!(
            of(|key| drop(key.insert("kid".into(), json!("rsa")))),
            Ok(())
        );
        assert_eq!(verify(&token("RS256"), &json!({ "keys": [] })), unknown);
        assert_eq!(verify(&token("RS256"), &Value::Null), unknown);
        let odd = json!({ "keys": [{ "kty": "new" }, 7, vectors()["keys"][0]] });
        assert_eq!(verify(&token("RS256"), &odd), Ok(()));
    }

    #[test]
    fn what_anybody_could_have_made_is_not_taken() {
        let part = |value: Value| crate::oauth::encoding::base64url(value.to_string().as_bytes());
        for alg in ["none", "HS256", "ES512"] {
            let header = part(json!({ "alg": alg, "kid": "rsa" }));
            let token = Secret::from(format!("{header}.{}.", part(json!({}))).as_str());
            let unsupported = Err(SignatureError::Unsupported);
            assert_eq!(verify(&token, &vectors()), unsupported, "{alg}");
        }
    }
}
