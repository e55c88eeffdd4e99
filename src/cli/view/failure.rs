//! A failure as a person reads it: what and why, what became of the credentials, what to do.

use std::error::Error;

use serde_json::{Value, json};

use super::wrap::Sheet;
use crate::app::failure::{Failure, Kind, StoreEffect};
use crate::cli::hint::Renderer;
use crate::cli::printer::Printer;
use crate::cli::raw_mode::columns_of_stderr;
use crate::model::hint::Hint;
use crate::model::id::printable;

/// Prints it on stderr, set for the terminal that may be.
pub fn print(printer: &Printer, hints: &Renderer, failure: &Failure) {
    let mut sheet = Sheet::new(columns_of_stderr());
    for line in told(hints, failure) {
        sheet.advice("", &line, hints);
    }
    printer.err(&sheet.into_text());
}

/// Its lines.
pub fn lines(hints: &Renderer, failure: &Failure) -> Vec<String> {
    let told = told(hints, failure);
    told.iter().map(|line| hints.text(line)).collect()
}

fn told(hints: &Renderer, failure: &Failure) -> Vec<Hint> {
    if let (Kind::Cancelled(_), StoreEffect::Nothing) = (failure.kind, failure.touched) {
        return vec!["Cancelled. Nothing was stored.".into()];
    }
    let mut lines = vec![Hint::from(format!("Error: {failure}"))];
    if hints.is_verbose {
        lines.extend(causes(failure).into_iter().map(Hint::from));
    }
    // For a misspelt option nobody fears for a credential.
    let says_so = !matches!(failure.kind, Kind::Usage | Kind::NotFound);
    match failure.touched {
        StoreEffect::Nothing if says_so => lines.push("No credentials were changed.".into()),
        StoreEffect::Nothing => {}
        StoreEffect::Changed => lines.push("The credential store was changed.".into()),
        StoreEffect::MaybeSpent => lines.push(
            "No credentials were changed, but the refresh token may already be used.".into(),
        ),
        StoreEffect::Unclear => lines.push("Credentials may have been changed.".into()),
        StoreEffect::Saved => lines.push(
            "The stored refresh token is already used; its replacement is saved, and the next command stores it."
                .into(),
        ),
    }
    if let Some(hint) = &failure.hint {
        lines.push(Hint::from("Try: ").then(hint.clone()));
    }
    lines
}

/// The same in a document.
pub(super) fn json(failure: &Failure, hints: &Renderer) -> Value {
    json!({
        "kind": failure.kind.as_ref(),
        "message": failure.to_string(),
        "hint": failure.hint.as_ref().map(|hint| hints.text(hint)),
    })
}

/// What a failure comes from, a line each. Errors hold no secrets; what a server or a file put into
/// one must not steer the terminal.
fn causes(failure: &Failure) -> Vec<String> {
    let mut lines = Vec::new();
    let mut above = failure.to_string();
    let mut next = failure.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        // The error of a lower room often is the failure in other clothes.
        if words != above {
            lines.push(format!("  caused by: {}", printable(&words, 400)));
        }
        above = words;
        next = cause.source();
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::files::FileError;
    use crate::ports::store::{MediumError, StoreError};
    use std::path::PathBuf;

    fn told(failure: &Failure, is_verbose: bool) -> Vec<String> {
        let mut hints = Renderer::default();
        hints.is_verbose = is_verbose;
        lines(&hints, failure)
    }

    fn failing(words: &str) -> FileError {
        FileError {
            operation: "write",
            path: PathBuf::from("/state/auth-profiles.json"),
            source: std::io::Error::other(words.to_owned()),
        }
    }

    #[test]
    fn verbose_tells_what_a_failure_comes_from() {
        let failure = Failure::from(failing("the disk\u{1b}[2J is gone"));
        let verbose = told(&failure, true);
        assert_eq!(verbose[1], "  caused by: the disk [2J is gone");
        assert_eq!(told(&failure, false).len(), verbose.len() - 1);
        let within = StoreError::Unavailable(MediumError {
            cause: Box::new(failing("full")),
            remedy: "free some disk space".to_owned(),
            is_refused: false,
            is_done: false,
        });
        assert_eq!(told(&within.into(), true)[1], "  caused by: full");
        // No lower room failed.
        let failure = Failure::new(Kind::Usage, "no");
        assert_eq!(told(&failure, true), ["Error: no"]);
    }
}
