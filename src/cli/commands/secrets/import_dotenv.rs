//! `secrets import --from FILE`.

use std::ops::RangeInclusive;
use std::path::Path;

use serde_json::json;

use super::export::count;
use super::imported::{Manner, is_stored, said};
use crate::app::secrets::import_dotenv::{self, Outcome};
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::model::hint::Command;

pub(super) fn run(system: &System, file: &Path, how: Manner) -> Answer {
    let outcome = import_dotenv::run(system.context(), file, (how.force, how.dry_run))?;
    let is_changed = !how.dry_run && outcome.secrets.iter().any(|row| is_stored(&row.action));
    let lines = outcome
        .stored
        .iter()
        .map(|lines| [lines.start(), lines.end()]);
    let output = match how.json {
        true => Output::json(&json!({
            "path": outcome.path,
            "dryRun": how.dry_run,
            "secrets": outcome.secrets,
            "left": outcome.left,
            "storedLines": lines.collect::<Vec<_>>(),
            "newKey": outcome.new_key,
        })),
        false => Output::text(text(&outcome, how, system)),
    };
    Ok(output.changed(is_changed))
}

fn text(outcome: &Outcome, how: Manner, system: &System) -> String {
    let stored = outcome.secrets.iter().filter(|row| is_stored(&row.action));
    let (verb, secrets) = (how.verb(), count(stored.count(), "secret"));
    let path = outcome.path.display();
    let mut text = format!("{verb} {secrets} from {path}\n");
    for row in &outcome.secrets {
        text.push_str(&format!("  {}: {}\n", row.name, said(&row.action)));
    }
    for left in &outcome.left {
        let (line, reason) = (left.line, left.reason);
        text.push_str(&format!("  line {line}: not imported, because {reason}\n"));
    }
    if let Some(key) = &outcome.new_key {
        let second = Command::new("secrets slot add --passphrase");
        let second = system.hints.command(&second);
        text.push_str(&format!(
            "Key: {key}. Without it nothing opens the secrets; to add a second one: {second}\n"
        ));
    }
    if !how.dry_run && !outcome.stored.is_empty() {
        text.push_str(&format!(
            "The file was not changed. You can remove {} of it: ${{secret:NAME}} finds the stored values, but a program that reads the variables does not\n",
            spoken(&outcome.stored)
        ));
    }
    text
}

/// Lines in words, those that follow one another together.
fn spoken(stored: &[RangeInclusive<usize>]) -> String {
    let mut joined: Vec<(usize, usize)> = Vec::new();
    for lines in stored {
        match joined.last_mut() {
            Some((_, last)) if *last + 1 == *lines.start() => *last = *lines.end(),
            _ => joined.push((*lines.start(), *lines.end())),
        }
    }
    let noun = match joined.as_slice() {
        [(first, last)] if first == last => "line",
        _ => "lines",
    };
    let parts = joined.iter().map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    });
    format!("{noun} {}", parts.collect::<Vec<_>>().join(", "))
}
