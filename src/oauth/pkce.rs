//! Proof Key for Code Exchange (RFC 7636): the verifier that stays here, and the challenge that goes
//! out with the authorization request. The method is always S256; there is no falling back to
//! `plain` (section 7.2).

use oauth2::{PkceCodeChallenge, PkceCodeVerifier};

use super::random::random_value;
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
