//! What a command answers, printed once it is done.

use std::io::{self, BufWriter, Stdout};

use serde::Serialize;

use super::printer::Printer;
use super::view::pretty;
use crate::app::failure::Failure;

/// Writes a long text piece by piece.
pub type StreamedText = Box<dyn FnOnce(&mut BufWriter<Stdout>) -> io::Result<()>>;

/// What a command answers, or fails with.
pub type Answer = Result<Output, Failure>;

/// The answer of a command. It may hold a token, so nothing prints it but [`Output::print`].
#[derive(Default)]
#[must_use]
pub struct Output {
    /// For standard output, whole lines.
    pub text: String,
    /// Whether the text is for programs, and printed byte for byte.
    pub is_verbatim: bool,
    /// Writes to standard output, for programs, what is too long for a text.
    pub stream: Option<StreamedText>,
    /// For standard error, below the answer.
    pub notes: Vec<String>,
    /// Whether a credential was changed, which is said if the answer cannot be written.
    pub changed: bool,
    /// The exit code.
    pub code: u8,
    /// What failed although there is an answer.
    pub failure: Option<Failure>,
}

impl Output {
    /// Whole lines for standard output.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    /// One line for standard output.
    pub fn line(line: impl Into<String>) -> Self {
        let mut text = line.into();
        text.push('\n');
        Self::text(text)
    }

    /// One line for programs, on standard output byte for byte: a token is what it is, and no
    /// terminal's business.
    pub fn verbatim(line: impl Into<String>) -> Self {
        Self {
            is_verbatim: true,
            ..Self::line(line)
        }
    }

    /// A JSON document for standard output, indented as OpenClaw does it.
    pub fn json(document: &impl Serialize) -> Self {
        Self::verbatim(pretty(document))
    }

    /// Whole lines for programs, written piece by piece.
    pub fn streamed(
        write: impl FnOnce(&mut BufWriter<Stdout>) -> io::Result<()> + 'static,
    ) -> Self {
        Self {
            stream: Some(Box::new(write)),
            ..Self::default()
        }
    }

    /// With warnings on standard error, below the answer.
    pub fn warnings(mut self, warnings: impl IntoIterator<Item = String>) -> Self {
        let warnings = warnings.into_iter();
        let lines = warnings.map(|warning| format!("Warning: {warning}"));
        self.notes.extend(lines);
        self
    }

    /// Whether a credential was changed, which is said if the answer cannot be written.
    pub fn changed(mut self, changed: bool) -> Self {
        self.changed = changed;
        self
    }

    /// With an exit code other than 0.
    pub fn code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    /// Prints it; the exit code.
    ///
    /// # Errors
    /// If the answer cannot be written, or something failed although there is one.
    pub fn print(self, printer: &Printer) -> Result<u8, Failure> {
        if !self.text.is_empty() {
            let written = match self.is_verbatim {
                true => printer.out_verbatim(&self.text),
                false => printer.out(&self.text),
            };
            written.map_err(|error| Failure::unwritten(&error, self.changed))?;
        }
        if let Some(write) = self.stream {
            let written = printer.out_streamed(write);
            written.map_err(|error| Failure::unwritten(&error, self.changed))?;
        }
        for note in &self.notes {
            printer.line_err(note);
        }
        if let (None, Some(error)) = (&self.failure, printer.lost()) {
            return Err(Failure::unwritten(error, self.changed));
        }
        self.failure.map_or(Ok(self.code), Err)
    }
}
