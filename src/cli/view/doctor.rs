//! `doctor`.

use serde_json::{Value, json};

use super::wrap::Sheet;
use crate::app::doctor::{Check, Report, Status};
use crate::cli::hint::Renderer;
use crate::cli::printer::Tone;

/// The document.
pub fn document(report: &Report, hints: &Renderer) -> Value {
    let checks = report.checks.iter().map(|it| check(it, hints));
    json!({
        "schema": 1,
        "stateDir": report.state,
        "ok": report.count(Status::Failed) == 0,
        "failed": report.count(Status::Failed),
        "warnings": report.count(Status::Warning),
        "checks": checks.collect::<Vec<_>>(),
    })
}

fn check(check: &Check, hints: &Renderer) -> Value {
    let verdict = &check.verdict;
    json!({
        "name": check.name,
        "path": check.place,
        "status": verdict.status,
        "found": hints.text(&verdict.found),
        "advice": verdict.advice.as_ref().map(|advice| hints.text(advice)),
    })
}

/// A line for each check.
pub fn text(report: &Report, hints: &Renderer) -> String {
    let mut page = Sheet::default();
    page.line(&format!("State directory: {}", report.state.display()));
    let names = report.checks.iter().map(|check| check.name.len());
    let width = names.max().unwrap_or(0);
    for check in &report.checks {
        line(&mut page, check, report, (width, hints));
    }
    let counted = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        _ => format!("{count} {what}s"),
    };
    let (failed, warnings) = (report.count(Status::Failed), report.count(Status::Warning));
    page.line(&match (failed, warnings) {
        (0, 0) => Tone::Ok.paint("All checks passed."),
        (0, _) => format!("No failure, {}.", counted(warnings, "warning")),
        _ => Tone::Error.paint(&format!(
            "{}: credentials are not safe here.",
            counted(failed, "failure")
        )),
    });
    page.into_text()
}

fn line(page: &mut Sheet, check: &Check, report: &Report, (width, hints): (usize, &Renderer)) {
    let verdict = &check.verdict;
    let tone = match verdict.status {
        Status::Ok => Tone::Ok,
        Status::Warning => Tone::Warn,
        Status::Failed => Tone::Error,
    };
    // Aligned before it is painted: a color has no width.
    let status = format!("{:<7}", verdict.status.as_ref());
    let mut words = hints.text(&verdict.found);
    let place = check.place.display().to_string();
    if check.place != report.state && !words.contains(&place) {
        words = format!("{words} ({place})");
    }
    if let Some(advice) = &verdict.advice {
        words = format!("{words}; {}", hints.text(advice));
    }
    let name = format!("{:<width$}", check.name.replace('_', " "));
    page.line(&format!("{name}  {}  {words}", tone.paint(&status)));
}
