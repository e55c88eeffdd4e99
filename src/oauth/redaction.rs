//! Texts of a server, without the secrets that were sent to it and without what looks like one.

use crate::model::id::printable;
use crate::model::secret::Secret;
use crate::model::secret_shape::{HIDDEN, hide_secrets};

/// No more characters of a text are looked at: what is shown is far shorter.
const LONGEST: usize = 8_192;
/// So many bytes of a secret, one behind the other, are a part of it and no chance.
const PIECE: usize = 12;

/// Makes what a server said fit to print, without the secrets that were sent to it, or parts of them,
/// and without what looks like another one.
pub fn clean<'a>(
    text: &str,
    limit: usize,
    sent: impl Iterator<Item = &'a Secret<String>>,
) -> String {
    let end = text
        .char_indices()
        .nth(LONGEST)
        .map_or(text.len(), |(at, _)| at);
    let text = redact(&text[..end], sent);
    printable(&hide_secrets(&printable(&text, LONGEST)), limit)
}

/// Replaces each secret in a text, and each part of one, in whatever way the server writes it: as it
/// is, percent-encoded or form-encoded, once or twice, or escaped as in JSON, each byte in any of
/// these.
fn redact<'a>(text: &str, sent: impl Iterator<Item = &'a Secret<String>>) -> String {
    let sent = sent.filter(|secret| !secret.expose().is_empty());
    sent.fold(text.to_owned(), |text, secret| hide(&text, secret.expose()))
}

fn hide(text: &str, secret: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = match quoted_length(rest, secret.as_bytes()) {
            Some(length) => {
                shown.push_str(HIDDEN);
                length
            }
            None => {
                shown.push(c);
                c.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    shown
}

/// The length of the longest part of the secret that a text begins with, if it is long enough.
fn quoted_length(text: &str, secret: &[u8]) -> Option<usize> {
    let least = PIECE.min(secret.len());
    let starts = 0..=secret.len() - least;
    let found = starts.filter_map(|start| {
        let (mut length, mut whole) = (0, None);
        for (bytes, byte) in (1..).zip(&secret[start..]) {
            let Some(next) = byte_length(&text.as_bytes()[length..], *byte) else {
                break;
            };
            length += next;
            // A part may end within a character of the text.
            if bytes >= least && text.is_char_boundary(length) {
                whole = Some(length);
            }
        }
        whole
    });
    found.max()
}

/// The length of the byte that a text begins with, if it is this one.
fn byte_length(text: &[u8], byte: u8) -> Option<usize> {
    let is_hex = |digits: &[u8]| {
        let digits = std::str::from_utf8(digits).ok();
        digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) == Some(byte)
    };
    match text {
        [first, ..] if *first == byte => Some(1),
        [b'+', ..] if byte == b' ' => Some(1),
        [b'\\', first, ..] if *first == byte => Some(2),
        [b'%', high, low, ..] if is_hex(&[*high, *low]) => Some(3),
        [b'%', b'2', b'5', high, low, ..] if is_hex(&[*high, *low]) => Some(5),
        [b'\\', b'u', b'0', b'0', high, low, ..] if is_hex(&[*high, *low]) => Some(6),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_however_it_is_quoted() {
        let secret = Secret::from("1//0g+E x\"ä");
        for quoted in [
            "1//0g+E x\"ä",
            "1%2F%2F0g%2BE%20x%22%C3%A4",
            "1%2f%2f0g%2bE+x%22%c3%a4",
            "1%252F%252F0g%252BE%2520x%2522%25C3%25A4",
            r#"1\/\/0g+E x\"ä"#,
            r"1\u002f\u002F0g\u002bE x\u0022ä",
        ] {
            let text = format!("ä refresh_token={quoted}&x {quoted}");
            let shown = redact(&text, [&secret].into_iter());
            assert_eq!(shown, "ä refresh_token=(hidden)&x (hidden)", "{quoted}");
        }
        let other = "1%2F 1//0g+E x\" %";
        assert_eq!(redact(other, [&secret].into_iter()), other);
        assert_eq!(redact("x", [&Secret::from("")].into_iter()), "x");
    }

    #[test]
    fn a_part_of_a_secret_is_hidden_too() {
        let secret = Secret::from("rt-aaaa bbbb+cccc-dddd");
        let shown = |text: &str| redact(text, [&secret].into_iter());
        assert_eq!(shown("<bbbb+cccc-dddd>"), "<(hidden)>");
        assert_eq!(shown("rt-aaaa+bbbb%2Bcc..."), "(hidden)...");
        assert_eq!(
            shown("aaaa bbbb+c, -dddd, cccc-dddd"),
            "aaaa bbbb+c, -dddd, cccc-dddd"
        );
        assert_eq!(shown("xaaaa bbbb+ccx"), "x(hidden)x");
    }

    #[test]
    fn another_secret_is_hidden_by_its_shape_and_an_endless_text_is_cut() {
        let of = |text: &str| clean(text, 200, std::iter::empty());
        assert_eq!(
            of("no: sk-ant-oat01-\u{200b}ABC\nsk-ant-oat01-ABCDEF"),
            "no: (hidden) ABC (hidden)"
        );
        let secret = Secret::from("x".repeat(2_000).as_str());
        let long = "x".repeat(1_000_000);
        assert_eq!(
            clean(&long, 200, [&secret].into_iter()),
            "(hidden)(hidden)(hidden)(hidden)(hidden)"
        );
    }
}
