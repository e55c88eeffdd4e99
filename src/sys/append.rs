//! Adding to the end of a file, durably.
//!
//! One sync, where a replace takes two: what was there is not touched, so a crash in the middle
//! leaves it, and a part of what was added.
#![expect(clippy::disallowed_methods, reason = "this file writes files")]

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

use super::atomic_write::create_new;
use super::file_trust::check_target;
use super::fs_error::{if_there, refuse_special};
use super::ownership;
use super::sync::sync_directory;

const FLAGS: i32 = OFlags::NOFOLLOW.bits().cast_signed();

/// See [`Files::append`](crate::ports::files::Files::append).
pub(super) fn append(path: &Path, bytes: &[u8]) -> io::Result<()> {
    refuse_special(path)?;
    check_target(path)?;
    let found = OpenOptions::new()
        .write(true)
        .custom_flags(FLAGS)
        .open(path);
    let found = if_there(found)?;
    let is_new = found.is_none();
    let mut file = match found {
        Some(file) => file,
        None => create_new(path)?,
    };
    if is_new {
        ownership::like_parent(&file, path);
    }
    file.seek(SeekFrom::End(0))?;
    file.write_all(bytes)?;
    file.sync_data()?;
    match path.parent().filter(|_| is_new) {
        Some(directory) => sync_directory(&File::open(directory)?),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn what_is_added_stands_behind_what_was_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        append(&path, b"one\n").unwrap();
        append(&path, b"two\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"one\ntwo\n");
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(append(dir.path(), b"x").is_err());
    }
}
