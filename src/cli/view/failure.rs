//! A failure as a person reads it: what and why, what became of the credentials, what to do.

use crate::app::failure::{Failure, Kind, StoreEffect};
use crate::cli::hint::Renderer;
use crate::cli::printer::Printer;

/// Prints it on stderr.
pub fn print(printer: &Printer, hints: &Renderer, failure: &Failure) {
    for line in lines(hints, failure) {
        printer.line_err(&line);
    }
}

/// Its lines.
pub fn lines(hints: &Renderer, failure: &Failure) -> Vec<String> {
    if let (Kind::Cancelled(_), StoreEffect::Nothing) = (failure.kind, failure.touched) {
        return vec!["Cancelled. Nothing was stored.".to_owned()];
    }
    let mut lines = vec![format!("Error: {}", failure.message)];
    // For a misspelt option nobody fears for a credential.
    let says_so = !matches!(failure.kind, Kind::Usage | Kind::NotFound);
    match failure.touched {
        StoreEffect::Nothing if says_so => lines.push("No credential was changed.".to_owned()),
        StoreEffect::Nothing => {}
        StoreEffect::Changed => lines.push("The credential store was changed.".to_owned()),
        StoreEffect::MaybeSpent => lines.push(
            "No stored credential was changed, but the refresh token may be spent.".to_owned(),
        ),
        StoreEffect::Saved => lines.push(
            "The stored credential is spent; its successor is safe, and the next command stores it."
                .to_owned(),
        ),
    }
    if let Some(hint) = &failure.hint {
        lines.push(format!("Try: {}", hints.text(hint)));
    }
    lines
}
