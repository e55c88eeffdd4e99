//! Findings: what is wrong with a line of `config.yaml`.

use crate::model;
use crate::model::declared::{Finding, Severity, SourceLocation};

/// The known word that looks like `text`.
pub(super) fn near<'a>(text: &str, known: &[&'a str]) -> Option<&'a str> {
    let near = model::near::near(text, known.iter().copied(), 0.85);
    near.first().copied()
}

pub(super) fn finding(severity: Severity, place: &SourceLocation, message: &str) -> Finding {
    Finding {
        severity,
        place: place.clone(),
        message: message.to_owned(),
        instead: None,
    }
}

pub(super) fn error(place: &SourceLocation, message: &str) -> Finding {
    finding(Severity::Error, place, message)
}
