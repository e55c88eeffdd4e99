//! JSON objects as text, taken apart without copying.
//!
//! A member that nobody asks for is never parsed, only skipped: a number too large for any Rust
//! type, a lone surrogate or a hundred thousand brackets inside it concern nobody and survive.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::model::json::{Extra, Verbatim};
use crate::model::pairs;
use crate::model::text::split_mark;
use crate::model::time::Timestamp;

/// Up to this many members a duplicate is looked for without an index.
const SMALL: usize = 16;

/// The members of an object in their order, each value as its text.
///
/// Of members with the same name the last value counts, in the place of the first, as in
/// JavaScript.
#[derive(Default)]
pub(super) struct Members<'a>(Vec<(Cow<'a, str>, Raw<'a>)>);

/// The text of one value.
#[derive(Clone, Copy)]
pub(super) struct Raw<'a> {
    text: &'a str,
    is_graphic: bool,
}

/// Where a member of an object lies in a text.
pub(super) struct Place {
    /// The name, in its quotes.
    pub(super) name: Range<usize>,
    /// The value.
    pub(super) value: Range<usize>,
    /// Whether it is a string that [is graphic](crate::model::text::is_graphic) and has no escape.
    pub(super) is_graphic: bool,
}

impl<'a> Raw<'a> {
    /// The text.
    pub(super) fn get(self) -> &'a str {
        self.text
    }

    /// Whether it is known to be a string of graphic characters, none of which is escaped.
    pub(super) fn is_graphic(self) -> bool {
        self.is_graphic
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Raw<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(|raw| Self {
            text: raw.get(),
            is_graphic: false,
        })
    }
}

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// Collects the members of an object, and apart from them those of the object that a certain one is.
struct Collect<'n>(Option<&'n str>);

impl<'de> Visitor<'de> for Collect<'_> {
    type Value = (Members<'de>, Option<Members<'de>>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let (mut members, mut inner) = (Members::default(), None);
        let mut index: HashMap<Cow<'de, str>, usize> = HashMap::new();
        while let Some(Name(name)) = map.next_key()? {
            match self.0 == Some(name.as_ref()) {
                true => inner = Some(map.next_value()?),
                false => members.set(name, map.next_value()?, &mut index),
            }
        }
        Ok((members, inner))
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let collected = deserializer.deserialize_map(Collect(None));
        collected.map(|(members, _)| members)
    }
}

/// Takes apart an object and the object that its member `name` is, in one pass, because that member
/// is nearly all of a document. `None` if either is no object, or there is no such member.
pub(super) fn read_nested<'a>(text: &'a str, name: &str) -> Option<(Members<'a>, Members<'a>)> {
    let mut json = serde_json::Deserializer::from_str(split_mark(text).1);
    let read = serde::Deserializer::deserialize_map(&mut json, Collect(Some(name)));
    let (members, inner) = read.ok()?;
    json.end().ok()?;
    Some((members, inner?))
}

impl<'a> Members<'a> {
    /// Takes the object that is the whole of `text`, a byte order mark before it aside.
    ///
    /// # Errors
    /// If it is none: where, and nothing of its content.
    pub(super) fn read(text: &'a str) -> Result<Self, String> {
        let (_, text) = split_mark(text);
        // The parser's own words can quote a string of the document, so they are not passed on.
        serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            match error.classify() {
                serde_json::error::Category::Data => "it is not a JSON object".to_owned(),
                serde_json::error::Category::Eof => {
                    format!("unexpected end of JSON at line {line}, column {column}")
                }
                _ => format!("not valid JSON at line {line}, column {column}"),
            }
        })
    }

    /// Takes members that somebody has found already in `text`. `None` if a name is no Unicode text.
    pub(super) fn found(text: &'a str, places: &[Place]) -> Option<Self> {
        let mut members = Self(Vec::with_capacity(places.len()));
        let mut index = HashMap::new();
        for place in places {
            let name = unquoted(&text[place.name.clone()])?;
            let value = Raw {
                text: &text[place.value.clone()],
                is_graphic: place.is_graphic,
            };
            members.set(name, value, &mut index);
        }
        Some(members)
    }

    fn set(
        &mut self,
        name: Cow<'a, str>,
        value: Raw<'a>,
        index: &mut HashMap<Cow<'a, str>, usize>,
    ) {
        let place = if self.0.len() < SMALL {
            self.0.iter().position(|(other, _)| *other == name)
        } else {
            if index.is_empty() {
                let all = self.0.iter().enumerate();
                index.extend(all.map(|(place, (name, _))| (name.clone(), place)));
            }
            index.get(&name).copied()
        };
        match place {
            Some(place) => self.0[place].1 = value,
            None => {
                if !index.is_empty() {
                    index.insert(name.clone(), self.0.len());
                }
                self.0.push((name, value));
            }
        }
    }

    /// The members that were not taken.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Raw<'a>)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), *value))
    }

    /// The value of a member, which stays.
    pub(super) fn get(&self, name: &str) -> Option<Raw<'a>> {
        pairs::get(&self.0, |other| other == name).copied()
    }

    /// The value of a member, which is gone afterwards.
    pub(super) fn take(&mut self, name: &str) -> Option<Raw<'a>> {
        let place = self.0.iter().position(|(other, _)| other == name)?;
        Some(self.0.remove(place).1)
    }

    /// Takes `old`, puts it back as `new` unless there is a `new` already.
    pub(super) fn rename(&mut self, old: &str, new: &'static str) {
        if self.get(new).is_none()
            && let Some(place) = self.0.iter().position(|(name, _)| name == old)
        {
            self.0[place].0 = Cow::Borrowed(new);
        }
    }

    /// What is left, as text.
    pub(super) fn into_extra(self) -> Extra {
        // Of most entries nothing is left, and what was allocated for their members is not held.
        if self.0.is_empty() {
            return Extra::default();
        }
        let kept = |value: Raw<'_>| Verbatim::new(value.get());
        let members = self.0.into_iter();
        Extra(
            members
                .map(|(name, value)| (name.into_owned(), kept(value)))
                .collect(),
        )
    }
}

/// One member of an object, without keeping the others.
pub(super) fn member<'a>(object: &'a str, wanted: &str) -> Option<Raw<'a>> {
    struct Find<'w>(&'w str);
    impl<'de> Visitor<'de> for Find<'_> {
        type Value = Option<Raw<'de>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = None;
            while let Some(Name(name)) = map.next_key()? {
                if name == self.0 {
                    found = Some(map.next_value()?);
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(found)
        }
    }
    let mut json = serde_json::Deserializer::from_str(object);
    serde::Deserializer::deserialize_map(&mut json, Find(wanted)).ok()?
}

/// The string that a value is.
pub(super) fn text(value: Raw<'_>) -> Option<String> {
    string(value).map(Cow::into_owned)
}

/// The same, borrowed where it has no escape.
pub(super) fn string(value: Raw<'_>) -> Option<Cow<'_, str>> {
    match within_quotes(value.text) {
        Some(inner) if value.is_graphic => Some(Cow::Borrowed(inner)),
        _ => unquoted(value.text),
    }
}

fn within_quotes(json: &str) -> Option<&str> {
    match json.as_bytes() {
        [b'"', .., b'"'] => json.get(1..json.len() - 1),
        _ => None,
    }
}

/// The string that a JSON text is; most secrets are one without an escape, and long.
fn unquoted(json: &str) -> Option<Cow<'_, str>> {
    match within_quotes(json) {
        Some(inner) if memchr::memchr(b'\\', inner.as_bytes()).is_none() => {
            Some(Cow::Borrowed(inner))
        }
        _ => serde_json::from_str(json).ok().map(Cow::Owned),
    }
}

/// A value of any type; `None` if this is another.
pub(super) fn read<'a, T: Deserialize<'a>>(value: Raw<'a>) -> Option<T> {
    serde_json::from_str(value.get()).ok()
}

/// The finite number that a value is, cut to whole milliseconds.
pub(super) fn millis(value: Raw<'_>) -> Option<Timestamp> {
    let number: f64 = serde_json::from_str(value.get()).ok()?;
    // `as` saturates, and no calendar reaches the ends of an i64.
    number.is_finite().then_some(Timestamp(number as i64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_two_members_counts_in_the_place_of_the_first() {
        for filler in [0, SMALL * 2] {
            let filler: String = (0..filler).map(|n| format!(r#","x{n}":0"#)).collect();
            let text = format!(r#"{{"a":1,"b":2{filler},"\u0061":3,"b":4,"c":5}}"#);
            let members = Members::read(&text).unwrap();
            let found: Vec<_> = members
                .iter()
                .filter(|(name, _)| !name.starts_with('x'))
                .map(|(name, value)| (name, value.get()))
                .collect();
            assert_eq!(found, [("a", "3"), ("b", "4"), ("c", "5")]);
        }
    }

    #[test]
    fn an_object_within_is_read_as_by_itself() {
        let text = "\u{feff}{\"a\":1,\"in\":{\"x\":0},\"b\":2,\"in\":{\"y\":{},\"z\":[1]},\"a\":3}";
        let (others, inner) = read_nested(text, "in").unwrap();
        let found = |members: &Members<'_>| {
            let all = members
                .iter()
                .map(|(name, value)| format!("{name}={}", value.get()));
            all.collect::<Vec<_>>().join(" ")
        };
        assert_eq!(found(&others), "a=3 b=2");
        assert_eq!(found(&inner), "y={} z=[1]");
        for other in ["{}", r#"{"in":1}"#, r#"{"in":{}} x"#, r#"{"in":{}"#, "[]"] {
            assert!(read_nested(other, "in").is_none(), "{other}");
        }
    }

    #[test]
    fn one_member_is_found_as_among_all() {
        let text = r#"{"provider":"a","x":{"provider":"b"},"provider":"c"}"#;
        assert_eq!(member(text, "provider").unwrap().get(), r#""c""#);
        assert!(member(text, "y").is_none());
    }

    #[test]
    fn faults_say_where_and_nothing_else() {
        let fault = |text| Members::read(text).err().unwrap();
        assert_eq!(fault(r#""MARKER""#), "it is not a JSON object");
        assert_eq!(fault("[]"), "it is not a JSON object");
        assert_eq!(
            fault("{\n\"a\": MARKER}"),
            "not valid JSON at line 2, column 6"
        );
        assert_eq!(
            fault("{\"a\": {"),
            "unexpected end of JSON at line 1, column 7"
        );
    }
}
