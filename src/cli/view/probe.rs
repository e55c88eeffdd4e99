//! `models status --probe`: its part of the document, and the table.

use unicode_width::UnicodeWidthStr;

use super::wrap::{Sheet, Words, padded};
use crate::app::status::probe::{Outcome, Probes, Status};
use crate::cli::printer::Tone;
use crate::model::collation;
use crate::model::id::printable;

/// What a page is wide.
const WIDTH: usize = 80;
/// The widest model and profile that do not push what follows aside.
const COLUMN: usize = 30;

/// The table, by provider and name.
pub fn text(probes: &Probes) -> String {
    let mut page = Sheet::new(Some(WIDTH));
    let mut results: Vec<&Outcome> = probes.results.iter().collect();
    results.sort_by(|a, b| {
        (a.provider.cmp(&b.provider)).then_with(|| collation::compare(&a.label, &b.label))
    });
    page.line("");
    if !results.is_empty() {
        let rows: Vec<(String, String)> = results.iter().map(|outcome| names(outcome)).collect();
        let wide = |title: &str, of: fn(&(String, String)) -> &String| {
            let widths = rows.iter().map(|row| of(row).width());
            widths.max().unwrap_or(0).clamp(title.len(), COLUMN)
        };
        let widths = [wide("Model", |row| &row.0), wide("Profile", |row| &row.1)];
        let head = row(widths, "Model", "Profile", "Status");
        page.line(&Tone::Bold.paint(&head));
        for (outcome, (model, profile)) in results.iter().zip(&rows) {
            page.line(&row(widths, model, profile, &status(outcome)));
            details(&mut page, outcome);
        }
        page.line("");
    }
    let total = probes.total_targets;
    page.line(&match total {
        0 => "No probe targets.".to_owned(),
        total => {
            let s = if total == 1 { "" } else { "s" };
            format!("Probed {total} target{s} in {}", time(probes.duration_ms))
        }
    });
    page.into_text()
}

fn names(outcome: &Outcome) -> (String, String) {
    let model = match &outcome.model {
        Some(model) => printable(model, 80),
        None => format!("{}/-", outcome.provider),
    };
    (model, format!("{} ({})", outcome.label, outcome.mode))
}

fn row(widths: [usize; 2], model: &str, profile: &str, status: &str) -> String {
    let model = padded(model, widths[0]);
    format!("{model}  {}  {status}", padded(profile, widths[1]))
}

fn status(outcome: &Outcome) -> String {
    let tone = match outcome.status {
        Status::Ok => Tone::Ok,
        Status::Unknown | Status::NoModel => Tone::Dim,
        Status::Timeout | Status::RateLimit => Tone::Warn,
        Status::Auth | Status::Billing | Status::Format => Tone::Error,
    };
    let latency = outcome.latency_ms.map_or_else(|| "-".to_owned(), time);
    format!("{} · {latency}", tone.paint(outcome.status.as_ref()))
}

/// What went wrong, below its row and wrapped.
fn details(page: &mut Sheet, outcome: &Outcome) {
    let Some(error) = outcome.detail.as_ref().or(outcome.error.as_ref()) else {
        return;
    };
    let reason = outcome
        .reason
        .map(|reason| format!(" ({})", reason.as_ref()));
    let text = format!("↳ {error}{}", reason.unwrap_or_default());
    page.flow("  ", 2, 4, &Words::default().toned(Tone::Dim, &text));
}

/// `216ms`, or from a second on `1.2s`.
fn time(millis: i64) -> String {
    match millis {
        ..1_000 => format!("{millis}ms"),
        _ => {
            let tenths = millis.saturating_add(50) / 100;
            match tenths % 10 {
                0 => format!("{}s", tenths / 10),
                rest => format!("{}.{rest}s", tenths / 10),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_the_reference_does() {
        assert_eq!(time(0), "0ms");
        assert_eq!(time(999), "999ms");
        assert_eq!(time(1_000), "1s");
        assert_eq!(time(1_249), "1.2s");
        assert_eq!(time(59_960), "60s");
    }
}
