//! The wire format of the store: `auth-profiles.json`, and `auth-state.json` where later releases
//! split it off. Text in, text out; no I/O.
//!
//! What is not changed leaves as it came: an untouched entry is written with the bytes it was read
//! from, and what we cannot read is carried along. OpenClaw drops at the next write whatever it did
//! not understand, which made every downgrade a loss.

use std::collections::HashSet;
use std::sync::Arc;

use crate::model::json::{Extra, Verbatim};
use crate::model::profiles::{AuthProfiles, Content, Entry};
use crate::model::usage::Usage;
use crate::ports::store::Scope;

use super::entry;
use super::json_writer::Writer;
use super::keep::Keep;
use super::raw_json::{self, Members, Raw};
use super::usage;

pub(super) const ORDER: &str = "order";
pub(super) const LAST_GOOD: &str = "lastGood";
pub(super) const USAGE: &str = "usageStats";

/// The members that are written by their own rules, from wherever they are kept.
pub(super) const RULED: [&str; 5] = ["version", "profiles", ORDER, LAST_GOOD, USAGE];

/// Reads `auth-profiles.json`. Only a document read with [`Scope::All`] may be written again.
///
/// # Errors
/// If it is no JSON object: where it stops being one, and nothing of its content.
pub fn parse(text: &str, scope: Scope<'_>) -> Result<AuthProfiles, String> {
    parse_keeping(text, scope, &mut Keep::all())
}

/// The same, with what is held of its secrets.
///
/// # Errors
/// As [`parse`].
pub fn parse_keeping(
    text: &str,
    scope: Scope<'_>,
    secrets: &mut Keep,
) -> Result<AuthProfiles, String> {
    let mut kept = Extra::default();
    let mut faults = Vec::new();
    let (mut top, profiles) = match raw_json::read_nested(text, "profiles") {
        Some(both) => both,
        None => {
            let mut top = Members::read(text)?;
            let profiles = match top.take("profiles") {
                None => Members::default(),
                // An object whose names are no text: taken for none, the next write would lose it.
                Some(raw) if raw.get().starts_with('{') => Members::read(raw.get())
                    .map_err(|_| "`profiles` has a name that is not Unicode text".to_owned())?,
                Some(raw) => {
                    faults.push(not_an_object("profiles"));
                    keep(&mut kept, "profiles", raw);
                    Members::default()
                }
            };
            (top, profiles)
        }
    };
    let entries = entries(&profiles, scope, secrets);
    let mut document = AuthProfiles::from_entries(entries);
    let state = State::take(&mut top, kept, &mut faults);
    document.order = state.order;
    document.last_good = state.last_good;
    document.usage = state.usage;
    document.extra = state.kept;
    document.extra.0.extend(top.into_extra().0);
    document.faults = faults;
    Ok(document)
}

/// Lays `auth-state.json` over a document that [`parse`] gave: key by key its values win.
///
/// # Errors
/// If it is no JSON object: where it stops being one, and nothing of its content. The document is
/// as it was then.
pub fn merge_state(document: &mut AuthProfiles, text: &str) -> Result<(), String> {
    let mut top = Members::read(text)?;
    let state = State::take(&mut top, Extra::default(), &mut document.faults);
    overlay(&mut document.order, state.order);
    overlay(&mut document.last_good, state.last_good);
    overlay(&mut document.usage, state.usage);
    document.state_extra = state.kept;
    document.state_extra.0.extend(top.into_extra().0);
    Ok(())
}

fn not_an_object(name: &str) -> String {
    format!("`{name}` is not an object and is ignored.")
}

fn keep(extra: &mut Extra, name: &str, raw: Raw<'_>) {
    extra.0.push((name.to_owned(), Verbatim::new(raw.get())));
}

/// Whether `scope` asks for an entry, whose `provider` is looked for only where that counts.
pub(super) fn is_wanted(
    scope: Scope<'_>,
    key: &str,
    provider: impl FnOnce() -> Option<String>,
) -> bool {
    match scope {
        Scope::All => true,
        Scope::Profile(id) => key.trim() == id.as_str(),
        Scope::Provider(wanted) => provider().is_some_and(|text| wanted.is_named(&text)),
    }
}

/// What an entry counts as whose key is that of another with white space around it.
pub(super) fn shadowed(key: &str, is_there: impl FnOnce(&str) -> bool) -> Option<Content> {
    let is_shadowed = key != key.trim() && is_there(key.trim());
    is_shadowed.then(|| Content::Invalid {
        fault: "its key differs from another entry only in white space".to_owned(),
    })
}

fn entries(profiles: &Members<'_>, scope: Scope<'_>, secrets: &mut Keep) -> Vec<Entry> {
    let wanted = |key: &str, value: Raw<'_>| {
        let provider = || raw_json::member(value.get(), "provider").and_then(raw_json::text);
        is_wanted(scope, key, provider)
    };
    let entry = |(key, value): (&str, Raw<'_>)| {
        let shadowed = shadowed(key, |key| profiles.get(key).is_some());
        let key = Arc::from(key);
        Entry {
            content: shadowed.unwrap_or_else(|| entry::read(&key, value.get(), secrets)),
            key,
            text: Some(Verbatim::new(value.get())),
            before: None,
        }
    };
    let all = profiles.iter();
    all.filter(|(key, value)| wanted(key, *value))
        .map(entry)
        .collect()
}

/// What either file says besides the credentials.
struct State {
    order: Vec<(String, Vec<String>)>,
    last_good: Vec<(String, String)>,
    usage: Vec<(String, Usage)>,
    /// The parts of these three that could not be read, and a version that is not 1.
    kept: Extra,
}

impl State {
    fn take(top: &mut Members<'_>, mut kept: Extra, faults: &mut Vec<String>) -> Self {
        // A later release's number must survive us; anything but a number means 1 to OpenClaw.
        let version = top.take("version");
        if let Some(raw) = version
            && serde_json::from_str::<f64>(raw.get()).is_ok_and(|number| number != 1.0)
        {
            keep(&mut kept, "version", raw);
        }
        let order = take_map(top, ORDER, read_order, &mut kept, faults);
        let last_good = take_map(top, LAST_GOOD, raw_json::text, &mut kept, faults);
        let usage = take_map(top, USAGE, |raw| Some(usage::read(raw)), &mut kept, faults);
        Self {
            order,
            last_good,
            usage,
            kept,
        }
    }
}

/// Takes a map. Members that cannot be read, or all of it if it is none, go to `kept`.
fn take_map<T>(
    top: &mut Members<'_>,
    name: &str,
    read: impl Fn(Raw<'_>) -> Option<T>,
    kept: &mut Extra,
    faults: &mut Vec<String>,
) -> Vec<(String, T)> {
    let Some(raw) = top.take(name) else {
        return Vec::new();
    };
    let Ok(members) = Members::read(raw.get()) else {
        faults.push(not_an_object(name));
        keep(kept, name, raw);
        return Vec::new();
    };
    let mut known = Vec::new();
    let mut unread = Vec::new();
    for (key, value) in members.iter() {
        match read(value) {
            Some(value) => known.push((key.to_owned(), value)),
            None => unread.push((key, value)),
        }
    }
    if !unread.is_empty() {
        let rest = Writer::object(|map| {
            for (key, value) in unread {
                map.raw(key, value.get());
            }
        });
        kept.0.push((name.to_owned(), rest.into_verbatim()));
    }
    known
}

/// One list of `order`, as OpenClaw reads it; `None` if nothing is left of it.
fn read_order(raw: Raw<'_>) -> Option<Vec<String>> {
    let items: Vec<Raw<'_>> = serde_json::from_str(raw.get()).ok()?;
    let ids = items.into_iter().filter_map(raw_json::text);
    let ids: Vec<String> = ids
        .map(|id| id.trim().to_owned())
        .filter(|id| !id.is_empty())
        .collect();
    (!ids.is_empty()).then_some(ids)
}

/// What lies above comes first, so that it is also found first where two keys are spellings of one
/// provider.
fn overlay<T>(below: &mut Vec<(String, T)>, above: Vec<(String, T)>) {
    let keys: HashSet<&str> = above.iter().map(|(key, _)| key.as_str()).collect();
    below.retain(|(key, _)| !keys.contains(key.as_str()));
    below.splice(0..0, above);
}
