//! A second opinion on a JSON document: its members as texts, read by another way than the store's.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The members that the store writes by rules of its own.
const RULED: [&str; 5] = ["version", "profiles", "order", "lastGood", "usageStats"];

/// Members of an object by name, each with its text; of duplicates the last.
pub(crate) type Members = BTreeMap<String, Box<RawValue>>;

/// The members of an object; `None` if the text is none.
pub(crate) fn members(text: &str) -> Option<Members> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(text).ok()
}

/// The members of a member; none if it is no object.
pub(crate) fn within(top: &Members, name: &str) -> Members {
    top.get(name)
        .and_then(|raw| members(raw.get()))
        .unwrap_or_default()
}

/// Panics unless all that stood in `before` stands in `after`, byte for byte, but for the profiles
/// whose key `touched` names.
pub(crate) fn assert_kept(before: &Members, after: &Members, touched: &dyn Fn(&str) -> bool) {
    let text = |raw: Option<&Box<RawValue>>| raw.map(|raw| raw.get().to_owned());
    for (name, raw) in before {
        if !RULED.contains(&name.as_str()) {
            assert_eq!(text(after.get(name)).as_deref(), Some(raw.get()), "{name}");
        }
    }
    let profiles = within(after, "profiles");
    for (key, raw) in within(before, "profiles") {
        if !touched(&key) {
            assert_eq!(
                text(profiles.get(&key)).as_deref(),
                Some(raw.get()),
                "{key}"
            );
        }
    }
    let usage = within(after, "usageStats");
    for (key, raw) in within(before, "usageStats") {
        if !touched(&key) {
            assert_eq!(text(usage.get(&key)).as_deref(), Some(raw.get()), "{key}");
        }
    }
    for name in ["order", "lastGood"] {
        let now = within(after, name);
        for key in within(before, name).keys() {
            assert!(now.contains_key(key), "{name} of {key} is lost");
        }
    }
    // A known member that is no object stays until something is put in its place.
    for name in ["lastGood", "order", "usageStats"] {
        if before.contains_key(name) && within(before, name).is_empty() {
            let now = text(after.get(name));
            let is_empty = before[name].get().trim_start().starts_with('{');
            assert!(is_empty || now.is_some(), "{name} is lost");
        }
    }
}
