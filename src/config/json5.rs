//! JSON5 text to a tree, with `$include` and `${VAR}` resolved. For reading only: what is written
//! back is the text that people wrote, see `edit.rs`.

use std::path::{Path, PathBuf};

use jsonc_parser::ParseOptions;
use serde_json::{Map, Value};

use crate::model::path::fold;
use crate::model::secret::Secret;
use crate::model::text::{IS_UTF16, decode, is_utf16, split_mark, without_mark};
use crate::ports::files::Files;

use super::error::ConfigError;

/// How deep includes may lie in one another, as in the reference release.
const MAX_DEPTH: usize = 10;

/// JSON5, as the reference release reads it.
pub(super) fn options() -> ParseOptions {
    ParseOptions {
        allow_missing_commas: false,
        ..ParseOptions::default()
    }
}

/// Parses a text; an empty one is an empty object.
pub(super) fn parse(text: &str, path: &Path) -> Result<Value, ConfigError> {
    let (_, text) = split_mark(text);
    let parsed = jsonc_parser::parse_to_serde_value::<Option<Value>>(text, &options());
    let parsed = parsed.map_err(|error| ConfigError::Syntax {
        path: path.to_owned(),
        line: error.line_display(),
        column: error.column_display(),
        message: error.kind().to_string(),
    })?;
    Ok(parsed.unwrap_or_else(|| Value::Object(Map::new())))
}

/// Parses the content of a file; a byte that is no UTF-8 harms only what it stands in.
pub(super) fn read(bytes: &[u8], path: &Path) -> Result<Value, ConfigError> {
    match is_utf16(bytes) {
        true => Err(encoding(path, (1, 1), IS_UTF16)),
        false => parse(&String::from_utf8_lossy(bytes), path),
    }
}

fn encoding(path: &Path, (line, column): (usize, usize), message: &str) -> ConfigError {
    ConfigError::Syntax {
        path: path.to_owned(),
        line,
        column,
        message: message.to_owned(),
    }
}

/// Reads a file and everything it includes.
pub(super) fn load(files: &dyn Files, path: &Path) -> Result<Option<Value>, ConfigError> {
    let Some(bytes) = files.read_settings(path)? else {
        return Ok(None);
    };
    let value = read(&bytes, path)?;
    let mut trail = vec![path.to_owned()];
    include(files, value, path, &mut trail).map(Some)
}

/// What an object includes, merged in order; `None` if it includes nothing.
pub(super) fn included(
    files: &dyn Files,
    object: &Map<String, Value>,
    path: &Path,
    trail: &mut Vec<PathBuf>,
) -> Result<Option<Value>, ConfigError> {
    let Some(value) = object.get("$include") else {
        return Ok(None);
    };
    let names = include_names(value).ok_or_else(|| wrong(path))?;
    let mut merged = Value::Object(Map::new());
    for name in names {
        let target = include_target(path, name);
        let shape = |fault: &str| ConfigError::Shape {
            path: path.to_owned(),
            member: format!("$include \"{name}\""),
            fault: fault.to_owned(),
        };
        if trail.contains(&target) {
            return Err(shape("includes itself"));
        }
        if trail.len() > MAX_DEPTH {
            return Err(shape("is nested too deeply"));
        }
        let bytes = files
            .read_settings(&target)?
            .ok_or_else(|| shape("does not exist"))?;
        let value = read(&bytes, &target)?;
        trail.push(target.clone());
        let value = include(files, value, &target, trail)?;
        trail.pop();
        merge(&mut merged, value);
    }
    Ok(Some(merged))
}

/// The files that the value of `$include` names; `None` if it is of another shape.
fn include_names(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::String(name) => Some(vec![name]),
        Value::Array(names) => names.iter().map(Value::as_str).collect(),
        _ => None,
    }
}

/// The path of an included file. Folded, so that a file which includes itself by another spelling
/// is seen at once.
fn include_target(path: &Path, name: &str) -> PathBuf {
    fold(&path.parent().unwrap_or(Path::new("/")).join(name))
}

/// Lists a file and all that it includes, as far as they can be read.
pub(super) fn sources(files: &dyn Files, path: &Path) -> Vec<PathBuf> {
    let mut found = vec![path.to_owned()];
    let mut next = 0;
    while let Some(path) = found.get(next).cloned() {
        next += 1;
        let bytes = files.read(&path).ok().flatten();
        let value = bytes.and_then(|bytes| read(&bytes, &path).ok());
        let mut targets = Vec::new();
        include_targets(&value.unwrap_or_default(), &path, &mut targets);
        targets.retain(|target| !found.contains(target));
        found.extend(targets);
    }
    found
}

fn include_targets(value: &Value, path: &Path, targets: &mut Vec<PathBuf>) {
    let members: Vec<&Value> = match value {
        Value::Object(members) => {
            let names = members.get("$include").and_then(include_names);
            let names = names.unwrap_or_default().into_iter();
            targets.extend(names.map(|name| include_target(path, name)));
            members.values().collect()
        }
        Value::Array(items) => items.iter().collect(),
        _ => return,
    };
    for member in members {
        include_targets(member, path, targets);
    }
}

/// What included files say, without the members of the value itself; `None` if it includes nothing.
pub(super) fn included_members(
    files: &dyn Files,
    value: &Value,
    path: &Path,
    trail: &mut Vec<PathBuf>,
) -> Result<Option<Value>, ConfigError> {
    let Value::Object(object) = value else {
        return Ok(None);
    };
    let mut all = included(files, object, path, trail)?;
    for (key, member) in object {
        if let Some(more) = included_members(files, member, path, trail)? {
            let more = Map::from_iter([(key.clone(), more)]);
            let base = all.get_or_insert_with(|| Value::Object(Map::new()));
            merge(base, Value::Object(more));
        }
    }
    Ok(all)
}

/// A text that is to be edited, whose bytes are written back; its byte order mark is one of them.
pub(super) fn editable(bytes: Vec<u8>, path: &Path) -> Result<String, ConfigError> {
    if is_utf16(&bytes) {
        return Err(encoding(path, (1, 1), IS_UTF16));
    }
    let mark = match without_mark(&bytes).len() == bytes.len() {
        true => "",
        false => "\u{feff}",
    };
    let text = decode(bytes).map_err(|at| encoding(path, at, "this is not UTF-8 text"))?;
    Ok(format!("{mark}{text}"))
}

fn wrong(path: &Path) -> ConfigError {
    ConfigError::Shape {
        path: path.to_owned(),
        member: "$include".to_owned(),
        fault: "is neither a path nor a list of paths".to_owned(),
    }
}

fn include(
    files: &dyn Files,
    value: Value,
    path: &Path,
    trail: &mut Vec<PathBuf>,
) -> Result<Value, ConfigError> {
    match value {
        Value::Object(mut object) => {
            let base = included(files, &object, path, trail)?;
            object.remove("$include");
            let mut own = Map::new();
            for (key, value) in object {
                own.insert(key, include(files, value, path, trail)?);
            }
            match base {
                None => Ok(Value::Object(own)),
                Some(base) if own.is_empty() => Ok(base),
                Some(mut base @ Value::Object(_)) => {
                    merge(&mut base, Value::Object(own));
                    Ok(base)
                }
                Some(_) => Err(ConfigError::Shape {
                    path: path.to_owned(),
                    member: "$include".to_owned(),
                    fault: "has sibling keys, but what it includes is not an object".to_owned(),
                }),
            }
        }
        Value::Array(items) => {
            let items = items
                .into_iter()
                .map(|item| include(files, item, path, trail));
            Ok(Value::Array(items.collect::<Result<_, _>>()?))
        }
        other => Ok(other),
    }
}

/// Lays `over` on `base`, as the reference release does: objects member by member, lists one after
/// the other, everything else replaced.
fn merge(base: &mut Value, over: Value) {
    match (base, over) {
        (Value::Array(base), Value::Array(over)) => base.extend(over),
        (Value::Object(base), Value::Object(over)) => {
            for (key, value) in over {
                match base.get_mut(&key) {
                    Some(old) => merge(old, value),
                    None => {
                        base.insert(key, value);
                    }
                }
            }
        }
        (base, over) => *base = over,
    }
}

/// Replaces `${NAME}` (upper case) by the variable's value and `$${NAME}` by `${NAME}`. A variable
/// that is not set leaves its reference and is named in `missing`; the caller decides.
pub(super) fn substitute(
    text: &str,
    value: &dyn Fn(&str) -> Option<Secret<String>>,
    missing: &mut Vec<String>,
) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, after) = (&rest[..at], &rest[at + 2..]);
        let Some(name) = after.split_once('}').map(|(name, _)| name) else {
            break;
        };
        if !is_name(name) {
            result.push_str(&rest[..at + 2]);
            rest = after;
            continue;
        }
        rest = &after[name.len() + 1..];
        let reference = format!("${{{name}}}");
        if let Some(before) = before.strip_suffix('$') {
            result.push_str(before);
            result.push_str(&reference);
            continue;
        }
        result.push_str(before);
        match value(name) {
            Some(value) => result.push_str(value.expose()),
            None => {
                missing.push(name.to_owned());
                result.push_str(&reference);
            }
        }
    }
    result.push_str(rest);
    result
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && text
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_resolved_and_escapes_respected() {
        let acme = |name: &str| (name == "ACME_KEY").then(|| Secret::from("value"));
        let mut missing = Vec::new();
        let mut resolve = |text| substitute(text, &acme, &mut missing);
        assert_eq!(resolve("a ${ACME_KEY} b"), "a value b");
        assert_eq!(resolve("${ACME_KEY}${ACME_KEY}"), "valuevalue");
        assert_eq!(resolve("$${ACME_KEY}"), "${ACME_KEY}");
        assert_eq!(resolve("$$${ACME_KEY}"), "$${ACME_KEY}");
        assert_eq!(resolve("${lower} $${lower} ${"), "${lower} $${lower} ${");
        assert_eq!(resolve("${${ACME_KEY}}"), "${value}");
        assert_eq!(resolve("${UNSET}"), "${UNSET}");
        assert_eq!(missing, ["UNSET"]);
    }

    #[test]
    fn json5_is_read_and_faults_have_a_place() {
        let parse = |text| parse(text, Path::new("c.json"));
        let value = parse("// note\n{ a: 'b', c: [1, 0x10,], }\n").unwrap();
        assert_eq!(value, serde_json::json!({ "a": "b", "c": [1, 16] }));
        let fault = parse("{\n  a: ,\n}").unwrap_err().to_string();
        assert!(fault.starts_with("c.json:2:"), "{fault}");
    }
}
