//! JSON that we carry without understanding it.
//!
//! The invariant of the whole store: what we do not mean to change leaves as it came. So a value
//! whose meaning we do not know is kept as its text, never as a parsed tree that would round
//! numbers or reorder members. Only `store/document.rs` makes these and writes them out.

use super::pairs;

/// The text of one JSON value, exactly as it stood in its document.
///
/// It may hold a secret (an invalid profile entry keeps its bytes here), so `Debug` shows only its
/// length.
#[derive(Clone, PartialEq, Eq)]
pub struct Verbatim(Box<str>);

impl Verbatim {
    /// Wraps `text`, which the caller knows to be one whole JSON value.
    pub fn new(text: impl Into<Box<str>>) -> Self {
        Self(text.into())
    }

    /// The text of the value.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Verbatim {
    /// An object without members.
    fn default() -> Self {
        Self::new("{}")
    }
}

impl std::fmt::Debug for Verbatim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Verbatim({} bytes)", self.0.len())
    }
}

/// The members of an object that we do not know, in the order of the document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extra(pub Vec<(String, Verbatim)>);

impl Extra {
    /// The text of the member called `name`, if there is one.
    pub fn get(&self, name: &str) -> Option<&str> {
        pairs::get(&self.0, |key| key == name).map(Verbatim::as_str)
    }

    /// Sets a member, in its old place if it is there.
    pub fn set(&mut self, name: &str, value: Verbatim) {
        *pairs::entry(&mut self.0, |key| key == name, name) = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_content() {
        let kept = Verbatim::new(r#"{"token":"MARKER"}"#);
        assert_eq!(format!("{kept:?}"), "Verbatim(18 bytes)");
        let extra = Extra(vec![("custom".into(), kept)]);
        assert!(!format!("{extra:?}").contains("MARKER"));
    }
}
