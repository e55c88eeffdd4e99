//! Reports as text and as JSON. A view decides nothing.

pub mod access_keys;
pub mod authorize;
pub mod cooldown;
#[cfg(feature = "gateway")]
pub mod database;
mod device_code;
pub mod doctor;
pub(super) mod escape;
pub mod explain;
pub mod explain_json;
pub mod failure;
pub mod history;
pub mod in_use;
mod indent;
pub mod list;
pub mod models;
pub(super) mod notice;
pub mod order;
pub mod probe;
pub mod prometheus;
pub mod providers;
pub mod report;
pub mod secrets_audit;
mod status_accounts;
pub mod status_json;
pub mod status_prompt;
pub mod status_text;
pub mod tick;
pub mod token_json;
pub mod token_status;
pub(super) mod wrap;

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Map, Serializer, Value, json};

use indent::Indented;

use crate::model::credential::Kind;
use crate::model::inheritance::Inheritance;
use crate::model::text::is_unprintable;
use crate::model::time::{Timestamp, short_duration};

/// A terminal that a text is set for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Screen {
    /// Its columns.
    pub columns: usize,
    /// Its rows, or what is left of them.
    pub rows: usize,
    /// Whether it shows block elements.
    pub draws_blocks: bool,
}

/// A JSON document as OpenClaw prints it: two spaces of indent.
pub fn pretty(document: &impl Serialize) -> String {
    let mut text = Vec::new();
    // Strings, numbers and lists always have a text.
    let written = write_pretty(&mut text, document);
    written.map_or_else(
        |_| String::new(),
        |()| String::from_utf8(text).unwrap_or_default(),
    )
}

/// Writes the same.
fn write_pretty(to: &mut impl Write, document: &impl Serialize) -> io::Result<()> {
    let mut writer = Serializer::with_formatter(to, Indented::default());
    Ok(document.serialize(&mut writer)?)
}

/// A document without those members that are null, at any depth, as the reference release leaves out
/// what is not there.
pub(super) fn present(mut document: Value) -> Value {
    match &mut document {
        Value::Object(members) => {
            members.retain(|_, value| !value.is_null());
            members
                .values_mut()
                .for_each(|value| *value = present(value.take()));
        }
        Value::Array(values) => values
            .iter_mut()
            .for_each(|value| *value = present(value.take())),
        _ => {}
    }
    document
}

/// An object without those of its own members that are null, but for one that is always there.
pub(super) fn present_but(mut object: Value, always: &str) -> Value {
    if let Value::Object(members) = &mut object {
        members.retain(|name, value| name == always || !value.is_null());
    }
    object
}

/// An object of these members.
pub(super) fn members(pairs: &[(String, impl Serialize)]) -> Map<String, Value> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| (name.clone(), json!(value)))
        .collect()
}

/// A document with the version of its schema in front.
pub fn versioned(document: &impl Serialize) -> impl Serialize {
    #[derive(Serialize)]
    struct Versioned<'a, T> {
        schema: u32,
        #[serde(flatten)]
        document: &'a T,
    }
    Versioned {
        schema: 1,
        document,
    }
}

/// What an agent inherits, as the end of a sentence.
pub fn inherits(inheritance: &Inheritance) -> String {
    match inheritance {
        Inheritance::Inherit => "everything from main".to_owned(),
        Inheritance::Isolated => "nothing".to_owned(),
        Inheritance::Linked(links) => {
            let names: Vec<_> = links.iter().map(ToString::to_string).collect();
            format!("{} from main", names.join(", "))
        }
    }
}

/// How long ago something was that lies `remaining` milliseconds ahead, which is negative.
pub(super) fn ago(remaining: i64) -> String {
    match remaining.saturating_neg() {
        ..60_000 => "just now".to_owned(),
        passed => format!("{} ago", short_duration(passed)),
    }
}

/// What a profile holds, in words.
pub(super) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::OAuth => "OAuth",
        Kind::Token => "token",
        Kind::ApiKey => "API key",
    }
}

/// When a token expires: a clause with its verb.
pub fn end(time: Option<Timestamp>, now: Timestamp) -> String {
    match time.map(|time| now.until(time)) {
        None => "has no known expiry".to_owned(),
        Some(left) if left > 0 => format!("expires in {}", short_duration(left)),
        Some(left) => format!(
            "expired {} ago",
            short_duration(left.saturating_neg().max(1))
        ),
    }
}

/// Words from outside (a server's, a manifest's) must not steer the terminal.
pub(in crate::cli) fn clean(text: &str) -> String {
    text.chars()
        .filter(|c| *c == '\n' || !is_unprintable(*c))
        .collect()
}
