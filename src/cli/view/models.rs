//! `models list`, `aliases list` and `fallbacks list`.

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use super::members;
use super::wrap::{Sheet, padded};
use crate::app::models::list::{Outcome, Row};
use crate::model::id::printable;

/// The models in the shape of the reference release. What only a catalogue of models knows is
/// `null`.
pub fn list_document(outcome: &Outcome) -> Value {
    let models = outcome.rows.iter().map(|row| {
        let key = row.reference.to_string();
        json!({
            "key": key,
            "name": key,
            "input": "-",
            "contextWindow": null,
            "local": null,
            "available": row.available,
            "tags": row.tags,
            "missing": false,
        })
    });
    let models: Vec<Value> = models.collect();
    json!({ "count": models.len(), "models": models })
}

/// The models as a table.
pub fn list_text(outcome: &Outcome) -> String {
    let mut page = Sheet::default();
    if outcome.rows.is_empty() {
        page.line("No models found.");
        return page.into_text();
    }
    let name = |row: &Row| printable(&row.reference.to_string(), 120);
    let widths = outcome.rows.iter().map(|row| name(row).width());
    let width = widths.max().unwrap_or(0).max(5);
    page.line(&format!("{:<width$}  Auth  Tags", "Model"));
    for row in &outcome.rows {
        let name = name(row);
        let available = if row.available { "yes" } else { "no" };
        let tags = printable(&row.tags.join(","), 200);
        let name = padded(&name, width);
        page.line(&format!("{name}  {available:<4}  {tags}"));
    }
    page.into_text()
}

/// The models alone, one on each line.
pub fn list_plain(outcome: &Outcome) -> String {
    let mut page = Sheet::default();
    for row in &outcome.rows {
        page.line(&row.reference.to_string());
    }
    page.into_text()
}

/// The aliases.
pub fn aliases_document(aliases: &[(String, String)]) -> Value {
    json!({ "aliases": members(aliases) })
}

/// The aliases as people read them, or one on each line before its model.
pub fn aliases_text(aliases: &[(String, String)], plain: bool) -> String {
    let between = if plain { " " } else { " -> " };
    let lines = aliases.iter();
    let lines: Vec<String> = lines
        .map(|(alias, reference)| printable(&format!("{alias}{between}{reference}"), 300))
        .collect();
    entries("Aliases", &lines, plain)
}

/// A counted list, or its lines alone.
pub fn entries(title: &str, entries: &[String], plain: bool) -> String {
    let mut page = Sheet::default();
    if !plain {
        page.line(&format!("{title} ({}):", entries.len()));
        if entries.is_empty() {
            page.line("- none");
        }
    }
    let mark = if plain { "" } else { "- " };
    for entry in entries {
        page.line(&format!("{mark}{}", printable(entry, 300)));
    }
    page.into_text()
}
