//! What differs between two states of a directory, member by member.
//!
//! A changed value is its JSON pointer, `+` and `-` before it say that the member came or went, and
//! `~` that the members of an object stand in another order.

use std::collections::BTreeMap;

use serde_json::Value;

/// Files by their path.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

/// Everything that differs, sorted.
pub(super) fn between(before: &Files, after: &Files) -> Vec<String> {
    let mut changes = Vec::new();
    for (path, old) in before {
        match after.get(path) {
            None => changes.push(format!("-{path}")),
            Some(new) if new == old => {}
            Some(new) => match (tree(old), tree(new)) {
                (Some(old), Some(new)) => compare(&old, &new, path, "", &mut changes),
                _ => changes.push(path.clone()),
            },
        }
    }
    let new = after.keys().filter(|path| !before.contains_key(*path));
    changes.extend(new.map(|path| format!("+{path}")));
    changes.sort();
    changes
}

/// JSON, or the JSON5 of a configuration.
fn tree(bytes: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(bytes).ok()?;
    jsonc_parser::parse_to_serde_value(text, &jsonc_parser::ParseOptions::default()).ok()
}

fn compare(old: &Value, new: &Value, path: &str, pointer: &str, changes: &mut Vec<String>) {
    let (before, after) = match (old, new) {
        (Value::Object(before), Value::Object(after)) => (before, after),
        (Value::Array(before), Value::Array(after)) => {
            return elements(before, after, path, pointer, changes);
        }
        _ if old == new => return,
        _ => return changes.push(format!("{path}#{pointer}")),
    };
    let step = |name: &str| format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
    for (name, old) in before {
        match after.get(name) {
            Some(new) => compare(old, new, path, &step(name), changes),
            None => changes.push(format!("-{path}#{}", step(name))),
        }
    }
    let added = after.keys().filter(|name| !before.contains_key(*name));
    changes.extend(added.map(|name| format!("+{path}#{}", step(name))));
    let kept = before.keys().filter(|name| after.contains_key(*name));
    let still = after.keys().filter(|name| before.contains_key(*name));
    if !kept.eq(still) {
        changes.push(format!("~{path}#{pointer}"));
    }
}

/// A list that grew or shrank at its end did only that; any other is a new list.
fn elements(
    before: &[Value],
    after: &[Value],
    path: &str,
    pointer: &str,
    changes: &mut Vec<String>,
) {
    let common = before.len().min(after.len());
    if before.len() != after.len() && before[..common] != after[..common] {
        changes.push(format!("{path}#{pointer}"));
        return;
    }
    for (at, (old, new)) in before.iter().zip(after).enumerate() {
        compare(old, new, path, &format!("{pointer}/{at}"), changes);
    }
    let sign = if before.len() > common { '-' } else { '+' };
    let rest = common..before.len().max(after.len());
    changes.extend(rest.map(|at| format!("{sign}{path}#{pointer}/{at}")));
}

#[test]
fn every_kind_of_change_is_seen() {
    let file = |text: &str| Files::from([("f".to_owned(), text.as_bytes().to_vec())]);
    let changes = |old: &str, new: &str| between(&file(old), &file(new));
    let old = r#"{ "a": 1, "b": { "x/y": [1, 2] }, "c": null }"#;
    assert!(changes(old, r#"{"a":1,"b":{"x/y":[1,2]},"c":null}"#).is_empty());
    let cases = [
        (r#"{"a":2,"b":{"x/y":[1,2]},"c":null}"#, "f#/a"),
        (r#"{"a":1.0,"b":{"x/y":[1,2]},"c":null}"#, "f#/a"),
        (r#"{"a":1,"b":{"x/y":[2]},"c":null}"#, "f#/b/x~1y"),
        (r#"{"a":1,"b":{"x/y":[1,3]},"c":null}"#, "f#/b/x~1y/1"),
        (r#"{"a":1,"b":{"x/y":[1]},"c":null}"#, "-f#/b/x~1y/1"),
        (r#"{"a":1,"b":{"x/y":[1,2,3]},"c":null}"#, "+f#/b/x~1y/2"),
        (r#"{"a":1,"b":{"x/y":[1,2]}}"#, "-f#/c"),
        (r#"{"a":1,"b":{"x/y":[1,2],"z":0},"c":null}"#, "+f#/b/z"),
        (r#"{"b":{"x/y":[1,2]},"a":1,"c":null}"#, "~f#"),
        (r#"{"a":1,"b":"x","c":null}"#, "f#/b"),
        (r#"{"a":1"#, "f"),
    ];
    for (new, change) in cases {
        assert_eq!(changes(old, new), [change], "{new}");
    }
    assert_eq!(between(&file(old), &Files::new()), ["-f"]);
    assert_eq!(between(&Files::new(), &file(old)), ["+f"]);
}
