//! `secrets import --from FILE`: the values of a `.env` file become secrets that have names.
//!
//! The file stays as it is. What in it assigns to no name is told by its line alone: a line that is
//! none may well be a key.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::moving::import::{Action, SecretRow};
use super::set;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::model::dotenv::{self, Assignment};
use crate::model::hint::Command;
use crate::model::secret::Secret;
use crate::model::vault::SecretName;
use crate::ports::secrets::LONGEST;

/// What was done, or would be.
#[derive(Debug)]
pub struct Outcome {
    /// The file.
    pub path: PathBuf,
    /// What became of each secret, in the order of the file.
    pub secrets: Vec<SecretRow>,
    /// What was left, and why.
    pub left: Vec<LeftLine>,
    /// The lines whose values are stored, first and last.
    pub stored: Vec<RangeInclusive<usize>>,
    /// In words, where the key lies that was made for it.
    pub new_key: Option<String>,
}

/// A line of which nothing is stored.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct LeftLine {
    /// Its number; the first is 1.
    pub line: usize,
    /// Why.
    pub reason: &'static str,
}

/// Takes the file in. A secret that has another value is replaced only by `force`.
///
/// # Errors
/// If the file cannot be read, or the vault does not open or cannot be written. What was stored before
/// that stays, and a second run does the rest.
pub fn run(
    cx: Context<'_>,
    file: &Path,
    (force, dry_run): (bool, bool),
) -> Result<Outcome, Failure> {
    let path = cx.dirs.cwd.join(file);
    let text = read(cx, &path)?;
    let (wanted, left) = sort(dotenv::assignments(text.expose()));
    let is_new = cx.vault_keys.status()?.is_none();
    if !wanted.is_empty() && !is_new {
        cx.vault.unlock()?;
    }
    let mut outcome = Outcome {
        path,
        secrets: Vec::new(),
        left,
        stored: Vec::new(),
        new_key: None,
    };
    for (name, value, lines) in wanted {
        let there = match is_new {
            true => None,
            false => cx.secrets.get(&name)?,
        };
        let action = match &there {
            None => Action::Added,
            Some(there) if *there == value => Action::Unchanged,
            Some(_) if force => Action::Replaced,
            Some(_) => Action::Kept("another value is stored here".to_owned()),
        };
        if !dry_run && matches!(action, Action::Added | Action::Replaced) {
            cx.uninterrupted()?;
            set::put(cx, &name, &value)?;
        }
        if !matches!(action, Action::Kept(_)) {
            outcome.stored.extend(lines);
        }
        outcome.secrets.push(SecretRow { name, action });
    }
    outcome.stored.sort_by_key(|lines| *lines.start());
    if is_new && !dry_run {
        let status = cx.vault_keys.status()?;
        let first = status.and_then(|status| status.slots.into_iter().next());
        outcome.new_key = first.map(|slot| slot.words);
    }
    Ok(outcome)
}

fn read(cx: Context<'_>, path: &Path) -> Result<Secret<String>, Failure> {
    let wrong = |why: &str| {
        let message = format!("{}: {why}", path.display());
        Failure::new(Kind::Usage, message).hint(Command::new("secrets import --help"))
    };
    let bytes = cx.files.read(path)?;
    let bytes = bytes.ok_or_else(|| wrong("it is not there"))?;
    String::from_utf8(bytes).map(Secret::new).map_err(|error| {
        drop(Secret::new(error.into_bytes()));
        wrong("it is not UTF-8 text")
    })
}

type Wanted = (SecretName, Secret<String>, Vec<RangeInclusive<usize>>);

/// Sorts what can be stored from what cannot. Of two assignments of one name the later counts, and
/// both lines hold nothing else.
fn sort(assignments: Vec<Assignment<'_>>) -> (Vec<Wanted>, Vec<LeftLine>) {
    let (mut wanted, mut left): (Vec<Wanted>, Vec<LeftLine>) = (Vec::new(), Vec::new());
    for Assignment { name, value, lines } in assignments {
        let name = SecretName::parse(name);
        let reason = match (&name, value.expose().len()) {
            (Err(_), _) => "it has no name of capital letters, digits and underscores",
            (_, 0) => "its value is empty",
            (_, length) if length > LONGEST => "its value is longer than 64 KiB",
            _ => "",
        };
        let (Ok(name), "") = (name, reason) else {
            let line = *lines.start();
            left.push(LeftLine { line, reason });
            continue;
        };
        match wanted.iter_mut().find(|(other, _, _)| *other == name) {
            Some(found) => {
                found.1 = value;
                found.2.push(lines);
            }
            None => wanted.push((name, value, vec![lines])),
        }
    }
    (wanted, left)
}
