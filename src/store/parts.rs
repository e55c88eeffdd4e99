//! A document in parts, for a backend that keeps each credential in a place of its own.
//!
//! Put together again it is the document that it was: what was not changed has the same text, so who
//! compares the parts of before and after knows what has to be written.

use crate::model::profiles::AuthProfiles;
use crate::model::secret::Secret;
use crate::ports::store::Scope;

use super::document;
use super::json_writer::Writer;
use super::raw_json::{self, Members};
use super::render::{Layout, render};

const PROFILES: &str = "profiles";

/// The parts of a document, each JSON text.
pub struct Parts {
    /// The credentials in their order, by their keys.
    pub entries: Vec<(String, Secret<String>)>,
    /// The members of the document that are no credentials.
    pub rest: Secret<String>,
    /// Orders, last good profiles and usage; `None` if there are none.
    pub state: Option<Secret<String>>,
}

/// Takes a document apart.
///
/// # Panics
/// Never: what was just written can be read.
pub fn split(document: &AuthProfiles) -> Parts {
    let rendered = render(document, Layout::Split);
    let text = into_text(&rendered.credentials);
    let both = raw_json::read_nested(text.expose(), PROFILES);
    let (top, profiles) = both.unwrap_or_else(|| {
        // A member `profiles` that is no object is kept as it is.
        let top = Members::read(text.expose()).expect("an object was written");
        (top, Members::default())
    });
    let rest = Writer::object(|rest| {
        for (name, value) in top.iter() {
            rest.raw(name, value.get());
        }
    });
    let entries = profiles.iter();
    Parts {
        entries: entries
            .map(|(key, value)| (key.to_owned(), Secret::new(value.get().to_owned())))
            .collect(),
        rest: into_text(&rest.into_file()),
        state: rendered.state.as_ref().map(into_text),
    }
}

/// Puts a document together, as far as `scope` asks for it.
///
/// # Errors
/// If the rest is no JSON object: where it stops being one, and nothing of its content. A state that is
/// none is one of the document's faults.
pub fn join(parts: &Parts, scope: Scope<'_>) -> Result<AuthProfiles, String> {
    let top = Members::read(parts.rest.expose())?;
    let text = Writer::object(|file| {
        for (name, value) in top.iter() {
            file.raw(name, value.get());
        }
        if top.get(PROFILES).is_none() {
            file.member(PROFILES, |profiles| {
                for (key, value) in &parts.entries {
                    profiles.raw(key, value.expose());
                }
            });
        }
    });
    let mut document = document::parse(into_text(&text.into_file()).expose(), scope)?;
    if let Some(state) = &parts.state
        && let Err(fault) = document::merge_state(&mut document, state.expose())
    {
        let sentence = format!("orders and usage cannot be read, and do not count: {fault}");
        document.faults.push(sentence);
    }
    Ok(document)
}

/// Whether a text is what [`Parts::state`] may hold.
pub fn is_state(text: &str) -> bool {
    Members::read(text).is_ok()
}

fn into_text(bytes: &Secret<Vec<u8>>) -> Secret<String> {
    let text = std::str::from_utf8(bytes.expose()).expect("only whole strings are ever written");
    Secret::from(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> AuthProfiles {
        document::parse(text, Scope::All).unwrap()
    }

    #[test]
    fn put_together_it_is_the_document_that_it_was() {
        for text in [
            "{}",
            r#"{"version":2,"profiles":[1],"later":{"a":1e99}}"#,
            r#"{"profiles":{"a:b":{"type":"api_key","provider":"a","key":"k","x":[1, 2]},"bad":7},
               "order":{"a":["a:b"],"odd":3},"lastGood":{"a":"a:b"},
               "usageStats":{"a:b":{"lastUsed":5,"new":true}},"more":null}"#,
        ] {
            let document = parse(text);
            let parts = split(&document);
            let joined = join(&parts, Scope::All).unwrap();
            let written = |document: &AuthProfiles| {
                let bytes = render(document, Layout::Single).credentials;
                let text = String::from_utf8(bytes.expose().clone()).unwrap();
                serde_json::from_str::<serde_json::Value>(&text).unwrap()
            };
            assert_eq!(written(&joined), written(&document), "{text}");
            let again = split(&joined);
            assert_eq!(again.entries, parts.entries, "nothing is to be written");
            assert_eq!(again.rest, parts.rest);
            assert_eq!(again.state, parts.state);
        }
    }

    #[test]
    fn only_what_is_asked_for_is_read() {
        let entry = |key: &str| {
            (
                key.to_owned(),
                Secret::from(r#"{"type":"api_key","provider":"a","key":"k"}"#),
            )
        };
        let parts = Parts {
            entries: vec![entry("a:b"), entry("a:c")],
            rest: Secret::from("{}"),
            state: None,
        };
        let id = crate::model::id::ProfileId::parse("a:c").unwrap();
        assert_eq!(
            join(&parts, Scope::Profile(&id))
                .unwrap()
                .profiles()
                .count(),
            1
        );
        let broken = Parts {
            rest: Secret::from("MARKER"),
            ..parts
        };
        assert!(!join(&broken, Scope::All).unwrap_err().contains("MARKER"));
    }
    #[test]
    fn a_state_that_is_none_stops_no_credential_and_is_named() {
        let parts = Parts {
            entries: vec![(
                "a:b".to_owned(),
                Secret::from(r#"{"type":"api_key","provider":"a","key":"k"}"#),
            )],
            rest: Secret::from("{}"),
            state: Some(Secret::from("MARKER")),
        };
        let document = join(&parts, Scope::All).unwrap();
        assert_eq!(document.profiles().count(), 1);
        assert_eq!(document.faults.len(), 1);
        assert!(!document.faults[0].contains("MARKER"));
        assert!(!is_state("MARKER") && is_state("{}"));
    }
}
