//! Signatures of JWTs, checked by `ring`: the cryptography that TLS brings into this program anyway.
//!
//! `jsonwebtoken` leaves the choice of a backend to its user, and panics without one. Here it only
//! ever checks signatures by public keys: nothing is signed, and shared secrets are refused.

use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{self, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use ring::signature as ring_signature;
use ring::signature::{RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey};

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(unsupported()),
    verifier_factory: |algorithm, key| {
        let algorithm = *algorithm;
        if algorithm.family() != key.family() || method(algorithm).is_none() {
            return Err(unsupported());
        }
        let key = key.clone();
        Ok(Box::new(ByRing { algorithm, key }))
    },
    key_utils: KeyUtils::new_unimplemented(),
};

fn unsupported() -> Error {
    ErrorKind::InvalidAlgorithm.into()
}

/// Makes sure that `jsonwebtoken` has a backend. Where this crate is a library, its user may have
/// chosen another before.
pub(super) fn install() {
    let _ = PROVIDER.install_default();
}

/// The algorithms of `ring`.
enum Method {
    Rsa(&'static RsaParameters),
    Other(&'static dyn ring_signature::VerificationAlgorithm),
}

fn method(algorithm: Algorithm) -> Option<Method> {
    Some(match algorithm {
        Algorithm::RS256 => Method::Rsa(&ring_signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => Method::Rsa(&ring_signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => Method::Rsa(&ring_signature::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::PS256 => Method::Rsa(&ring_signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::PS384 => Method::Rsa(&ring_signature::RSA_PSS_2048_8192_SHA384),
        Algorithm::PS512 => Method::Rsa(&ring_signature::RSA_PSS_2048_8192_SHA512),
        Algorithm::ES256 => Method::Other(&ring_signature::ECDSA_P256_SHA256_FIXED),
        Algorithm::ES384 => Method::Other(&ring_signature::ECDSA_P384_SHA384_FIXED),
        Algorithm::EdDSA => Method::Other(&ring_signature::ED25519),
        // By a shared secret, which whoever knows it could have made, or not known to `ring`.
        _ => return None,
    })
}

struct ByRing {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl Verifier<Vec<u8>> for ByRing {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let verified = match (method(self.algorithm), self.key.kind()) {
            (Some(Method::Rsa(parameters)), DecodingKeyKind::RsaModulusExponent { n, e }) => {
                let (n, e) = (significant(n), significant(e));
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signature)
            }
            (Some(Method::Other(algorithm)), DecodingKeyKind::SecretOrDer(point)) => {
                UnparsedPublicKey::new(algorithm, point).verify(message, signature)
            }
            _ => return Err(signature::Error::new()),
        };
        verified.map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for ByRing {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

/// Some servers write a leading zero in front of a modulus, which `ring` takes for a mistake.
fn significant(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}
