//! A value that cannot be printed by accident.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::optimization_barrier;

use super::bearer::BearerFault;
use super::secret_ref;
use super::text::is_invisible;

/// A secret: no `Display`, no `Serialize`, a `Debug` that shows nothing, wiped when dropped.
///
/// Wiping is best effort: a buffer that grew before it came here, or a copy made by a parser, is
/// out of reach. The type exists to stop the accident (a log line, a panic, a derived `Debug`),
/// not an attacker who reads our memory.
#[derive(Clone)]
pub struct Secret<T: Wipe>(Known<T>);

/// What is known of a secret.
#[derive(Clone)]
enum Known<T> {
    /// All of it.
    Whole(T),
    /// What a view shows, where it is only looked at.
    Seen(Glimpse),
    /// What stands beside the seal, where it is sealed.
    Sealed(Box<SealedSecret>),
    /// The reference that stands in its place, as JSON.
    Referred(Box<str>),
}

/// What is known of a secret that is sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SealedSecret {
    /// The digest of the grant, if it is a refresh token.
    pub grant: Option<String>,
    /// Its fingerprint, without `sha256:`.
    pub fingerprint: Option<String>,
    /// Why the seal does not open, if that was tried.
    pub fault: Option<SealFault>,
}

/// Why a seal does not open under the key that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SealFault {
    /// It was damaged, or is that of another profile.
    Damaged,
    /// It was written by a later release.
    Newer,
    /// It belongs to this vault, whose key is not there.
    OtherVault(String),
}

/// As many bytes at each end of a secret are shown.
const END: usize = 8;

/// What is known of a long secret that nothing is wrong with.
#[derive(Clone)]
struct Glimpse {
    head: [u8; END],
    tail: [u8; END],
    fingerprint: Option<Fingerprint>,
}

/// The first bytes of the SHA-256 of a secret.
type Fingerprint = [u8; 6];

/// What can be overwritten with zeros. Not byte by byte, as `zeroize` does it: a large store holds
/// tens of megabytes of secrets.
pub trait Wipe: 'static {
    /// Overwrites all that is allocated, and leaves it empty.
    fn wipe(&mut self);

    /// What a secret shows that is not held.
    fn empty() -> &'static Self;
}

impl Wipe for Vec<u8> {
    fn empty() -> &'static Self {
        static EMPTY: Vec<u8> = Vec::new();
        &EMPTY
    }

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
    fn empty() -> &'static Self {
        static EMPTY: String = String::new();
        &EMPTY
    }

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
        Self(Known::Whole(value))
    }

    /// The one way out. Every call is a place where a secret may leave; keep them few. A secret that
    /// is not [held](Self::is_held) shows nothing.
    pub fn expose(&self) -> &T {
        match &self.0 {
            Known::Whole(value) => value,
            Known::Seen(_) | Known::Sealed(_) | Known::Referred(_) => T::empty(),
        }
    }

    /// Whether all of it is here, and not only a glimpse of it, which equals nothing.
    pub fn is_held(&self) -> bool {
        matches!(self.0, Known::Whole(_))
    }
}

impl From<&str> for Secret<String> {
    fn from(value: &str) -> Self {
        Self::new(value.to_owned())
    }
}

impl Secret<String> {
    /// Keeps of a secret no more than is shown of it. Whoever does that knows that it is long and that
    /// nothing is wrong with it. `None` if an end of it is anything but letters, digits and signs.
    pub(super) fn glimpse(secret: &str, with_fingerprint: bool) -> Option<Self> {
        let end = |end: &[u8; END]| end.iter().all(u8::is_ascii_graphic).then_some(*end);
        let bytes = secret.as_bytes();
        let glimpse = Glimpse {
            head: bytes.first_chunk().and_then(end)?,
            tail: bytes.last_chunk().and_then(end)?,
            fingerprint: with_fingerprint.then(|| fingerprint(secret)),
        };
        Some(Self(Known::Seen(glimpse)))
    }

    /// Stands for a secret that is sealed.
    pub fn sealed(known: SealedSecret) -> Self {
        Self(Known::Sealed(Box::new(known)))
    }

    /// What is known of it if it is sealed, and was not opened.
    pub fn as_sealed(&self) -> Option<&SealedSecret> {
        match &self.0 {
            Known::Sealed(known) => Some(known),
            Known::Whole(_) | Known::Seen(_) | Known::Referred(_) => None,
        }
    }

    /// Stands for a secret that lies elsewhere, by the reference to it as JSON.
    pub fn referred(reference: impl Into<Box<str>>) -> Self {
        Self(Known::Referred(reference.into()))
    }

    /// The reference, if it lies elsewhere.
    pub fn as_reference(&self) -> Option<&str> {
        match &self.0 {
            Known::Referred(reference) => Some(reference),
            Known::Whole(_) | Known::Seen(_) | Known::Sealed(_) => None,
        }
    }

    /// Why no header can hold it, white space around it aside. Nothing is wrong with one of which only
    /// a glimpse is held.
    pub fn bearer_fault(&self) -> Option<BearerFault> {
        BearerFault::of(self.expose().trim())
    }

    /// True if the secret holds nothing but white space and characters that nobody sees.
    pub fn is_blank(&self) -> bool {
        let mut chars = self.expose().chars();
        self.is_held() && chars.all(|c| c.is_whitespace() || is_invisible(c))
    }

    /// A short name for the secret that tells nothing about it but whether two are the same.
    ///
    /// `"sha256:"` and the first 12 hexadecimal digits of its SHA-256: what a person is shown after
    /// pasting a token, and can compare on another machine. `None` where it was looked at without one.
    pub fn fingerprint(&self) -> Option<String> {
        let known = match &self.0 {
            Known::Seen(glimpse) => glimpse.fingerprint?,
            Known::Sealed(known) => {
                let known = known.fingerprint.as_ref()?;
                return Some(format!("sha256:{known}"));
            }
            Known::Referred(_) => return None,
            Known::Whole(value) => fingerprint(value),
        };
        let number = known
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte));
        Some(format!("sha256:{number:012x}"))
    }

    /// The secret as status shows it: enough to recognise, too little to use.
    ///
    /// From 64 characters on: the first 8, `...`, the last 8, as OpenClaw does. From 12 on: two at each
    /// end. Under 12 nothing but a placeholder, for there eight characters are most of it (the
    /// reference release prints such secrets whole). Blank: `missing`. One that is sealed: `sealed`. A
    /// reference: `ref(…)`.
    pub fn masked(&self) -> String {
        let value = match &self.0 {
            Known::Whole(value) => value,
            Known::Seen(glimpse) => {
                let shown = [&glimpse.head, b"...".as_slice(), &glimpse.tail].concat();
                return String::from_utf8(shown).unwrap_or_default();
            }
            Known::Sealed(_) => return "sealed".to_owned(),
            Known::Referred(reference) => return secret_ref::shown(reference),
        };
        // Only the ends are looked at: no copy of the whole is left behind, and thousands are quick.
        let text = value.trim();
        let keep = match text.chars().take(64).count() {
            0 => return "missing".to_owned(),
            1..12 => return "(hidden)".to_owned(),
            12..64 => 2,
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

fn fingerprint(secret: &str) -> Fingerprint {
    use sha2::{Digest, Sha256};
    let digest = Sha256::digest(secret.as_bytes());
    std::array::from_fn(|place| digest[place])
}

impl<T: Wipe> Drop for Secret<T> {
    fn drop(&mut self) {
        if let Known::Whole(value) = &mut self.0 {
            value.wipe();
        }
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
        match (&self.0, &other.0) {
            (Known::Whole(one), Known::Whole(other)) => one.as_ref().ct_eq(other.as_ref()).into(),
            _ => false,
        }
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
        assert_eq!(mask(&"x".repeat(63)), "xx...xx");
        let long = format!("sk-ant-oat01-{}ijklmnop", "0".repeat(43));
        assert_eq!(mask(&long), "sk-ant-o...ijklmnop");
        assert_eq!(mask("ä1234567890ß"), "ä1...0ß");
    }

    #[test]
    fn equality_compares_content() {
        assert_eq!(Secret::from("a"), Secret::from("a"));
        assert_ne!(Secret::from("a"), Secret::from("b"));
        assert_ne!(Secret::from("a"), Secret::from("ab"));
    }
}
