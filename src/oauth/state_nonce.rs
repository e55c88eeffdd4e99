//! Random values that nobody guesses: `state`, `nonce`, PKCE verifiers.

use zeroize::Zeroizing;

use super::encoding::base64url;
use crate::model::secret::Secret;
use crate::ports::host::{Random, RandomError};

/// 256 bits, as RFC 7636 section 7.1 asks for.
const RANDOM_BYTES: usize = 32;

/// 256 random bits in base64url, 43 characters.
pub(super) fn random_value(random: &dyn Random) -> Result<Secret<String>, RandomError> {
    let mut bytes = Zeroizing::new([0; RANDOM_BYTES]);
    random.fill(bytes.as_mut())?;
    Ok(Secret::new(base64url(bytes.as_ref())))
}
