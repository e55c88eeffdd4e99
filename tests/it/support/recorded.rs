//! The stores that two releases of OpenClaw were recorded with, as worlds of their own.

use openclaw::model::time::Timestamp;
use serde_json::Value;

use super::World;

/// The moment at which the recordings were made, for the program's own clock runs on: everything
/// that depends on now is compared by shape, and the stores whose answer it changes by their words.
const RECORDED_AT: i64 = 1_770_465_600_000;

/// Every recorded store.
pub(crate) fn stores() -> Vec<String> {
    let root = env!("CARGO_MANIFEST_DIR");
    let entries = std::fs::read_dir(format!("{root}/tests/fixtures/recorded/feb")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// One file of a store's recording by the reference release.
pub(crate) fn recording(store: &str, file: &str) -> Value {
    recording_of("feb", store, file).unwrap()
}

/// One file of a store's recording by a release, if that command was recorded with the store.
pub(crate) fn recording_of(release: &str, store: &str, file: &str) -> Option<Value> {
    let root = env!("CARGO_MANIFEST_DIR");
    let path = format!("{root}/tests/fixtures/recorded/{release}/{store}/{file}.json");
    let text = std::fs::read_to_string(path).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

/// The names of what a release was asked about a store.
pub(crate) fn questions(release: &str, store: &str) -> Vec<String> {
    let root = env!("CARGO_MANIFEST_DIR");
    let path = format!("{root}/tests/fixtures/recorded/{release}/{store}");
    let entries = std::fs::read_dir(path).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names = names.filter_map(|name| Some(name.strip_suffix(".json")?.to_owned()));
    let mut names: Vec<String> = names.filter(|name| name != "state").collect();
    names.sort();
    names
}

/// A world with the files of a recording, moved in time so that they stand to now as they stood to
/// the recording's clock.
pub(crate) fn world(store: &str) -> (World, Vec<(String, String)>, i64) {
    let world = World::new();
    let state = recording(store, "state");
    let shift = super::millis_from_now(0) - RECORDED_AT;
    for (path, content) in state["files"].as_object().unwrap() {
        let text = match content {
            Value::String(text) => text.clone(),
            tree => serde_json::to_string_pretty(&moved(tree, shift)).unwrap(),
        };
        world.write(path, &text);
    }
    let env = state["env"].as_object().unwrap();
    let env = env
        .iter()
        .map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned()));
    (world, env.collect(), shift)
}

/// The moment of a text such as `2026-02-07T12:00:00.000Z`.
fn millis(text: &str) -> Option<i64> {
    let date = text.strip_suffix('Z').filter(|rest| rest.len() == 23)?;
    let fields: Vec<&str> = date.split(['-', 'T', ':', '.']).collect();
    let fields: Result<Vec<i64>, _> = fields.iter().map(|field| field.parse()).collect();
    let [year, month, day, hour, minute, second, millis] = fields.ok()?[..] else {
        return None;
    };
    // Days since the epoch, with years that begin in March.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
    let seconds = ((days - 719_469) * 24 + hour) * 3_600 + minute * 60 + second;
    Some(seconds * 1_000 + millis)
}

/// Every number or text that is a moment near the recording, moved by `shift`.
pub(crate) fn moved(tree: &Value, shift: i64) -> Value {
    match tree {
        Value::Number(number) => match number.as_i64() {
            Some(time) if (time - RECORDED_AT).abs() < 40_000_000_000 => Value::from(time + shift),
            _ => tree.clone(),
        },
        Value::String(text) => match millis(text) {
            Some(time) => Value::from(Timestamp(time + shift).iso8601()),
            None => tree.clone(),
        },
        Value::Array(items) => items.iter().map(|item| moved(item, shift)).collect(),
        Value::Object(members) => {
            let members = members.iter();
            members
                .map(|(key, value)| (key.clone(), moved(value, shift)))
                .collect()
        }
        _ => tree.clone(),
    }
}
