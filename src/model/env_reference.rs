//! References to environment variables in the place of a secret.

use super::text::is_invisible;

/// The variable that a text refers to, if it is a reference and nothing else: `${NAME}`, `$NAME`,
/// `secretref-env:NAME` or `__env__:NAME`, as people and OpenClaw write them, in quotes or not. What
/// a shell would do without the variable (`${NAME:-other}`) is no part of the name.
///
/// Such a text is never a secret, whether the variable is set or not, and whether one can have such
/// a name or not.
pub fn variable(text: &str) -> Option<&str> {
    let text = trimmed(text);
    if let Some(braced) = text.strip_prefix("${").and_then(|it| it.strip_suffix('}')) {
        let name = braced.trim().trim_start_matches("env:");
        let end = [":-", ":=", ":?", ":+"]
            .iter()
            .filter_map(|it| name.find(it));
        return Some(&name[..end.min().unwrap_or(name.len())]);
    }
    let mut prefixes = ["secretref-env:", "__env__:"].into_iter();
    let marked = prefixes.find_map(|prefix| text.strip_prefix(prefix));
    // Without braces a key might look so.
    let is_plain = |name: &str| {
        let allowed = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_') && name.chars().all(allowed)
    };
    let plain = || text.strip_prefix('$').filter(|name| is_plain(name));
    marked.map(str::trim).or_else(plain)
}

fn trimmed(text: &str) -> &str {
    text.trim_matches(|c: char| {
        // Both ends of nearly every secret, and a large store has thousands.
        !c.is_ascii_alphanumeric()
            && (c.is_whitespace() || is_invisible(c) || matches!(c, '"' | '\'' | '`'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_the_whole_text() {
        for text in [
            "${ACME_KEY}",
            " ${ ACME_KEY }\n",
            "$ACME_KEY",
            "secretref-env:ACME_KEY",
            "__env__:ACME_KEY",
            "\"${ACME_KEY}\"",
            "\u{feff}${ACME_KEY}",
            "'$ACME_KEY'",
            "${ACME_KEY:-x}",
            "${env:ACME_KEY}",
        ] {
            assert_eq!(variable(text), Some("ACME_KEY"), "{text:?}");
        }
        assert_eq!(variable("${A B}"), Some("A B"));
        assert_eq!(variable("${}"), Some(""));
        assert_eq!(variable("${A}${B}"), Some("A}${B"));
        assert_eq!(variable("secretref-env:"), Some(""));
        for text in [
            "", "$", "$$ACME", "$${ACME}", "$acme", "$5x", "x${ACME}", "ACME_KEY",
        ] {
            assert_eq!(variable(text), None, "{text:?}");
        }
    }
}
