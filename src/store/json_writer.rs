//! JSON objects put together with the layout that OpenClaw writes: two spaces, a member a line.

use std::io;

use crate::model::json::Verbatim;
use crate::model::secret::{self, Secret};

/// Writes JSON as `JSON.stringify(value, null, 2)` does.
///
/// What it writes holds secrets, so a buffer that it outgrows is wiped.
pub(super) struct Writer {
    out: Vec<u8>,
    depth: usize,
    empty: bool,
}

impl Writer {
    /// Writes one object: `fill` adds its members.
    pub(super) fn object(fill: impl FnOnce(&mut Self)) -> Self {
        let mut writer = Self {
            out: Vec::with_capacity(16 * 1024),
            depth: 0,
            empty: true,
        };
        writer.nest(["{", "}"], fill);
        writer
    }

    /// The text with a newline at its end.
    pub(super) fn into_file(mut self) -> Secret<Vec<u8>> {
        self.put(b"\n");
        Secret::new(self.out)
    }

    /// The text as the value of a member that is kept.
    pub(super) fn into_verbatim(self) -> Verbatim {
        let text = String::from_utf8(self.out).expect("only whole strings are ever written");
        Verbatim::new(text)
    }

    /// Adds a member that is an object.
    pub(super) fn member(&mut self, name: &str, fill: impl FnOnce(&mut Self)) {
        self.name(name);
        self.nest(["{", "}"], fill);
    }

    /// Adds a member that is a list of strings.
    pub(super) fn list(&mut self, name: &str, items: &[String]) {
        self.name(name);
        self.nest(["[", "]"], |list| {
            for item in items {
                list.item();
                list.quoted(item);
            }
        });
    }

    /// Adds a member that is a string.
    pub(super) fn text(&mut self, name: &str, value: &str) {
        self.name(name);
        self.quoted(value);
    }

    /// Adds a member whose value is JSON already.
    pub(super) fn raw(&mut self, name: &str, value: &str) {
        self.name(name);
        self.put(value.as_bytes());
    }

    fn name(&mut self, name: &str) {
        self.item();
        self.quoted(name);
        self.put(b": ");
    }

    fn nest(&mut self, [open, close]: [&str; 2], fill: impl FnOnce(&mut Self)) {
        self.put(open.as_bytes());
        self.empty = true;
        self.depth += 1;
        fill(self);
        self.depth -= 1;
        if !self.empty {
            self.newline();
        }
        self.empty = false;
        self.put(close.as_bytes());
    }

    fn item(&mut self) {
        if !std::mem::replace(&mut self.empty, false) {
            self.put(b",");
        }
        self.newline();
    }

    fn newline(&mut self) {
        self.put(b"\n");
        for _ in 0..self.depth {
            self.put(b"  ");
        }
    }

    fn quoted(&mut self, text: &str) {
        serde_json::to_writer(self, text).expect("writing a string into memory cannot fail");
    }

    fn put(&mut self, bytes: &[u8]) {
        secret::extend(&mut self.out, bytes);
    }
}

impl io::Write for &mut Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_is_what_stringify_writes() {
        let mut long = Writer::object(|w| {
            w.member("none", |_| ());
            w.list("list", &["a".into(), "b".into()]);
            w.text("text", "\u{7}\"é\n");
        });
        long.put(&[b' '; 20_000]);
        let text = long.into_verbatim();
        let expected = "{\n  \"none\": {},\n  \"list\": [\n    \"a\",\n    \"b\"\n  ],\n  \"text\": \"\\u0007\\\"é\\n\"\n}";
        assert_eq!(text.as_str().trim_end(), expected);
    }
}
