//! The key of a database as operators write it, and values that GoClaw sealed under such a key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::seal::{Bytes, DataKey, KEY, NONCE};
use super::secret::Secret;

/// What stands in front of a value that GoClaw sealed.
const SEALED: &str = "aes-gcm:";

/// What is wrong with a value of GoClaw's. Nothing of it is quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadValue {
    /// It is in the clear, or sealed in a way that this program does not know.
    #[error("does not begin with {SEALED}")]
    NotSealed,
    /// It is cut off, damaged, or was sealed under another key.
    #[error("does not open under this key")]
    DoesNotOpen,
}

/// The key that `bytes` are: 64 hexadecimal digits, 44 characters of base64, or 32 bytes as they are;
/// with or without the end of a line. `None` if they are none of these.
pub fn parse_key(bytes: &Secret<Vec<u8>>) -> Option<DataKey> {
    let whole = bytes.expose().as_slice();
    let text = whole.strip_suffix(b"\n").unwrap_or(whole);
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let key = match (whole.len(), text.len()) {
        // Before a line is looked for: the last of random bytes may be anything.
        (KEY, _) => whole.to_vec(),
        (_, KEY) => text.to_vec(),
        (_, 64) => from_hex(text)?,
        (_, 44) => STANDARD.decode(text).ok()?,
        _ => return None,
    };
    DataKey::new(Secret::new(key))
}

fn from_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let byte = |pair: &[u8]| u8::try_from(digit(&pair[0])? << 4 | digit(&pair[1])?).ok();
    digits.chunks_exact(2).map(byte).collect()
}

/// Opens a value that GoClaw sealed: `aes-gcm:`, then base64 of nonce, ciphertext and tag.
///
/// # Errors
/// If it is in the clear, or does not open.
pub fn open_goclaw(key: &DataKey, value: &str) -> Result<Secret<Vec<u8>>, BadValue> {
    let sealed = value.strip_prefix(SEALED).ok_or(BadValue::NotSealed)?;
    let sealed = STANDARD.decode(sealed).map_err(|_| BadValue::DoesNotOpen)?;
    let (nonce, data) = sealed
        .split_at_checked(NONCE)
        .ok_or(BadValue::DoesNotOpen)?;
    let (nonce, data) = (Bytes(nonce.to_vec()), Bytes(data.to_vec()));
    key.decrypt(b"", &nonce, &data)
        .map_err(|_| BadValue::DoesNotOpen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Option<DataKey> {
        parse_key(&Secret::new(bytes.to_vec()))
    }

    #[test]
    fn a_key_is_hexadecimal_base64_or_bytes() {
        let raw: Vec<u8> = (0xe0..=0xff).collect();
        let upper: String = raw.iter().map(|byte| format!("{byte:02X}")).collect();
        let base64 = STANDARD.encode(&raw);
        let with_end = |text: &str, end: &str| [text, end].concat().into_bytes();
        let mut written = vec![raw.clone(), with_end(&upper.to_lowercase(), "")];
        for end in ["", "\n", "\r\n"] {
            written.extend([with_end(&upper, end), with_end(&base64, end)]);
        }
        for bytes in written {
            let key = read(&bytes).unwrap();
            assert_eq!(key.bytes().expose(), &raw);
        }
        let ends_like_a_line = [&[7; 31][..], b"\n"].concat();
        let key = read(&ends_like_a_line).unwrap();
        assert_eq!(key.bytes().expose(), &ends_like_a_line);
    }

    #[test]
    fn anything_else_is_no_key() {
        let digits = "0".repeat(64);
        let not_hexadecimal = ["+", &digits[1..]].concat();
        let url_safe = ["_".repeat(43).as_str(), "="].concat();
        let others = [
            "",
            "\n",
            "password",
            &digits[1..],
            &not_hexadecimal,
            &url_safe,
        ];
        for text in others {
            assert!(read(text.as_bytes()).is_none(), "{text}");
        }
        assert!(read(&[0; 33]).is_none());
    }

    /// Made by Python's `cryptography`: `AESGCM(bytes(range(32))).encrypt(nonce, b"MARKER", None)`,
    /// the nonce being the bytes from 100 on.
    const GOCLAW: &str = "aes-gcm:ZGVmZ2hpamtsbW5vBVqMLTy7JhqBeMUG7Rsrgk2y0m4fgA==";

    #[test]
    fn a_value_of_goclaw_opens_under_its_key_alone() {
        let key = DataKey::new(Secret::new((0..32).collect())).unwrap();
        assert_eq!(open_goclaw(&key, GOCLAW).unwrap().expose(), b"MARKER");
        let other = DataKey::new(Secret::new(vec![1; KEY])).unwrap();
        let bad = |key, value| open_goclaw(key, value).unwrap_err();
        assert_eq!(bad(&other, GOCLAW), BadValue::DoesNotOpen);
        for cut in [SEALED.len(), SEALED.len() + 12, GOCLAW.len() - 4] {
            assert_eq!(bad(&key, &GOCLAW[..cut]), BadValue::DoesNotOpen);
        }
        for plain in ["", "MARKER", &GOCLAW[SEALED.len()..]] {
            assert_eq!(bad(&key, plain), BadValue::NotSealed);
        }
    }
}
