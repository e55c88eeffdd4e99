//! `gateway doctor`.

use serde_json::{Value, json};

use super::wrap::Sheet;
use crate::app::database::check::{Check, Report};
use crate::app::doctor::Status;
use crate::cli::hint::Renderer;
use crate::cli::printer::Tone;

/// The document.
pub fn document(report: &Report, hints: &Renderer) -> Value {
    let check = |check: &Check| {
        let verdict = &check.verdict;
        json!({
            "name": check.name,
            "status": verdict.status,
            "found": hints.text(&verdict.found),
            "advice": verdict.advice.as_ref().map(|advice| hints.text(advice)),
        })
    };
    json!({
        "schema": 1,
        "database": report.at,
        "ok": report.count(Status::Failed) == 0,
        "failed": report.count(Status::Failed),
        "warnings": report.count(Status::Warning),
        "checks": report.checks.iter().map(check).collect::<Vec<_>>(),
    })
}

/// A line for each check.
pub fn text(report: &Report, hints: &Renderer) -> String {
    let mut page = Sheet::default();
    page.line(&format!("Database: {}", report.at));
    let width = report.checks.iter().map(|check| check.name.len()).max();
    let width = width.unwrap_or_default();
    for Check { name, verdict } in &report.checks {
        let tone = match verdict.status {
            Status::Ok => Tone::Ok,
            Status::Warning => Tone::Warn,
            Status::Failed => Tone::Error,
        };
        // Aligned before it is painted: a color has no width.
        let status = tone.paint(&format!("{:<7}", verdict.status.as_ref()));
        let mut words = hints.text(&verdict.found);
        if let Some(advice) = &verdict.advice {
            words = format!("{words}; {}", hints.text(advice));
        }
        page.line(&format!("{name:<width$}  {status}  {words}"));
    }
    page.into_text()
}
