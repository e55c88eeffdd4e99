//! What a command answers, printed once it is done.

use serde::Serialize;

use super::printer::Printer;
use super::view::pretty;
use crate::app::failure::Failure;

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
    pub fn line(line: &str) -> Self {
        Self::text(format!("{line}\n"))
    }

    /// One line for programs, on standard output byte for byte: a token is what it is, and no
    /// terminal's business.
    pub fn verbatim(line: &str) -> Self {
        Self {
            is_verbatim: true,
            ..Self::line(line)
        }
    }

    /// A JSON document for standard output, indented as OpenClaw does it.
    pub fn json(document: &impl Serialize) -> Self {
        Self::verbatim(&pretty(document))
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
        for note in &self.notes {
            printer.line_err(note);
        }
        if let (None, Some(error)) = (&self.failure, printer.lost()) {
            return Err(Failure::unwritten(error, self.changed));
        }
        self.failure.map_or(Ok(self.code), Err)
    }
}
