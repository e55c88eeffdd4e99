//! Sealing: authenticated encryption of what lies on the disk (AES-256-GCM, NIST SP 800-38D).
//!
//! Every seal has a key of its own, derived from the data key and a random salt (HKDF-SHA-256, RFC
//! 5869), so that a random nonce of 96 bits never repeats under one key however many seals there are.
//! What a seal is about is bound to it as associated data: one that was moved to another profile or
//! another vault does not open.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::secret::{Secret, Wipe as _};

/// The length of a key in bytes.
pub const KEY: usize = 32;

/// The length of a salt in bytes.
const SALT: usize = 16;

/// The length of a nonce in bytes: so many random ones a wrapped key takes.
pub const NONCE: usize = 12;

/// How many random bytes one seal takes.
pub const RANDOM: usize = SALT + NONCE;

/// What the derivation of a key is for.
const PURPOSE: &[u8] = b"openclaw seal 1";

/// A key of 32 random bytes, or one that a passphrase was stretched to.
#[derive(Clone)]
pub struct DataKey(Secret<Vec<u8>>);

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(..)")
    }
}

/// What was sealed: salt and nonce, and the ciphertext with its tag behind it. As JSON each is
/// base64url without padding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// Makes the key of this seal its own.
    salt: Bytes,
    nonce: Bytes,
    data: Bytes,
}

/// A key that is wrapped under another one, which protects nothing else: nonce, and the ciphertext
/// with its tag behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrappedKey {
    nonce: Bytes,
    key: Bytes,
}

/// It does not open: it was damaged, is about something else, or was sealed under another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is damaged, or was sealed for something else or under another key")]
pub struct BadSeal;

impl DataKey {
    /// Takes a key; `None` if it has another length.
    pub fn new(bytes: Secret<Vec<u8>>) -> Option<Self> {
        (bytes.expose().len() == KEY).then_some(Self(bytes))
    }

    /// The key itself, for wrapping it and for a keyring.
    pub fn bytes(&self) -> &Secret<Vec<u8>> {
        &self.0
    }

    /// Seals `plain`, which is `about` this. `random` has to be fresh.
    ///
    /// # Errors
    /// For more than 64 GiB.
    pub fn seal(&self, about: &[u8], plain: &[u8], random: &[u8; RANDOM]) -> Result<Seal, BadSeal> {
        let (salt, nonce) = random.split_at(SALT);
        let data = encrypt(self.derive(salt), nonce, about, plain)?;
        Ok(Seal {
            salt: Bytes(salt.to_vec()),
            nonce: Bytes(nonce.to_vec()),
            data: Bytes(data),
        })
    }

    /// Opens what was sealed `about` this.
    ///
    /// # Errors
    /// If it does not open; nothing of its content is known then.
    pub fn open(&self, about: &[u8], seal: &Seal) -> Result<Secret<Vec<u8>>, BadSeal> {
        decrypt(self.derive(&seal.salt.0), (&seal.nonce, &seal.data), about)
    }

    /// Opens what another program encrypted under this key itself, `about` this: ciphertext with its tag
    /// behind it.
    ///
    /// # Errors
    /// If it does not open.
    pub fn decrypt(
        &self,
        about: &[u8],
        nonce: &Bytes,
        data: &Bytes,
    ) -> Result<Secret<Vec<u8>>, BadSeal> {
        decrypt(self.cipher(), (nonce, data), about)
    }

    /// Takes 32 bytes, or those that [`DataKey::to_text`] wrote, with or without the end of a line.
    pub fn from_text(bytes: &Secret<Vec<u8>>) -> Option<Self> {
        let bytes = bytes.expose();
        if bytes.len() == KEY {
            return Self::new(Secret::new(bytes.clone()));
        }
        let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let key = URL_SAFE_NO_PAD.decode(text).map(Secret::new).ok()?;
        Self::new(key)
    }

    /// The key as a line of text, for a file that people copy and a keyring that they look into.
    pub fn to_text(&self) -> Secret<Vec<u8>> {
        let mut text = URL_SAFE_NO_PAD.encode(self.0.expose()).into_bytes();
        // 43 characters, and room for this one: nothing is copied.
        text.reserve_exact(1);
        text.push(b'\n');
        Secret::new(text)
    }

    /// Wraps another key under this one, which protects nothing else.
    ///
    /// # Errors
    /// Never for a key.
    pub fn wrap(
        &self,
        about: &[u8],
        key: &DataKey,
        random: &[u8; NONCE],
    ) -> Result<WrappedKey, BadSeal> {
        let data = encrypt(self.cipher(), random, about, key.0.expose())?;
        Ok(WrappedKey {
            nonce: Bytes(random.to_vec()),
            key: Bytes(data),
        })
    }

    /// Takes a wrapped key out.
    ///
    /// # Errors
    /// If it does not open, or is no key.
    pub fn unwrap(&self, about: &[u8], wrapped: &WrappedKey) -> Result<DataKey, BadSeal> {
        let bytes = decrypt(self.cipher(), (&wrapped.nonce, &wrapped.key), about)?;
        DataKey::new(bytes).ok_or(BadSeal)
    }

    fn cipher(&self) -> Result<LessSafeKey, BadSeal> {
        let key = UnboundKey::new(&AES_256_GCM, self.0.expose());
        key.map(LessSafeKey::new).map_err(|_| BadSeal)
    }

    fn derive(&self, salt: &[u8]) -> Result<LessSafeKey, BadSeal> {
        let root = Salt::new(HKDF_SHA256, salt).extract(self.0.expose());
        let key = root.expand(&[PURPOSE], &AES_256_GCM);
        key.map(|key| LessSafeKey::new(UnboundKey::from(key)))
            .map_err(|_| BadSeal)
    }
}

fn encrypt(
    key: Result<LessSafeKey, BadSeal>,
    nonce: &[u8],
    about: &[u8],
    plain: &[u8],
) -> Result<Vec<u8>, BadSeal> {
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| BadSeal)?;
    // With room for the tag, so that no copy of the plain text is left behind in growing.
    let mut data = Vec::with_capacity(plain.len() + AES_256_GCM.tag_len());
    data.extend_from_slice(plain);
    match key?.seal_in_place_append_tag(nonce, Aad::from(about), &mut data) {
        Ok(()) => Ok(data),
        Err(_) => {
            data.wipe();
            Err(BadSeal)
        }
    }
}

fn decrypt(
    key: Result<LessSafeKey, BadSeal>,
    (nonce, data): (&Bytes, &Bytes),
    about: &[u8],
) -> Result<Secret<Vec<u8>>, BadSeal> {
    let nonce = Nonce::try_assume_unique_for_key(&nonce.0).map_err(|_| BadSeal)?;
    let mut data = data.0.clone();
    let length = key?
        .open_in_place(nonce, Aad::from(about), &mut data)
        .map_err(|_| BadSeal)?
        .len();
    data.truncate(length);
    Ok(Secret::new(data))
}

impl Seal {
    /// The seal as bytes, for a file that holds nothing else.
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.salt.0[..], &self.nonce.0, &self.data.0].concat()
    }

    /// Takes the bytes that [`Seal::to_bytes`] gave; `None` if they are too few.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (salt, rest) = bytes.split_at_checked(SALT)?;
        let (nonce, data) = rest.split_at_checked(NONCE)?;
        Some(Self {
            salt: Bytes(salt.to_vec()),
            nonce: Bytes(nonce.to_vec()),
            data: Bytes(data.to_vec()),
        })
    }
}

/// Bytes that are base64url in JSON.
#[derive(Clone, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        let bytes = URL_SAFE_NO_PAD.decode(text.as_bytes());
        // Nothing of it is quoted: it may be a secret that somebody put there.
        bytes
            .map(Self)
            .map_err(|_| serde::de::Error::custom("it is not base64url"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> DataKey {
        DataKey::new(Secret::new(vec![byte; KEY])).unwrap()
    }

    #[test]
    fn a_seal_opens_under_its_key_about_its_thing_and_nowhere_else() {
        let seal = key(1).seal(b"profile a", b"MARKER", &[7; RANDOM]).unwrap();
        assert_eq!(
            key(1).open(b"profile a", &seal).unwrap().expose(),
            b"MARKER"
        );
        assert_eq!(key(1).open(b"profile b", &seal).unwrap_err(), BadSeal);
        assert_eq!(key(2).open(b"profile a", &seal).unwrap_err(), BadSeal);
        let json = serde_json::to_string(&seal).unwrap();
        assert!(!json.contains("MARKER") && !json.contains('='), "{json}");
        assert_eq!(serde_json::from_str::<Seal>(&json).unwrap(), seal);
        assert_eq!(Seal::from_bytes(&seal.to_bytes()).unwrap(), seal);
        assert!(!format!("{seal:?} {:?}", key(1)).contains("MARKER"));
    }

    #[test]
    fn every_bit_of_a_seal_counts() {
        let sealed = key(1)
            .seal(b"a", b"secret", &[7; RANDOM])
            .unwrap()
            .to_bytes();
        for place in 0..sealed.len() {
            for bit in 0..8 {
                let mut damaged = sealed.clone();
                damaged[place] ^= 1 << bit;
                let seal = Seal::from_bytes(&damaged).unwrap();
                assert_eq!(key(1).open(b"a", &seal).unwrap_err(), BadSeal);
            }
        }
        for length in 0..sealed.len() {
            let opened = Seal::from_bytes(&sealed[..length]).map(|seal| key(1).open(b"a", &seal));
            assert!(matches!(opened, None | Some(Err(BadSeal))));
        }
    }

    #[test]
    fn two_seals_of_one_text_share_nothing_but_its_length() {
        let one = key(1)
            .seal(b"a", b"secret", &[1; RANDOM])
            .unwrap()
            .to_bytes();
        let other = key(1)
            .seal(b"a", b"secret", &[2; RANDOM])
            .unwrap()
            .to_bytes();
        assert_eq!(one.len(), other.len());
        assert!(one.iter().zip(&other).filter(|(a, b)| a == b).count() < one.len() / 4);
    }

    #[test]
    fn a_wrapped_key_comes_out_whole() {
        let wrapped = key(1).wrap(b"slot", &key(9), &[3; NONCE]).unwrap();
        let opened = key(1).unwrap(b"slot", &wrapped).unwrap();
        assert_eq!(opened.bytes(), key(9).bytes());
        assert!(key(2).unwrap(b"slot", &wrapped).is_err());
        assert!(key(1).unwrap(b"other", &wrapped).is_err());
        let json = serde_json::to_string(&wrapped).unwrap();
        assert_eq!(serde_json::from_str::<WrappedKey>(&json).unwrap(), wrapped);
    }

    #[test]
    fn a_key_is_a_line_of_text_or_32_bytes() {
        let text = key(5).to_text();
        assert_eq!(text.expose().len(), 44);
        let read = |bytes: &[u8]| DataKey::from_text(&Secret::new(bytes.to_vec()));
        for bytes in [text.expose().as_slice(), &text.expose()[..43], &[5; KEY]] {
            assert_eq!(read(bytes).unwrap().bytes(), key(5).bytes());
        }
        for bytes in [b"".as_slice(), b"\n", &[5; KEY + 1], &text.expose()[..42]] {
            assert!(read(bytes).is_none());
        }
    }

    /// RFC 5869 and SP 800-38D as another implementation has them: the format must not drift.
    #[test]
    fn a_seal_that_was_written_once_opens_for_ever() {
        let seal = key(1)
            .seal(b"profile\0v\0a\0b", b"secret", &[7; RANDOM])
            .unwrap();
        let json = serde_json::to_string(&seal).unwrap();
        assert_eq!(json, RECORDED);
    }

    const RECORDED: &str = r#"{"salt":"BwcHBwcHBwcHBwcHBwcHBw","nonce":"BwcHBwcHBwcHBwcH","data":"xirm1LpkXIzSNYahD6rGZZuCCQFyGA"}"#;
}
