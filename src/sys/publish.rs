//! Giving a file a name that nothing bears.
#![expect(clippy::disallowed_methods, reason = "this file names files")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::Path;

use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;

use super::sync::sync_directory;
use crate::ports::files::InPlace;

/// See [`Files::rename_new`](crate::ports::files::Files::rename_new).
pub(super) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    let renamed = rustix::fs::renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE);
    renamed.map_err(|errno| match errno {
        Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP => ErrorKind::Unsupported.into(),
        errno => io::Error::from(errno),
    })
}

/// See [`Files::publish`](crate::ports::files::Files::publish).
pub(super) fn publish(from: &Path, to: &Path) -> io::Result<()> {
    match rename_new(from, to) {
        Err(error) if error.kind() == ErrorKind::Unsupported => replace_empty(from, to)?,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => replace_empty(from, to)?,
        other => other?,
    }
    let parent = to.parent().ok_or(ErrorKind::NotFound)?;
    let synced = File::open(parent).and_then(|directory| sync_directory(&directory));
    synced.map_err(|error| io::Error::other(InPlace(error)))
}

/// Takes the name by an empty file first, which a crash may have left, and replaces that.
fn replace_empty(from: &Path, to: &Path) -> io::Result<()> {
    let taken = OpenOptions::new().write(true).create_new(true).open(to);
    let is_ours = taken.is_ok();
    if let Err(error) = taken {
        let there = fs::symlink_metadata(to)?;
        if !there.is_file() || there.len() > 0 {
            return Err(error);
        }
    }
    let renamed = fs::rename(from, to);
    // A rename that failed on a network may have been done all the same.
    if renamed.is_err() && is_ours && fs::symlink_metadata(to).is_ok_and(|there| there.len() == 0) {
        let _ = fs::remove_file(to);
    }
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_something_bears_is_left_to_it_unless_that_is_empty() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::write(at("draft"), "new").unwrap();
        fs::write(at("taken"), "old").unwrap();
        let refused = publish(&at("draft"), &at("taken")).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(at("taken")).unwrap(), b"old");
        std::os::unix::fs::symlink(at("nothing"), at("link")).unwrap();
        let refused = publish(&at("draft"), &at("link")).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
        fs::write(at("empty"), "").unwrap();
        publish(&at("draft"), &at("empty")).unwrap();
        assert_eq!(fs::read(at("empty")).unwrap(), b"new");
        fs::write(at("draft"), "newer").unwrap();
        replace_empty(&at("draft"), &at("fresh")).unwrap();
        assert_eq!(fs::read(at("fresh")).unwrap(), b"newer");
        replace_empty(&at("missing"), &at("unborn")).unwrap_err();
        assert!(!at("unborn").exists());
    }
}
