//! A value that cannot be printed by accident.

use std::fmt;
use std::sync::OnceLock;

use subtle::ConstantTimeEq;
use zeroize::optimization_barrier;

use super::text::{has_control, is_invisible};

/// A secret: no `Display`, no `Serialize`, a `Debug` that shows nothing, wiped when dropped.
///
/// Wiping is best effort: a buffer that grew before it came here, or a copy made by a parser, is
/// out of reach. The type exists to stop the accident (a log line, a panic, a derived `Debug`),
/// not an attacker who reads our memory.
#[derive(Clone)]
pub struct Secret<T: Wipe> {
    value: T,
    /// Whether it holds a control character, once somebody has looked: a secret is long, is asked
    /// several times, and never changes.
    has_control: OnceLock<bool>,
}

/// What can be overwritten with zeros. Not byte by byte, as `zeroize` does it: a large store holds
/// tens of megabytes of secrets.
pub trait Wipe {
    /// Overwrites all that is allocated, and leaves it empty.
    fn wipe(&mut self);
}

impl Wipe for Vec<u8> {
    fn wipe(&mut self) {
        self.fill(0);
        // What is allocated behind the content may hold a part of it, too.
        self.resize(self.capacity(), 0);
        // Or the compiler might leave out what nobody reads.
        optimization_barrier(self.as_slice());
        self.clear();
    }
}

impl Wipe for String {
    fn wipe(&mut self) {
        std::mem::take(self).into_bytes().wipe();
    }
}

/// Adds bytes to a buffer that holds secrets. One that they outgrow is wiped.
pub fn extend(buffer: &mut Vec<u8>, bytes: &[u8]) {
    if buffer.capacity() - buffer.len() < bytes.len() {
        let mut larger = Vec::with_capacity((buffer.len() + bytes.len()) * 2);
        larger.extend_from_slice(buffer);
        std::mem::replace(buffer, larger).wipe();
    }
    buffer.extend_from_slice(bytes);
}

impl<T: Wipe> Secret<T> {
    /// Takes ownership of the only copy.
    pub fn new(value: T) -> Self {
        Self {
            value,
            has_control: OnceLock::new(),
        }
    }

    /// The one way out. Every call is a place where a secret may leave; keep them few.
    pub fn expose(&self) -> &T {
        &self.value
    }
}

impl From<&str> for Secret<String> {
    fn from(value: &str) -> Self {
        Self::new(value.to_owned())
    }
}

impl Secret<String> {
    /// Whether there is an ASCII control character in it, white space around it aside.
    pub fn has_control(&self) -> bool {
        *self
            .has_control
            .get_or_init(|| has_control(self.value.trim()))
    }

    /// True if the secret holds nothing but white space and characters that nobody sees.
    pub fn is_blank(&self) -> bool {
        self.value
            .chars()
            .all(|c| c.is_whitespace() || is_invisible(c))
    }

    /// A short name for the secret that tells nothing about it but whether two are the same.
    ///
    /// `"sha256:"` and the first 12 hexadecimal digits of its SHA-256: what a person is shown after
    /// pasting a token, and can compare on another machine.
    pub fn fingerprint(&self) -> String {
        use sha2::{Digest, Sha256};
        let digest = Sha256::digest(self.value.as_bytes());
        let hex: String = digest.iter().take(6).map(|b| format!("{b:02x}")).collect();
        format!("sha256:{hex}")
    }

    /// The secret as status shows it: enough to recognise, too little to use.
    ///
    /// Over 32 characters: the first 8, `...`, the last 8, as OpenClaw does. From 12 to 32: two at
    /// each end. Under 12 nothing but a placeholder, for there eight characters are most of it
    /// (the reference release prints such secrets whole). Blank: `missing`.
    pub fn masked(&self) -> String {
        // Only the ends are looked at: no copy of the whole is left behind, and thousands are quick.
        let text = self.value.trim();
        let keep = match text.chars().take(33).count() {
            0 => return "missing".to_owned(),
            1..12 => return "(hidden)".to_owned(),
            12..=32 => 2,
            _ => 8,
        };
        let head = text
            .char_indices()
            .nth(keep)
            .map_or("", |(at, _)| &text[..at]);
        let tail = text
            .char_indices()
            .nth_back(keep - 1)
            .map_or("", |(at, _)| &text[at..]);
        format!("{head}...{tail}")
    }
}

impl<T: Wipe> Drop for Secret<T> {
    fn drop(&mut self) {
        self.value.wipe();
    }
}

impl<T: Wipe> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl<T: Wipe + AsRef<[u8]>> PartialEq for Secret<T> {
    /// Constant time for equal lengths; the length itself is no secret.
    fn eq(&self, other: &Self) -> bool {
        self.value.as_ref().ct_eq(other.value.as_ref()).into()
    }
}

impl<T: Wipe + AsRef<[u8]>> Eq for Secret<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        let secret = Secret::from("MARKER");
        assert_eq!(format!("{secret:?}"), "Secret(..)");
        assert_eq!(format!("{:?}", Some(vec![secret])), "Some([Secret(..)])");
    }

    #[test]
    fn masking_never_shows_a_short_secret() {
        let mask = |text: &str| Secret::from(text).masked();
        assert_eq!(mask(" "), "missing");
        assert_eq!(mask("short-tok"), "(hidden)");
        assert_eq!(mask("twelve-chars"), "tw...rs");
        assert_eq!(mask(&"x".repeat(32)), "xx...xx");
        assert_eq!(
            mask("sk-ant-oat01-0123456789abcdefghijklmnop"),
            "sk-ant-o...ijklmnop"
        );
        assert_eq!(mask("ä1234567890ß"), "ä1...0ß");
    }

    #[test]
    fn equality_compares_content() {
        assert_eq!(Secret::from("a"), Secret::from("a"));
        assert_ne!(Secret::from("a"), Secret::from("b"));
        assert_ne!(Secret::from("a"), Secret::from("ab"));
    }
}
