//! Removal of what people copy along with a secret: white space, also in the middle, where a
//! terminal wraps lines; characters that nobody sees; the marks of a terminal around a paste; around
//! a key quotes, the word `Bearer`, and the line of a script, a header or a file that sets it.

use super::secret::Secret;
use super::text::{is_invisible, without_paste_marks};

/// Quotes that open, and those that close.
const QUOTES: [(char, char); 10] = [
    ('"', '"'),
    ('\'', '\''),
    ('`', '`'),
    ('\u{201c}', '\u{201d}'),
    ('\u{201d}', '\u{201d}'),
    ('\u{201e}', '\u{201c}'),
    ('\u{2018}', '\u{2019}'),
    ('\u{2019}', '\u{2019}'),
    ('\u{201a}', '\u{2018}'),
    ('\u{ab}', '\u{bb}'),
];
/// What stands in front of the name of a variable where a shell or a file sets it.
const SETTERS: [&str; 5] = ["export ", "declare -x ", "set ", "ENV ", "$env:"];

/// A key or token that a person pasted.
pub fn key(text: &str) -> Secret<String> {
    joined(unwrapped(without_paste_marks(text), &|_| true))
}

/// The value of the variable `name`.
pub fn variable(name: &str, text: &str) -> Secret<String> {
    joined(unwrapped(text, &|other| other == name))
}

/// A secret of a document, if something stands around it there.
pub fn stored(text: &str) -> Option<&str> {
    // Most stand by themselves, and a large store is asked of each of its secrets.
    let (first, last) = (text.bytes().next(), text.bytes().next_back());
    let is_plain = |end: Option<u8>| end.is_some_and(|end| end.is_ascii_alphanumeric());
    if is_plain(first) && is_plain(last) && bearer(text).is_none() {
        return None;
    }
    let mut inner = text;
    while let Some(next) = quoted(trimmed(inner)).or_else(|| bearer(trimmed(inner))) {
        inner = next;
    }
    let inner = trimmed(inner);
    (inner.len() < text.len() && !inner.is_empty()).then_some(inner)
}

/// Takes away what a terminal or a page adds within a secret.
pub fn joined(text: &str) -> Secret<String> {
    let kept = |c: &char| !c.is_whitespace() && !is_invisible(*c);
    Secret::new(text.chars().filter(kept).collect())
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c))
}

/// Returns the secret in `export NAME="secret";`, in `Authorization: Bearer secret`, or in any part
/// of these.
fn unwrapped<'a>(text: &'a str, counts: &dyn Fn(&str) -> bool) -> &'a str {
    let mut text = trimmed(text);
    loop {
        let inner = assigned(text, counts).or_else(|| labelled(text));
        let inner = inner.or_else(|| quoted(text)).or_else(|| bearer(text));
        let inner = inner.or_else(|| text.strip_suffix(';'));
        // The comma behind a member of JSON.
        let member = || {
            text.strip_suffix(',')
                .filter(|it| it.ends_with(['"', '\'']))
        };
        match inner.or_else(member) {
            Some(inner) => text = trimmed(inner),
            None => return text,
        }
    }
}

fn quoted(text: &str) -> Option<&str> {
    let mut pairs = QUOTES.iter();
    pairs.find_map(|(open, close)| text.strip_prefix(*open)?.strip_suffix(*close))
}

/// Returns what follows the scheme of RFC 6750.
fn bearer(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_at_checked("bearer".len())?;
    let rest = rest.strip_prefix(char::is_whitespace)?;
    scheme.eq_ignore_ascii_case("bearer").then_some(rest)
}

/// Returns what follows the equals sign of `export NAME=value`, if it is an assignment of a name
/// that counts. The padding of a base64 text is none.
fn assigned<'a>(text: &'a str, counts: &dyn Fn(&str) -> bool) -> Option<&'a str> {
    let (front, value) = text.split_once('=')?;
    let front = front.replace(char::is_whitespace, " ");
    let setter = SETTERS.iter().find_map(|setter| front.strip_prefix(setter));
    let name = setter.unwrap_or(&front).trim();
    let is_name = !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let value = value.trim();
    (is_name && counts(name) && !value.trim_matches('=').is_empty()).then_some(value)
}

/// Returns what follows the colon of a header line, or of a member of YAML or JSON.
fn labelled(text: &str) -> Option<&str> {
    let (name, value) = text.split_once(':')?;
    let name = name.trim();
    let is_quoted = name.starts_with('"');
    let name = name.trim_matches('"');
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_ ".contains(c));
    let is_apart = is_quoted || value.starts_with(char::is_whitespace);
    (is_name && is_apart && !value.trim().is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_in_the_line_that_sets_it() {
        for pasted in [
            "sk-1=",
            " sk-1= \n",
            "export OPENAI_API_KEY=sk-1=",
            "export\tOPENAI_API_KEY = 'sk-1=' ; ",
            "OPENAI_API_KEY=\"sk-1=\";",
            "\"sk-1=;\"",
            "sk\r\n -1=",
            "\u{feff}\"sk-1=\u{200b}\"",
            "\u{201c}sk-1=\u{201d}",
            "\u{2018}sk-1=\u{2019}",
            "Bearer sk-1=",
            "bearer\tsk-1=",
            "Authorization: Bearer sk-1=",
            "\"Authorization\": \"Bearer sk-1=\",",
            "x-api-key: sk-1=",
            "\"OPENAI_API_KEY\": \"sk-1=\",",
            "set OPENAI_API_KEY=sk-1=",
            "$env:OPENAI_API_KEY=\"sk-1=\"",
        ] {
            assert_eq!(key(pasted).expose(), "sk-1=", "{pasted:?}");
            assert_eq!(variable("OPENAI_API_KEY", pasted).expose(), "sk-1=");
        }
        assert_eq!(key("YWJj==").expose(), "YWJj==");
        assert_eq!(key("exportX").expose(), "exportX");
        assert_eq!(key("\u{1b}[200~sk-1=\u{1b}[201~").expose(), "sk-1=");
        assert_eq!(key("fal:id:x=").expose(), "fal:id:x=");
        assert_eq!(key("sk-1,").expose(), "sk-1,");
        assert_eq!(joined("A=b c").expose(), "A=bc");
        assert_eq!(variable("OTHER", "A=b").expose(), "A=b");
        for empty in ["", " ; ", "''", "\"\";", "\u{200b}\u{2060}"] {
            assert_eq!(key(empty).expose(), "", "{empty:?}");
        }
    }

    #[test]
    fn a_stored_secret_loses_what_stands_around_it() {
        for text in ["\"sk-1\"", "Bearer sk-1", "\u{feff}sk-1", " 'Bearer sk-1' "] {
            assert_eq!(stored(text), Some("sk-1"), "{text:?}");
        }
        for text in ["sk-1", "\"sk-1", "Bearersk-1", "A=sk-1", "\"\"", ""] {
            assert_eq!(stored(text), None, "{text:?}");
        }
    }
}
