//! Removal of what people copy along with a secret: white space, also in the middle, where a
//! terminal wraps lines; characters that nobody sees; around a key quotes, and the line of a shell
//! script that sets it.

use super::secret::Secret;
use super::text::is_invisible;

/// A token.
pub fn token(text: &str) -> Secret<String> {
    let kept = |c: &char| !c.is_whitespace() && !is_invisible(*c);
    Secret::new(text.chars().filter(kept).collect())
}

/// An API key.
pub fn key(text: &str) -> Secret<String> {
    token(unquoted(assigned(trimmed(text), |_| true)))
}

/// The value of the variable `name`.
pub fn variable(name: &str, text: &str) -> Secret<String> {
    token(unquoted(assigned(trimmed(text), |other| other == name)))
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || is_invisible(c))
}

/// Returns the value of `"value";`, or of any part of that.
fn unquoted(mut text: &str) -> &str {
    loop {
        text = trimmed(text);
        let quoted = ['"', '\'', '`'].iter().find_map(|quote| {
            let inner = text.strip_prefix(*quote)?.strip_suffix(*quote)?;
            Some(inner)
        });
        match quoted.or_else(|| text.strip_suffix(';')) {
            Some(inner) => text = inner,
            None => return text,
        }
    }
}

/// Returns what follows the equals sign of `export NAME=value`, if it is an assignment of a name
/// that counts. The padding of a base64 text is none.
fn assigned(text: &str, counts: impl Fn(&str) -> bool) -> &str {
    let exported = text.strip_prefix("export").filter(|rest| {
        let next = rest.chars().next();
        next.is_some_and(char::is_whitespace)
    });
    let Some((name, value)) = exported.unwrap_or(text).split_once('=') else {
        return text;
    };
    let name = name.trim();
    let is_name = !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let value = value.trim();
    match is_name && counts(name) && !value.trim_matches('=').is_empty() {
        true => value,
        false => text,
    }
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
        ] {
            assert_eq!(key(pasted).expose(), "sk-1=", "{pasted:?}");
            assert_eq!(variable("OPENAI_API_KEY", pasted).expose(), "sk-1=");
        }
        assert_eq!(key("YWJj==").expose(), "YWJj==");
        assert_eq!(key("exportX").expose(), "exportX");
        assert_eq!(token("A=b c").expose(), "A=bc");
        assert_eq!(variable("OTHER", "A=b").expose(), "A=b");
        for empty in ["", " ; ", "''", "\"\";", "\u{200b}\u{2060}"] {
            assert_eq!(key(empty).expose(), "", "{empty:?}");
        }
    }
}
