//! JSON as servers write it, which is not always JSON.
//!
//! What is no JSON is read by its quotes and brackets alone, and never beyond them: each member of
//! an object is cut out as it is written and read by itself, so that one nobody needs hides no
//! other. A member that is there and cannot be read is [`unreadable`], which no reader takes for a
//! text or a number.

use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

/// How many objects and lists are read that lie in each other.
const DEEPEST: usize = 32;

/// Reads a text that is JSON. Two things are kept that the usual reader loses: the digits of a long
/// number, which become a text, and the usable one of two members of one name.
pub(super) fn read(text: &str) -> Option<Value> {
    let raw: &RawValue = serde_json::from_str(text).ok()?;
    Some(value(raw.get(), DEEPEST))
}

/// Reads the first object in a text, whatever stands before and behind it.
pub(super) fn find(text: &str) -> Option<Value> {
    let mut starts = text.match_indices('{').map(|(at, _)| &text[at..]);
    let start = starts.find(|rest| trim_start(&rest[1..]).starts_with(['"', '\'']))?;
    Some(object(members(start)?, DEEPEST))
}

/// A member that is there and cannot be read.
pub(super) fn unreadable() -> Value {
    Value::Array(Vec::new())
}

/// Collects members; of two of one name the last one counts that says anything.
pub(super) fn collect(members: impl IntoIterator<Item = (String, Value)>) -> Value {
    let mut map = Map::new();
    for (name, value) in members {
        let says_nothing =
            value.is_null() || value == "" || value == unreadable() || value == json!({});
        if !(says_nothing && map.contains_key(&name)) {
            map.insert(name, value);
        }
    }
    Value::Object(map)
}

fn value(raw: &str, depth: usize) -> Value {
    match raw.bytes().next() {
        Some(b'{' | b'[') if depth == 0 => unreadable(),
        Some(b'{') => members(raw).map_or_else(unreadable, |members| object(members, depth)),
        Some(b'[') => match serde_json::from_str::<Vec<&RawValue>>(raw) {
            Ok(items) => items
                .iter()
                .map(|raw| value(raw.get(), depth - 1))
                .collect(),
            Err(_) => unreadable(),
        },
        Some(b'"' | b'\'') => string(raw).map_or_else(unreadable, Value::String),
        _ => match serde_json::from_str(raw) {
            Ok(Value::Number(number)) if number.is_f64() && is_integer(raw) => raw.into(),
            Ok(value) => value,
            Err(_) => unreadable(),
        },
    }
}

fn is_integer(raw: &str) -> bool {
    raw.bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'-')
}

fn object(members: Vec<(&str, &str)>, depth: usize) -> Value {
    let named = members.into_iter();
    collect(named.filter_map(|(name, raw)| Some((string(name)?, value(raw, depth - 1)))))
}

/// The members of the object that a text begins with, as they are written; `None` if it is torn, or
/// if it cannot be told where a text in it ends.
fn members(text: &str) -> Option<Vec<(&str, &str)>> {
    let mut rest = text.strip_prefix('{')?;
    let mut found = Vec::new();
    loop {
        rest = &rest[rest.find(['"', '\'', '}'])?..];
        if rest.starts_with('}') {
            return Some(found);
        }
        let (name, behind) = quoted(rest)?;
        let behind = trim_start(trim_start(behind).strip_prefix(':')?);
        let (raw, behind) = behind.split_at(length(behind)?);
        let raw = raw.trim_end_matches(is_blank);
        if raw.starts_with(['"', '\'']) && !quoted(raw)?.1.is_empty() {
            return None;
        }
        found.push((name, raw));
        rest = behind;
    }
}

/// The length of the value that a text begins with: up to a comma, or to the end of its object.
fn length(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut rest = match text.starts_with('\'') {
        true => quoted(text)?.1,
        false => text,
    };
    loop {
        let at = rest.find(['"', '{', '[', '}', ']', ','])?;
        let (here, sign) = (text.len() - rest.len() + at, rest.as_bytes()[at]);
        rest = &rest[at + 1..];
        match sign {
            b'"' => rest = quoted(&text[here..])?.1,
            b'{' | b'[' => depth += 1,
            b',' if depth > 0 => {}
            b']' if depth == 0 => return None,
            _ if depth == 0 => return Some(here),
            _ => depth -= 1,
        }
    }
}

/// Splits a text behind the quoted one that it begins with.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next()?;
    let mut is_escaped = false;
    let end = text[1..].find(|c| {
        let is_end = c == quote && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        is_end
    })?;
    Some(text.split_at(end + 2))
}

/// Reads a quoted text, in which control characters stand for themselves.
fn string(raw: &str) -> Option<String> {
    let inner = raw.get(1..raw.len().checked_sub(1)?)?;
    if raw.starts_with('\'') && inner.contains('"') {
        return None;
    }
    let mut json = String::with_capacity(raw.len());
    json.push('"');
    for c in inner.chars() {
        match c {
            '\0'..='\u{1f}' => json.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => json.push(c),
        }
    }
    json.push('"');
    serde_json::from_str(&json).ok()
}

fn trim_start(text: &str) -> &str {
    text.trim_start_matches(is_blank)
}

/// Outside of texts a control character is white space, or nothing that JSON allows.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || c.is_control()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_usual_reader_loses_is_kept() {
        let text = r#"{"a":117123456789012345671,"b":[-117123456789012345671,1,1.5],"c":"x","c":null,"d":"x","d":"y","c":""}"#;
        let expected = json!({
            "a": "117123456789012345671",
            "b": ["-117123456789012345671", 1, 1.5],
            "c": "x",
            "d": "y",
        });
        assert_eq!(read(text), Some(expected));
        assert_eq!(read(" \"a\" "), Some(json!("a")));
        assert_eq!(read(r#"{"a":1,}"#), None);
    }

    #[test]
    fn members_that_are_no_json_hide_no_other() {
        for value in [
            "NaN",
            "-Infinity",
            "undefined",
            "0x10",
            "007",
            ".5",
            r#""C:\path""#,
            r#""\x41""#,
            r#""\ud83d""#,
            "[1,NaN,\"]\"]",
            "/* why */ 1",
        ] {
            let text =
                format!("junk {{ \"x\" : {value} , \"a\" : {{\"b\":\"c\",}}, 'd':'e'\0,}}); more");
            let expected = json!({ "x": [], "a": { "b": "c" }, "d": "e" });
            assert_eq!(find(&text), Some(expected), "{text}");
        }
        let text = "{\"a\":\"b\nc\"}";
        assert_eq!(find(text), Some(json!({ "a": "b\nc" })));
    }

    #[test]
    fn what_is_torn_is_nothing() {
        let whole = r#"{"a":"b","c":{"d":"e"},"f":[1,"}"]}"#;
        for end in 0..whole.len() {
            assert_eq!(find(&whole[..end]), None, "{end}");
        }
        assert!(find(whole).is_some());
        // Where the text of the first member ends, nobody can tell.
        assert_eq!(find(r#"{"dir":"C:\","a":"b","c":"d"}"#), None);
        assert_eq!(find(r#"{"a":"b" "c":"d"}"#), None);
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(9_999), "]".repeat(9_999));
        assert!(read(&deep).is_some());
    }
}
