//! One entry of `usageStats`: from its text to what we know of it, and a changed one back to text.

use crate::model::expiry::End;
use crate::model::json::Verbatim;
use crate::model::usage::Usage;

use super::json_writer::Writer;
use super::raw_json::{self, Members, Raw};

/// The members we know, in the order in which OpenClaw adds them.
const KNOWN: [&str; 9] = [
    "lastUsed",
    "errorCount",
    "failureCounts",
    "lastFailureAt",
    "cooldownUntil",
    "cooldownReason",
    "cooldownModel",
    "disabledUntil",
    "disabledReason",
];

/// Reads an entry; of what is not as expected nothing is known.
pub(super) fn read(raw: Raw<'_>) -> Usage {
    let members = Members::read(raw.get()).unwrap_or_default();
    // In seconds now and then, as the ends of credentials are.
    let time = |name| {
        let stored = members.get(name).and_then(raw_json::millis);
        stored.map(|stored| End::read(stored).at)
    };
    let text = |name| members.get(name).and_then(raw_json::text);
    let counts = members
        .get("failureCounts")
        .and_then(|raw| Members::read(raw.get()).ok());
    let counts = counts.iter().flat_map(Members::iter);
    Usage {
        text: Verbatim::new(raw.get()),
        changed: false,
        last_used: time("lastUsed"),
        error_count: members.get("errorCount").and_then(count).unwrap_or(0),
        failure_counts: counts
            .filter_map(|(reason, raw)| Some((reason.to_owned(), count(raw)?)))
            .collect(),
        last_failure_at: time("lastFailureAt"),
        cooldown_until: time("cooldownUntil"),
        cooldown_reason: text("cooldownReason"),
        cooldown_model: text("cooldownModel"),
        disabled_until: time("disabledUntil"),
        disabled_reason: text("disabledReason"),
    }
}

fn count(raw: Raw<'_>) -> Option<u64> {
    raw_json::millis(raw).and_then(|number| u64::try_from(number.0).ok())
}

/// Adds an entry: as it came, or with its known members as they are now, each in its old place.
pub(super) fn write(map: &mut Writer, key: &str, usage: &Usage) {
    if !usage.changed {
        map.raw(key, usage.text.as_str());
        return;
    }
    let before = Members::read(usage.text.as_str()).unwrap_or_default();
    map.member(key, |entry| {
        for (name, value) in before.iter() {
            match KNOWN.contains(&name) {
                true => member(entry, name, usage),
                false => entry.raw(name, value.get()),
            }
        }
        for name in KNOWN {
            if before.get(name).is_none() {
                member(entry, name, usage);
            }
        }
    });
}

/// Adds one known member, if there is anything to say.
fn member(entry: &mut Writer, name: &str, usage: &Usage) {
    let (time, text) = match name {
        "errorCount" => return entry.raw(name, &usage.error_count.to_string()),
        "failureCounts" => return counts(entry, name, usage),
        "lastUsed" => (usage.last_used, None),
        "lastFailureAt" => (usage.last_failure_at, None),
        "cooldownUntil" => (usage.cooldown_until, None),
        "disabledUntil" => (usage.disabled_until, None),
        "cooldownReason" => (None, usage.cooldown_reason.as_deref()),
        "cooldownModel" => (None, usage.cooldown_model.as_deref()),
        "disabledReason" => (None, usage.disabled_reason.as_deref()),
        _ => (None, None),
    };
    if let Some(time) = time {
        entry.raw(name, &time.0.to_string());
    }
    if let Some(text) = text {
        entry.text(name, text);
    }
}

fn counts(entry: &mut Writer, name: &str, usage: &Usage) {
    if !usage.failure_counts.is_empty() {
        entry.member(name, |counts| {
            for (reason, count) in &usage.failure_counts {
                counts.raw(reason, &count.to_string());
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;

    fn parsed(text: &str) -> Usage {
        read(serde_json::from_str(text).unwrap())
    }

    fn written(usage: &Usage) -> String {
        let text = Writer::object(|map| write(map, "x", usage));
        let text = text.into_verbatim().as_str().to_owned();
        let tree: serde_json::Value = serde_json::from_str(&text).unwrap();
        serde_json::to_string(&tree["x"]).unwrap()
    }

    #[test]
    fn what_is_not_changed_leaves_as_it_came_and_what_is_not_known_stays_in_its_place() {
        let text = r#"{"blockedUntil":9,"cooldownUntil":5.75,"mine":[1.50],"errorCount":"x","failureCounts":{"overloaded":2,"odd":null},"lastUsed":3}"#;
        let mut usage = parsed(text);
        assert_eq!(written(&usage).replace("1.5]", "1.50]"), text);
        assert_eq!(usage.failure_counts, [("overloaded".to_owned(), 2)]);
        usage.changed = true;
        usage.cooldown_until = None;
        usage.error_count = 4;
        usage.disabled_until = Some(Timestamp(7));
        usage.disabled_reason = Some("billing".into());
        assert_eq!(
            written(&usage),
            r#"{"blockedUntil":9,"mine":[1.5],"errorCount":4,"failureCounts":{"overloaded":2},"lastUsed":3,"disabledUntil":7,"disabledReason":"billing"}"#
        );
    }

    #[test]
    fn an_entry_that_is_no_object_is_replaced_only_when_something_was_learnt() {
        for text in ["null", "7", "[]"] {
            let mut usage = parsed(text);
            assert_eq!(written(&usage), text);
            usage.changed = true;
            usage.last_used = Some(Timestamp(1));
            assert_eq!(written(&usage), r#"{"lastUsed":1,"errorCount":0}"#);
        }
    }
}
