//! Strings of JSON in which everything can be seen: what steers a terminal or shows nothing is escaped
//! there, too, and means the same to a program.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use crate::model::text::{is_printable_ascii, is_unprintable};

/// Writes a piece of a string that holds nothing that JSON itself escapes.
pub(super) fn write_fragment<W: ?Sized + Write>(to: &mut W, fragment: &str) -> io::Result<()> {
    let mut rest = fragment;
    let is_odd = |(_, c): &(usize, char)| is_unprintable(*c);
    // Nearly all are plain, and a large store has megabytes of them.
    while !is_printable_ascii(rest.as_bytes())
        && let Some((at, odd)) = rest.char_indices().find(is_odd)
    {
        to.write_all(&rest.as_bytes()[..at])?;
        for unit in odd.encode_utf16(&mut [0; 2]) {
            write!(to, "\\u{unit:04x}")?;
        }
        rest = &rest[at + odd.len_utf8()..];
    }
    to.write_all(rest.as_bytes())
}

/// A document in one line.
struct OneLine;

impl Formatter for OneLine {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        write_fragment(writer, fragment)
    }
}

/// A document in one line, without the end of that.
pub(in crate::cli) fn one_line(document: &impl Serialize) -> String {
    let mut text = Vec::new();
    // Strings, numbers and lists always have a text.
    let written = document.serialize(&mut Serializer::with_formatter(&mut text, OneLine));
    written.map_or_else(
        |_| String::new(),
        |()| String::from_utf8(text).unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::super::pretty;
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_escaped_and_means_the_same() {
        let text = "a\u{9b}b\u{7f}\u{202e}é工\u{e0041}\n\u{200d}";
        let document = serde_json::json!({ text: [text] });
        let escaped = r"a\u009bb\u007f\u202eé工\udb40\udc41\n\u200d";
        assert_eq!(
            one_line(&document),
            format!(r#"{{"{escaped}":["{escaped}"]}}"#)
        );
        for shown in [one_line(&document), pretty(&document)] {
            assert!(shown.contains(escaped), "{shown}");
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&shown).unwrap(),
                document
            );
        }
    }
}
