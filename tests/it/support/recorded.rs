//! The stores that two releases of OpenClaw were recorded with, as worlds of their own.

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

/// Every number that is a moment near the recording, moved by `shift`.
pub(crate) fn moved(tree: &Value, shift: i64) -> Value {
    match tree {
        Value::Number(number) => match number.as_i64() {
            Some(time) if (time - RECORDED_AT).abs() < 40_000_000_000 => Value::from(time + shift),
            _ => tree.clone(),
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
