//! Names of the files that belong to one login: nothing of an account is told by them.

use crate::app::context::Context;
use crate::app::failure::Failure;

/// The number of random bytes in a name.
const BYTES: usize = 8;

/// Makes a new name.
///
/// # Errors
/// If there is no randomness.
pub(super) fn new(cx: Context<'_>) -> Result<String, Failure> {
    cx.random_hex::<BYTES>()
}

/// Whether a text is such a name; nothing else becomes part of a path.
pub(super) fn is_one(text: &str) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() == 2 * BYTES && text.bytes().all(is_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_path() {
        assert!(is_one("0123456789abcdef"));
        for text in [
            "",
            "../../0123456789",
            "0123456789ABCDEF",
            "0123456789abcde/",
        ] {
            assert!(!is_one(text), "{text}");
        }
    }
}
