//! What an `Authorization` header can hold as a token or a key.
//!
//! The invariant: nothing else is ever handed out or stored by us. RFC 6750 allows fewer characters
//! and providers use more of them, but a space, a line break or a byte of another script ends a
//! header, starts another one, or is lost on the way.

use super::text::is_graphic;

/// The longest that is sent, in bytes. Servers refuse headers from 8 KiB to 16 KiB on.
pub const LONGEST: usize = 16_384;

/// Why no header can hold a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BearerFault {
    /// A character, and which one it is, counted from 1.
    Character(char, usize),
    /// More than [`LONGEST`] bytes.
    TooLong,
}

impl BearerFault {
    /// Looks for one in a token or key without white space around it.
    pub fn of(secret: &str) -> Option<Self> {
        match Self::of_length(secret) {
            None if is_graphic(secret.as_bytes()) => None,
            None => Self::of_character(secret),
            too_long => too_long,
        }
    }

    /// Looks at the length alone, for who has looked at each character.
    pub(super) fn of_length(secret: &str) -> Option<Self> {
        (secret.len() > LONGEST).then_some(Self::TooLong)
    }

    fn of_character(secret: &str) -> Option<Self> {
        let mut characters = secret.chars().zip(1..);
        let odd = characters.find(|(c, _)| !c.is_ascii_graphic());
        odd.map(|(c, place)| Self::Character(c, place))
    }

    /// Describes it; the words follow the name of the secret and repeat no more of it than that
    /// character.
    pub fn words(&self) -> String {
        match self {
            Self::Character(c, place) => format!(
                "holds a character that no header may hold (U+{:04X} at {place})",
                u32::from(*c)
            ),
            Self::TooLong => format!("is longer than {LONGEST} bytes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_holds_what_is_seen_in_ascii() {
        let graphic: String = ('!'..='~').collect();
        assert_eq!(BearerFault::of(&graphic), None);
        assert_eq!(BearerFault::of(&"x".repeat(LONGEST)), None);
        let long = "x".repeat(LONGEST + 1);
        assert_eq!(BearerFault::of(&long), Some(BearerFault::TooLong));
        for odd in [
            '\r', '\n', '\0', '\u{1b}', ' ', '\u{7f}', '\u{9b}', 'é', '\u{202e}',
        ] {
            let fault = BearerFault::of(&format!("ACC{odd}{graphic}"));
            assert_eq!(fault, Some(BearerFault::Character(odd, 4)));
        }
        let words = BearerFault::of("ACC\r\nX-Evil: 1").unwrap().words();
        assert_eq!(
            words,
            "holds a character that no header may hold (U+000D at 4)"
        );
    }
}
