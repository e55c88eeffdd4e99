//! YAML as a tree in which everything knows its line.
//!
//! What a configuration needs of the language and no more: mappings, lists, scalars. Anchors,
//! aliases and tags are refused, so a small file cannot become a large tree, and a name stands once
//! in its mapping.

use std::path::Path;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

use crate::model::declared::{Finding, SourceLocation};
use crate::model::id::printable;
use crate::model::pairs;
use crate::model::secret::Secret;

use super::finding::error;

/// Nobody nests deeper.
const DEEPEST: usize = 32;

/// A value. No `Debug`, for a scalar may be a secret that its author wrote down.
pub(super) struct Node {
    pub(super) place: SourceLocation,
    pub(super) data: Data,
}

pub(super) enum Data {
    /// A scalar as it is written, and whether that is without quotes.
    Scalar {
        text: Secret<String>,
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<(Name, Node)>),
}

/// A name of a mapping.
pub(super) struct Name {
    pub(super) text: String,
    pub(super) place: SourceLocation,
}

impl Node {
    /// The members of a mapping; an empty value has none.
    pub(super) fn members(&self) -> Option<&[(Name, Node)]> {
        match &self.data {
            Data::Map(members) => Some(members),
            Data::Scalar { text, plain: true } if matches!(text.expose().as_str(), "" | "~") => {
                Some(&[])
            }
            _ => None,
        }
    }

    /// The member of that name.
    pub(super) fn get(&self, name: &str) -> Option<&Node> {
        pairs::get(self.members()?, |known| known.text == name)
    }

    /// The text of a scalar that is not empty.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.data {
            Data::Scalar { text, .. } if !text.is_blank() => Some(text.expose().as_str()),
            _ => None,
        }
    }

    /// A truth value, as YAML 1.2 writes it.
    pub(super) fn truth(&self) -> Option<bool> {
        match &self.data {
            Data::Scalar { text, plain: true } => match text.expose().as_str() {
                "true" | "True" | "TRUE" => Some(true),
                "false" | "False" | "FALSE" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }
}

/// A collection that is being read.
struct Open {
    place: SourceLocation,
    members: Members,
}

enum Members {
    List(Vec<Node>),
    Map(Vec<(Name, Node)>, Option<Name>),
}

/// Reads one document; `None` if there is nothing in it. `file` is named in what is wrong.
pub(super) fn parse(text: &str, file: &Path) -> Result<Option<Node>, Finding> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let at = |marker: &Marker| SourceLocation {
        file: file.to_owned(),
        line: marker.line(),
        column: marker.col() + 1,
    };
    let mut open: Vec<Open> = Vec::new();
    let mut root = None;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| wrong(&at(error.marker()), error.info()))?;
        let place = at(&span.start);
        let done = match event {
            Event::DocumentStart(_) if root.is_some() => {
                return Err(wrong(&place, "a second document starts here"));
            }
            Event::Alias(_) => return Err(wrong(&place, "aliases are not supported")),
            Event::Scalar(_, _, 1.., _)
            | Event::SequenceStart(1.., _)
            | Event::MappingStart(1.., _) => {
                return Err(wrong(&place, "anchors are not supported"));
            }
            Event::Scalar(.., Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => {
                return Err(wrong(&place, "tags are not supported"));
            }
            Event::Scalar(text, style, ..) => Node {
                place,
                data: Data::Scalar {
                    text: Secret::from(&*text),
                    plain: style == ScalarStyle::Plain,
                },
            },
            Event::SequenceStart(..) => {
                begin(&mut open, place, Members::List(Vec::new()))?;
                continue;
            }
            Event::MappingStart(..) => {
                begin(&mut open, place, Members::Map(Vec::new(), None))?;
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(done) => close(done),
                None => continue,
            },
            _ => continue,
        };
        match open.last_mut() {
            Some(outer) => add(&mut outer.members, done)?,
            None => root = Some(done),
        }
    }
    Ok(root)
}

fn begin(open: &mut Vec<Open>, place: SourceLocation, members: Members) -> Result<(), Finding> {
    if open.len() == DEEPEST {
        return Err(wrong(&place, "this is nested too deeply"));
    }
    open.push(Open { place, members });
    Ok(())
}

fn close(open: Open) -> Node {
    let data = match open.members {
        Members::List(items) => Data::List(items),
        Members::Map(members, _) => Data::Map(members),
    };
    Node {
        place: open.place,
        data,
    }
}

/// Adds a value to the collection around it; in a mapping a name comes first.
fn add(members: &mut Members, node: Node) -> Result<(), Finding> {
    let (members, pending) = match members {
        Members::List(items) => {
            items.push(node);
            return Ok(());
        }
        Members::Map(members, pending) => (members, pending),
    };
    if let Some(name) = pending.take() {
        members.push((name, node));
        return Ok(());
    }
    let Some(text) = node.text().map(str::to_owned) else {
        return Err(wrong(&node.place, "this cannot be a key"));
    };
    if members.iter().any(|(known, _)| known.text == text) {
        let message = format!("duplicate key {}", printable(&text, 80));
        return Err(wrong(&node.place, &message));
    }
    let place = node.place;
    *pending = Some(Name { text, place });
    Ok(())
}

fn wrong(place: &SourceLocation, message: &str) -> Finding {
    error(place, &printable(message, 200))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> String {
        match parse(text, Path::new("c.yaml")) {
            Err(finding) => finding.to_string(),
            Ok(_) => "fine".to_owned(),
        }
    }

    #[test]
    fn a_value_knows_its_place() {
        let text = "\u{feff}# first\na:\n  b: \"x: y\" # why\n  c: [1, 'two']\nempty:\nyes: true\n";
        let root = parse(text, Path::new("c.yaml")).ok().flatten().unwrap();
        let b = root.get("a").unwrap().get("b").unwrap();
        assert_eq!(
            (b.text(), b.place.line, b.place.column),
            (Some("x: y"), 3, 6)
        );
        assert_eq!(
            root.get("empty").unwrap().members().map(<[_]>::len),
            Some(0)
        );
        assert_eq!(root.get("yes").unwrap().truth(), Some(true));
        let Data::List(items) = &root.get("a").unwrap().get("c").unwrap().data else {
            panic!("no list");
        };
        let items: Vec<_> = items
            .iter()
            .map(|item| (item.text(), item.place.column))
            .collect();
        assert_eq!(items, [(Some("1"), 7), (Some("two"), 10)]);
        assert!(parse("# nothing\n", Path::new("c.yaml")).is_ok_and(|root| root.is_none()));
    }

    #[test]
    fn what_could_surprise_is_refused_with_its_place() {
        assert_eq!(fault("a: 1\nb: 2\na: 3\n"), "c.yaml:3:1: duplicate key a");
        assert_eq!(
            fault("a: &x 1\nb: *x\n"),
            "c.yaml:1:4: anchors are not supported"
        );
        assert_eq!(fault("a: !!str 1\n"), "c.yaml:1:4: tags are not supported");
        assert_eq!(
            fault("a: 1\n---\nb: 2\n"),
            "c.yaml:2:1: a second document starts here"
        );
        assert_eq!(fault("{[a]: 1}\n"), "c.yaml:1:2: this cannot be a key");
        assert!(
            fault("a:\n\t- b\n").starts_with("c.yaml:2:"),
            "{}",
            fault("a:\n\t- b\n")
        );
        assert!(fault("a: [1\n").starts_with("c.yaml:"));
        assert!(fault(&"[".repeat(100)).contains("nested too deeply"));
        assert!(fault(&"[".repeat(100_000)).starts_with("c.yaml:1:"));
        assert!(fault(&"- ".repeat(100_000)).contains("nested too deeply"));
    }
}
