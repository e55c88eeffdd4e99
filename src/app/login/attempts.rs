//! All logins that wait for their code: those that can be read, those that are locked, and what a crash
//! left of others.

use std::path::PathBuf;

use crate::model::secret::Secret;
use crate::model::vault::{About, VaultFault};

use super::file_name;
use super::pending::{Pending, SUFFIX, directory, lock, path, seal_of};
use crate::app::context::Context;
use crate::app::failure::Failure;

/// The age in milliseconds at which a file that is not an attempt was left behind by a crash.
const LEFT_BEHIND: i64 = 24 * 60 * 60 * 1_000;

/// The attempts that are there.
#[derive(Default)]
pub(super) struct Attempts {
    /// Those that could be read.
    pub(super) open: Vec<Pending>,
    /// The names of those that are sealed and do not open.
    closed: Vec<String>,
    /// Why they do not.
    pub(super) fault: Option<VaultFault>,
}

/// Lists all attempts, expired ones included. One that others could have written is left out, and a
/// warning says so.
///
/// # Errors
/// If the directory or one of the other files cannot be read.
pub(super) fn all(cx: Context<'_>) -> Result<Attempts, Failure> {
    let mut found = Attempts::default();
    for id in ids(cx)? {
        let id = id.as_str();
        let bytes = match cx.files.read_settings(&path(cx, id)) {
            // What others could have written is no login of this user, and must not prevent one.
            Err(error) if error.is_refused() => {
                cx.warn(format!("{error}; it is not used. Try: {}", error.remedy()));
                continue;
            }
            other => other?.map(Secret::new),
        };
        let Some(bytes) = bytes else {
            continue;
        };
        match Pending::read(cx, id, &bytes) {
            Ok(attempt) => found.open.extend(attempt),
            // It must not keep the others away, which may have been begun before the store was sealed.
            Err(fault) => {
                found.closed.push(id.to_owned());
                found.fault = Some(fault);
            }
        }
    }
    Ok(found)
}

/// The names of all attempts.
fn ids(cx: Context<'_>) -> Result<Vec<String>, Failure> {
    let names = cx.files.list(&directory(cx))?.into_iter();
    let ids = names.filter_map(|name| {
        let id = name.strip_suffix(SUFFIX)?;
        file_name::is_one(id).then(|| id.to_owned())
    });
    Ok(ids.collect())
}

/// Writes the attempts anew that are not sealed as the vault says; returns the files that were left as
/// they are.
///
/// # Errors
/// As [`lock`]; if the vault does not open, or a file cannot be written.
pub(super) fn reseal(cx: Context<'_>) -> Result<Vec<PathBuf>, Failure> {
    let mut left = Vec::new();
    if ids(cx)?.is_empty() {
        return Ok(left);
    }
    let sealer = cx.sealer()?;
    let _lock = lock(cx)?;
    for id in ids(cx)? {
        let bytes = match cx.files.read_settings(&path(cx, &id)) {
            Err(error) if error.is_refused() => {
                left.push(path(cx, &id));
                continue;
            }
            other => other?.map(Secret::new),
        };
        let Some(bytes) = bytes else {
            continue;
        };
        let is_as_meant = match (seal_of(&bytes), &sealer) {
            (None, sealer) => sealer.is_none(),
            (Some(_), None) => false,
            (Some(seal), Some(sealer)) => !sealer.is_outdated(About::Login(&id), &seal),
        };
        match Pending::read(cx, &id, &bytes)? {
            Some(_) if is_as_meant => {}
            Some(attempt) => attempt.write(cx)?,
            None => left.push(path(cx, &id)),
        }
    }
    Ok(left)
}

/// Removes expired attempts, and what a crash left. What cannot be removed stays for the next time.
pub(super) fn sweep(cx: Context<'_>, attempts: &Attempts) {
    let now = cx.clock.now();
    for attempt in attempts.open.iter().filter(|attempt| attempt.is_over(now)) {
        let _ = attempt.remove(cx);
    }
    let directory = directory(cx);
    for name in cx.files.list(&directory).unwrap_or_default() {
        let path = directory.join(&name);
        let ours = name.ends_with(SUFFIX) || name.ends_with(".tmp");
        let stat = cx.files.stat(&path).ok().flatten();
        let left = stat.is_some_and(|stat| stat.modified.until(now) > LEFT_BEHIND);
        let open = attempts.open.iter().map(|attempt| &attempt.id);
        let mut known = open.chain(&attempts.closed);
        if ours && left && !known.any(|id| name.starts_with(id)) {
            let _ = cx.files.remove(&path);
        }
    }
}
