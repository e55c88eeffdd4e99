//! References to environment variables in the place of a secret.

/// The variable that a text refers to, if it is a reference and nothing else: `${NAME}`, `$NAME`,
/// `secretref-env:NAME` or `__env__:NAME`, as people and OpenClaw write them.
///
/// Such a text is never a secret, whether the variable is set or not.
pub fn variable(text: &str) -> Option<&str> {
    let text = text.trim();
    let braced = text.strip_prefix("${").and_then(|it| it.strip_suffix('}'));
    let mut prefixes = ["secretref-env:", "__env__:"].into_iter();
    let marked = braced.or_else(|| prefixes.find_map(|prefix| text.strip_prefix(prefix)));
    let is_marked = |name: &str| {
        let allowed = |c: char| c.is_ascii_graphic() && !"${}".contains(c);
        !name.is_empty() && name.chars().all(allowed)
    };
    // Without braces a key might look so.
    let is_plain = |name: &str| {
        let allowed = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        name.starts_with(|c: char| c.is_ascii_uppercase() || c == '_') && name.chars().all(allowed)
    };
    let marked = marked.map(str::trim).filter(|name| is_marked(name));
    marked.or_else(|| text.strip_prefix('$').filter(|name| is_plain(name)))
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
        ] {
            assert_eq!(variable(text), Some("ACME_KEY"), "{text:?}");
        }
        assert_eq!(variable("${acme:-x}"), Some("acme:-x"));
        for text in [
            "",
            "$",
            "${}",
            "$$ACME",
            "$${ACME}",
            "$acme",
            "$5x",
            "x${ACME}",
            "${A}${B}",
            "secretref-env:",
            "ACME_KEY",
        ] {
            assert_eq!(variable(text), None, "{text:?}");
        }
    }
}
