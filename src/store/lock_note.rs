//! What OpenClaw's locks look like while ours share them: the note in the file of the kernel lock
//! that each member holds.

use std::path::Path;

use crate::model::time::Timestamp;
use crate::ports::files::FileError;

use super::io::Io;
use super::lock_path::{LockFingerprint, LockPath};

/// What a line of the note begins with that describes a lock.
const WORD: &str = "lock";

/// How one of OpenClaw's locks looks, by the name of its path.
pub(super) type Mark = (String, LockFingerprint);

/// The note: a line for people, then a line for each look of each lock.
pub(super) fn note_of(who: &str, marks: impl Iterator<Item = Mark>) -> String {
    let lines = marks.map(|(name, mark)| {
        let (device, inode) = mark.identity;
        let modified = mark.modified.0;
        format!("{WORD} {device} {inode} {modified} {name}\n")
    });
    std::iter::once(who.to_owned()).chain(lines).collect()
}

/// How the locks look, by the note.
pub(super) fn noted(io: &Io, proof: &Path) -> Result<Vec<Mark>, FileError> {
    let note = io.files.read(proof)?.unwrap_or_default();
    let note = String::from_utf8_lossy(&note);
    let lines = note.lines().filter_map(|line| {
        let mut words = line.splitn(5, ' ');
        let is_lock = words.next()? == WORD;
        let identity = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let modified = Timestamp(words.next()?.parse().ok()?);
        let name = words.next()?.to_owned();
        is_lock.then_some((name, LockFingerprint { identity, modified }))
    });
    Ok(lines.collect())
}

/// How the lock at a site looks, if it is one of ours.
pub(super) fn find(
    io: &Io,
    marks: &[Mark],
    site: &LockPath,
) -> Result<Option<LockFingerprint>, FileError> {
    let name = name_of(&site.path);
    for (_, mark) in marks.iter().filter(|(other, _)| *other == name) {
        if mark.is_at(&*io.files, &site.path)? {
            return Ok(Some(*mark));
        }
    }
    Ok(None)
}

/// A path in one line, whatever its bytes are.
pub(super) fn name_of(path: &Path) -> String {
    format!("{path:?}")
}
