//! Findings: what is wrong with a line of `config.yaml`.

use crate::model::declared::{Finding, Severity, SourceLocation};

/// The known word that looks like `text`.
pub(super) fn near<'a>(text: &str, known: &[&'a str]) -> Option<&'a str> {
    let likeness = |word: &&str| strsim::jaro_winkler(word, text);
    let nearest = known
        .iter()
        .max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    nearest.copied().filter(|word| likeness(word) > 0.85)
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
