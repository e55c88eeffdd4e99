//! JSON with two spaces of indent, as `serde_json` sets it, but each break written at once: a store of
//! thousands of profiles makes a document of megabytes.

use std::io::{self, Write};

use serde_json::ser::Formatter;

use super::escape::write_fragment;

/// Sets a document with one member or value on each line.
#[derive(Default)]
pub(super) struct Indented {
    /// How deep it is now.
    depth: usize,
    /// Whether the innermost list or object holds anything.
    has_value: bool,
}

/// A break between two values, and one before the first, with the blanks of sixteen levels.
const BREAK: &[u8] = b",\n                                ";

impl Indented {
    fn open<W: ?Sized + Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.has_value = false;
        writer.write_all(bracket)
    }

    fn close<W: ?Sized + Write>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if self.has_value {
            self.start(writer, true)?;
        }
        // It is a value of what is around it.
        self.has_value = true;
        writer.write_all(bracket)
    }

    fn start<W: ?Sized + Write>(&self, writer: &mut W, is_first: bool) -> io::Result<()> {
        // Without its comma.
        let skipped = usize::from(is_first);
        let text = &BREAK[skipped..];
        let end = 2 - skipped + self.depth * 2;
        match text.get(..end) {
            Some(text) => writer.write_all(text),
            None => {
                writer.write_all(text)?;
                (text.len()..end).try_for_each(|_| writer.write_all(b" "))
            }
        }
    }
}

impl Formatter for Indented {
    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        write_fragment(writer, fragment)
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        is_first: bool,
    ) -> io::Result<()> {
        self.start(writer, is_first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        is_first: bool,
    ) -> io::Result<()> {
        self.start(writer, is_first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.has_value = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::pretty;
    use serde_json::json;

    #[test]
    fn a_document_is_set_as_by_serde_json() {
        let mut deep = json!({ "a": [], "b": {}, "c": [[], [1, "x\"\n"], {}], "d": null });
        for _ in 0..40 {
            assert_eq!(pretty(&deep), serde_json::to_string_pretty(&deep).unwrap());
            deep = json!([{ "deep": deep, "e": [true] }]);
        }
    }
}
