//! Two documents, member by member.

use std::fmt;

use serde_json::Value;

/// In what a place differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// Only ours has it.
    Added,
    /// Only theirs has it.
    Left,
    /// Both have it, and it is not the same.
    Other,
    /// What both have is in another order.
    Order,
}

/// One place where two answers differ.
#[derive(Clone, Debug)]
pub(super) struct Difference {
    /// The names on the way to it, each behind a slash; an element of a list by what it is called
    /// where it is called anything.
    pub(super) path: String,
    pub(super) how: How,
    values: (Value, Value),
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (ours, theirs) = &self.values;
        write!(
            f,
            "{} {:?}: ours {ours}, theirs {theirs}",
            self.path, self.how
        )
    }
}

/// What an element of a list is called by.
const NAMES: [&str; 4] = ["profileId", "id", "provider", "key"];

/// Times run on while a command works, in milliseconds.
const SLACK: i64 = 60_000;

/// Every place where two answers differ.
pub(super) fn differences(ours: &Value, theirs: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", ours, theirs, &mut found);
    found
}

type Members<'a> = Vec<(String, &'a Value)>;

fn compare(path: &str, ours: &Value, theirs: &Value, found: &mut Vec<Difference>) {
    if let (Some(ours), Some(theirs)) = (members(ours), members(theirs)) {
        return within(path, &ours, &theirs, found);
    }
    let is_soon = path.ends_with("/remainingMs");
    let is_same = match (ours.as_i64(), theirs.as_i64()) {
        (Some(ours), Some(theirs)) if is_soon => (ours - theirs).abs() < SLACK,
        _ => ours == theirs,
    };
    if !is_same {
        found.push(Difference {
            path: path.to_owned(),
            how: How::Other,
            values: (ours.clone(), theirs.clone()),
        });
    }
}

fn within(path: &str, ours: &Members<'_>, theirs: &Members<'_>, found: &mut Vec<Difference>) {
    let of = |members: &Members<'_>, name: &str| {
        let member = members.iter().find(|(other, _)| other == name);
        member.map(|(_, value)| (*value).clone())
    };
    let mut tell = |path: String, how, ours: Option<Value>, theirs: Option<Value>| {
        let values = (ours.unwrap_or_default(), theirs.unwrap_or_default());
        found.push(Difference { path, how, values });
    };
    let mut both = Vec::new();
    for (name, value) in ours {
        match of(theirs, name) {
            Some(other) => both.push((name, *value, other)),
            None => tell(
                format!("{path}/{name}"),
                How::Added,
                Some((*value).clone()),
                None,
            ),
        }
    }
    for (name, value) in theirs {
        if of(ours, name).is_none() {
            tell(
                format!("{path}/{name}"),
                How::Left,
                None,
                Some((*value).clone()),
            );
        }
    }
    let shared = both.iter().map(|(name, ..)| *name);
    let in_their_order = theirs.iter().map(|(name, _)| name);
    let in_their_order = in_their_order.filter(|name| of(ours, name).is_some());
    if !shared.eq(in_their_order) {
        tell(path.to_owned(), How::Order, None, None);
    }
    for (name, ours, theirs) in both {
        compare(&format!("{path}/{name}"), ours, &theirs, found);
    }
}

/// What is inside, each by its name: of an object its members, of a list its elements.
fn members(value: &Value) -> Option<Members<'_>> {
    match value {
        Value::Object(object) => Some(
            object
                .iter()
                .map(|(name, value)| (name.replace('/', "~"), value))
                .collect(),
        ),
        Value::Array(items) => {
            let named = |item: &Value| {
                NAMES
                    .iter()
                    .find_map(|name| item.get(name)?.as_str().map(str::to_owned))
            };
            let items = items.iter().enumerate();
            Some(
                items
                    .map(|(number, item)| {
                        let name = named(item).unwrap_or_else(|| number.to_string());
                        (name.replace('/', "~"), item)
                    })
                    .collect(),
            )
        }
        _ => None,
    }
}
