//! Signatures of JWTs (RFC 7515), checked by `ring`: the cryptography that TLS brings into this
//! program anyway.
//!
//! They are only ever checked, by public keys: nothing is signed, and shared secrets are refused.

use ring::signature as by;
use ring::signature::{RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey};
use serde_json::Value;

use super::encoding::from_base64url;

/// An algorithm that `ring` checks, by the kind of its keys.
#[derive(Clone, Copy)]
pub(super) enum Algorithm {
    Rsa(&'static RsaParameters),
    Ec(&'static by::EcdsaVerificationAlgorithm),
    Ed(&'static by::EdDSAParameters),
}

impl Algorithm {
    /// Returns the algorithm of a header's `alg` (RFC 7518 section 3.1, RFC 8037 section 3.1).
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rsa(&by::RSA_PKCS1_2048_8192_SHA256),
            "RS384" => Self::Rsa(&by::RSA_PKCS1_2048_8192_SHA384),
            "RS512" => Self::Rsa(&by::RSA_PKCS1_2048_8192_SHA512),
            "PS256" => Self::Rsa(&by::RSA_PSS_2048_8192_SHA256),
            "PS384" => Self::Rsa(&by::RSA_PSS_2048_8192_SHA384),
            "PS512" => Self::Rsa(&by::RSA_PSS_2048_8192_SHA512),
            "ES256" => Self::Ec(&by::ECDSA_P256_SHA256_FIXED),
            "ES384" => Self::Ec(&by::ECDSA_P384_SHA384_FIXED),
            "EdDSA" => Self::Ed(&by::ED25519),
            // By a shared secret, which whoever knows it could have made, or not known to `ring`.
            _ => return None,
        })
    }

    /// Whether a signature is by this key (RFC 7518 section 6, RFC 8037 section 2); `None` if the
    /// key is of another kind, or is none.
    pub(super) fn verify(self, key: &Value, message: &[u8], signature: &[u8]) -> Option<bool> {
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        let bytes = |name: &str| from_base64url(text(name)?);
        let verified = match (self, text("kty")?) {
            (Self::Rsa(parameters), "RSA") => {
                let (n, e) = (bytes("n")?, bytes("e")?);
                let (n, e) = (significant(&n), significant(&e));
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signature)
            }
            (Self::Ec(algorithm), "EC") => {
                // An uncompressed point: a byte that says so, x, y.
                let point = [vec![4], bytes("x")?, bytes("y")?].concat();
                UnparsedPublicKey::new(algorithm, point).verify(message, signature)
            }
            (Self::Ed(algorithm), "OKP") => {
                UnparsedPublicKey::new(algorithm, bytes("x")?).verify(message, signature)
            }
            _ => return None,
        };
        Some(verified.is_ok())
    }
}

/// Some servers write a leading zero in front of a modulus, which `ring` takes for a mistake.
fn significant(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}
