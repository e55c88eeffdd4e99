//! What is wrong with a manifest, in the words of its format.
//!
//! `serde` speaks of fields, variants and sequences; whoever writes a manifest knows keys, values
//! and lists, and wants to read what to write instead.

use std::ops::Range;

use crate::model::near::near;

/// How much alike two keys must be for one to be a slip of the other.
const ALIKE: f64 = 0.8;

/// What to write for a key that is missing.
const EXAMPLES: [(&str, &str); 11] = [
    ("schema", "1"),
    ("id", "\"acme\""),
    ("name", "\"Acme Models\""),
    ("authorize", "\"https://...\""),
    ("exchange", "\"https://...\""),
    ("host", "\"localhost\", as it is registered"),
    ("ports", "[8765], as they are registered"),
    ("path", "\"/callback\", as it is registered"),
    ("needs", "[[\"VARIABLE\"]]"),
    ("variable", "\"VARIABLE\""),
    ("home", "\".acme/login.json\""),
];

/// What `serde` and the parser call things, and what a manifest's author does.
const WORDS: [(&str, &str); 7] = [
    ("expected a string", "write a string in quotes"),
    ("expected a sequence", "write a list in brackets: [ ... ]"),
    ("expected a map", "write a table: { key = ... }"),
    ("expected a boolean", "write true or false"),
    ("expected u16", "write a port from 0 to 65535"),
    ("expected usize", "write a number"),
    ("expected i64", "write a number"),
];

/// What the parser of TOML says, and what it means.
const SYNTAX: [(&str, &str); 4] = [
    ("duplicate key", "duplicate key: keep one of them"),
    (
        "invalid key-value pair, expected key",
        "not valid TOML: write key = value, one per line",
    ),
    (
        "string values must be quoted, expected literal string",
        "write a string in quotes",
    ),
    (
        "invalid basic string, expected `\"`",
        "unterminated string: add the closing quote",
    ),
];

/// A fault, and which bytes of the text it is about.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) span: Range<usize>,
    pub(super) message: String,
}

impl Fault {
    pub(super) fn at(span: Range<usize>, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { span, message }
    }

    /// What the parser found; `whole` is the table it was at, for a fault of no one place.
    pub(super) fn of(fault: &toml::de::Error, whole: Range<usize>) -> Self {
        Self::told(fault.span().unwrap_or(whole), fault.message())
    }

    /// What the parser or serde says, in the words of the format.
    pub(super) fn told(span: Range<usize>, message: &str) -> Self {
        Self::at(span, plainly(message))
    }
}

fn plainly(message: &str) -> String {
    if let Some(rest) = message.strip_prefix("unknown field ") {
        return unknown_key(rest);
    }
    if let Some(rest) = message.strip_prefix("unknown variant ") {
        return match rest.split_once(", expected ") {
            Some((value, known)) => {
                format!("unknown value {value}: write {}", quoted(known))
            }
            None => message.to_owned(),
        };
    }
    if let Some(key) = message.strip_prefix("missing field ") {
        let name = key.trim_matches('`');
        let example = EXAMPLES.iter().find(|(known, _)| *known == name);
        return match example {
            Some((_, value)) => format!("{key} is missing: write {name} = {value}"),
            None => format!("{key} is missing"),
        };
    }
    if let Some((_, ours)) = SYNTAX.iter().find(|(theirs, _)| *theirs == message) {
        return (*ours).to_owned();
    }
    if message.contains(", expected struct ") {
        return "this is a table: write it as [name] with its keys below".to_owned();
    }
    for (theirs, ours) in WORDS {
        if let Some(found) = message.strip_suffix(theirs) {
            let found = found.trim_start_matches("invalid type: ");
            let found = found.trim_start_matches("invalid value: ");
            return format!("{}: {ours}", found.trim_end_matches([',', ' ']));
        }
    }
    message.to_owned()
}

/// `unknown field` speaks of one key and lists those that are known.
fn unknown_key(rest: &str) -> String {
    let (key, known) = rest.split_once(", ").unwrap_or((rest, ""));
    let name = key.trim_matches('`');
    let names = known.split('`').skip(1).step_by(2);
    match near(name, names.clone(), ALIKE).first() {
        Some(near) => format!("unknown key {key}: write `{near}`"),
        None => {
            let names: Vec<&str> = names.collect();
            format!("unknown key {key}: expected {}", names.join(", "))
        }
    }
}

/// Names in backticks become texts in quotes, as they are written.
fn quoted(names: &str) -> String {
    let names = names.trim_start_matches("one of ").replace('`', "\"");
    match names.rsplit_once(", ") {
        Some((first, last)) => format!("{first} or {last}"),
        None => names,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_those_of_the_format() {
        for (theirs, ours) in [
            (
                "unknown field `nam`, expected one of `id`, `name`",
                "unknown key `nam`: write `name`",
            ),
            (
                "unknown field `colour`, expected `path`",
                "unknown key `colour`: expected path",
            ),
            (
                "unknown variant `xml`, expected `form` or `json`",
                "unknown value `xml`: write \"form\" or \"json\"",
            ),
            ("missing field `id`", "`id` is missing: write id = \"acme\""),
            (
                "invalid type: integer `1`, expected a string",
                "integer `1`: write a string in quotes",
            ),
            ("something new", "something new"),
        ] {
            assert_eq!(plainly(theirs), ours);
        }
    }
}
