//! Texts that people write: places in them, their encoding, and what nobody sees in them.

/// Returns line and column of a byte offset, both from 1, the column in characters.
pub fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.matches('\n').count() + 1;
    (line, before[line_start..].chars().count() + 1)
}

/// What is wrong with a text of UTF-16.
pub const IS_UTF16: &str = "this is UTF-16 text; save it as UTF-8";

/// Splits a byte order mark from the text behind it.
pub fn split_mark(text: &str) -> (&str, &str) {
    let length = if text.starts_with('\u{feff}') { 3 } else { 0 };
    text.split_at(length)
}

/// Returns the bytes of a text without a byte order mark.
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// Whether a text is UTF-16: by its byte order mark, else because every second byte of ASCII is 0.
pub fn is_utf16(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 1..=255, ..] | [1..=255, 0, ..]
    )
}

/// Decodes UTF-8, without a byte order mark.
///
/// # Errors
/// Returns the place of the first byte that is none.
pub fn decode(bytes: Vec<u8>) -> Result<String, (usize, usize)> {
    let decoded = String::from_utf8(bytes).map(|mut text| {
        let mark = split_mark(&text).0.len();
        text.drain(..mark);
        text
    });
    decoded.map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        place(&String::from_utf8_lossy(valid), valid.len())
    })
}

/// Whether bytes are ASCII characters that are seen: no space, no control character. Thirty-two at a
/// time, because every secret of a large store is looked through at every command.
pub fn is_graphic(bytes: &[u8]) -> bool {
    // A byte below 0x21 borrows, and 0xff has its highest bit after it, too. 0x7f carries into its
    // own, which all others above it have. What leaves a byte comes from an odd one.
    let odd = |word: u64| word.wrapping_sub(ONES * 0x21) | word.wrapping_add(ONES);
    !is_any(bytes, odd, |byte| !byte.is_ascii_graphic())
}

/// The same with spaces.
pub fn is_printable_ascii(bytes: &[u8]) -> bool {
    let odd = |word: u64| word.wrapping_sub(ONES * 0x20) | word.wrapping_add(ONES);
    !is_any(bytes, odd, |byte| !(b' '..=b'~').contains(byte))
}

/// Whether a text holds an ASCII control character.
pub fn has_control(text: &str) -> bool {
    // No byte of UTF-8 is 0xff, which would carry into the next.
    let odd = |word: u64| (word.wrapping_sub(ONES * 0x20) | word.wrapping_add(ONES)) & !word;
    is_any(text.as_bytes(), odd, u8::is_ascii_control)
}

/// Whether there is a byte that JSON has nowhere in a string: one below that of a space.
pub fn has_json_control(bytes: &[u8]) -> bool {
    // The highest bit of a byte is set that borrows, and was not before. It may then be set of one
    // behind it, too.
    let odd = |word: u64| word.wrapping_sub(ONES * 0x20) & !word;
    is_any(bytes, odd, |byte| *byte < 0x20)
}

/// Eight bytes that are 1.
const ONES: u64 = u64::MAX / 255;

/// Whether there is an `odd` byte. Of eight at once, that is told by the highest bit of any.
#[inline]
fn is_any(bytes: &[u8], odd_word: impl Fn(u64) -> u64, odd: impl FnMut(&u8) -> bool) -> bool {
    let word = |bytes: &[u8; 8]| odd_word(u64::from_le_bytes(*bytes));
    let (words, rest) = bytes.as_chunks::<8>();
    let (blocks, words) = words.as_chunks::<4>();
    let found = blocks.iter().fold(0, |found, [a, b, c, d]| {
        found | word(a) | word(b) | word(c) | word(d)
    });
    let found = words.iter().fold(found, |found, bytes| found | word(bytes));
    found & (ONES << 7) != 0 || rest.iter().any(odd)
}

/// Whether a character steers what shows it or shows nothing: of the Unicode categories Cc, Cf, Zl,
/// Zp, Co and Cn (nobody has assigned it, so no font shows it), or [invisible](is_invisible).
///
/// The tables are those by which the standard library escapes a text.
pub fn is_unprintable(c: char) -> bool {
    match c {
        ' '..='~' => false,
        '\u{2028}' | '\u{2029}' => true,
        c if c.is_control() || is_invisible(c) => true,
        // It escapes spaces, too, and a combining mark where nothing stands in front of it.
        c if c.is_whitespace() => false,
        c => {
            let behind = String::from_iter(['a', c]);
            behind.escape_debug().nth(1) == Some('\\')
        }
    }
}

/// Whether a character has no shape and no width, so that nobody knows that it is there.
pub fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// The free text of an agent's identity, fit for one line of a terminal as any other, except that what
/// joins emoji, or gives one its colors, stays.
pub fn printable_prose(text: &str, limit: usize) -> String {
    let mut before = ' ';
    let kept = text.chars().map(|c| {
        let is_kept = !is_unprintable(c)
            || (c == '\u{fe0f}' && is_picture(before))
            || (c == '\u{200d}' && (is_picture(before) || before == '\u{fe0f}'));
        before = if is_kept { c } else { ' ' };
        before
    });
    // One that joins nothing is as invisible as any.
    one_line(kept, limit)
        .replace("\u{200d} ", " ")
        .trim_end_matches('\u{200d}')
        .to_owned()
}

/// Whether a character may be an emoji: a sign that is no letter and no mark of ASCII.
fn is_picture(c: char) -> bool {
    !c.is_ascii() && !c.is_alphanumeric() && !c.is_whitespace() && !is_unprintable(c)
}

/// One line of at most `limit` characters, in which white space is one space.
pub(super) fn one_line(text: impl Iterator<Item = char>, limit: usize) -> String {
    let cleaned: String = text.collect();
    let mut line = cleaned.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((cut, _)) = line.char_indices().nth(limit) {
        line.truncate(cut);
        line.push('…');
    }
    line
}

/// Bytes as two small hexadecimal digits each.
pub fn hexadecimal(bytes: &[u8]) -> String {
    hex::encode(bytes)
}

/// Returns a text without the marks that a terminal puts around a paste (`ESC [ 200 ~`), also where
/// the escape itself is lost or shown as `^[`.
pub fn without_paste_marks(text: &str) -> &str {
    let mut text = text.trim();
    for escape in ["\u{1b}[", "^[[", "["] {
        let open = text.strip_prefix(escape);
        if let Some(inner) = open.and_then(|text| text.strip_prefix("200~")) {
            text = inner.trim_start();
        }
        let close = text.strip_suffix("201~");
        if let Some(inner) = close.and_then(|text| text.strip_suffix(escape)) {
            text = inner.trim_end();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_nothing_or_steers_is_unprintable() {
        for range in [
            // Cc and Cf.
            '\0'..='\u{1f}',
            '\u{7f}'..='\u{9f}',
            '\u{ad}'..='\u{ad}',
            '\u{600}'..='\u{605}',
            '\u{61c}'..='\u{61c}',
            '\u{180e}'..='\u{180e}',
            '\u{200b}'..='\u{200f}',
            '\u{202a}'..='\u{202e}',
            '\u{2060}'..='\u{206f}',
            '\u{feff}'..='\u{feff}',
            '\u{fff9}'..='\u{fffb}',
            '\u{1d173}'..='\u{1d17a}',
            '\u{110bd}'..='\u{110bd}',
            // Zl, Zp, Co.
            '\u{2028}'..='\u{2029}',
            '\u{e000}'..='\u{f8ff}',
            '\u{10fffd}'..='\u{10fffd}',
            // Letters and marks that are not seen.
            '\u{34f}'..='\u{34f}',
            '\u{115f}'..='\u{1160}',
            '\u{3164}'..='\u{3164}',
            '\u{fe00}'..='\u{fe0f}',
            '\u{ffa0}'..='\u{ffa0}',
            '\u{e0000}'..='\u{e0fff}',
        ] {
            for c in range {
                assert!(is_unprintable(c), "{c:?}");
            }
        }
        for c in "aZ09 ~\\'\"\u{a0}\u{3000}éж工作🦀❤\u{301}\u{94d}\u{e9}ﬀ".chars() {
            assert!(!is_unprintable(c), "{c:?}");
        }
    }

    #[test]
    fn the_marks_of_a_terminal_fall_away_in_every_spelling() {
        for text in [
            "\u{1b}[200~key\u{1b}[201~",
            "\u{1b}[200~key",
            "[200~key[201~\n",
            "^[[200~key^[[201~",
            "key\u{1b}[201~",
            " key ",
        ] {
            assert_eq!(without_paste_marks(text), "key", "{text:?}");
        }
        assert_eq!(without_paste_marks("[20~key~"), "[20~key~");
    }

    #[test]
    fn a_character_that_is_no_graphic_one_is_found_wherever_it_stands() {
        let usual: String = ('!'..='~').collect();
        assert!(is_graphic(usual.as_bytes()) && is_graphic(b""));
        for odd in (0..=u8::MAX).filter(|byte| !byte.is_ascii_graphic()) {
            for place in 0..=usual.len() {
                let mut bytes = usual.clone().into_bytes();
                bytes.insert(place, odd);
                assert!(!is_graphic(&bytes), "{odd} at {place}");
            }
        }
        let controls = (0..=0xa0).map(char::from);
        let odd = controls.filter(|c| !c.is_ascii_graphic());
        for odd in odd.chain(['é', 'ж', '\u{10ffff}']) {
            for place in 0..=usual.len() {
                let mut text = usual.clone();
                text.insert(place, odd);
                assert!(!is_graphic(text.as_bytes()), "{text:?}");
                assert_eq!(is_printable_ascii(text.as_bytes()), odd == ' ', "{text:?}");
                assert_eq!(has_control(&text), odd.is_ascii_control(), "{text:?}");
            }
        }
    }
}
