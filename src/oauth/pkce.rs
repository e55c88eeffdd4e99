//! Proof Key for Code Exchange (RFC 7636): the verifier that stays here, and the challenge that goes
//! out with the authorization request. The method is always S256; there is no falling back to
//! `plain` (section 7.2).

use oauth2::{PkceCodeChallenge, PkceCodeVerifier};

use super::state_nonce::random_value;
use crate::model::secret::Secret;
use crate::ports::host::{Random, RandomError};

/// The value of `code_challenge_method`.
pub(super) const METHOD: &str = "S256";

/// Makes a `code_verifier` (section 4.1). It is independent of `state`: three clients sent the
/// verifier as `state` through the browser, which makes PKCE void.
pub(super) fn code_verifier(random: &dyn Random) -> Result<Secret<String>, RandomError> {
    random_value(random)
}

/// The `code_challenge` of a verifier (section 4.2).
pub(super) fn code_challenge(code_verifier: &Secret<String>) -> PkceCodeChallenge {
    let verifier = PkceCodeVerifier::new(code_verifier.expose().clone());
    PkceCodeChallenge::from_code_verifier_sha256(&verifier)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::authorization::tests::Counting;
    use crate::oauth::encoding::base64url;

    #[test]
    fn rfc7636_appendix_b_the_challenge_is_that_of_the_vector() {
        let verifier = Secret::from("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
        let made = code_challenge(&verifier);
        assert_eq!(made.as_str(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
        assert_eq!(base64url(&[116, 24, 223, 180]), "dBjftA");
    }

    #[test]
    fn rfc7636_7_1_a_verifier_is_256_random_bits() {
        let random = Counting::default();
        let verifiers = [(); 2].map(|()| code_verifier(&random).unwrap());
        assert_ne!(verifiers[0], verifiers[1]);
        let every_bit: Vec<u8> = (0..32).collect();
        assert_eq!(*verifiers[0].expose(), base64url(&every_bit));
        assert_eq!(verifiers[1].expose().len(), 43);
    }
}
