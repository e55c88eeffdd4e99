//! A file that lies ready, so that what must not be lost needs one write and one fsync.
#![expect(clippy::disallowed_methods, reason = "this file writes files")]

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::atomic_write::{allocate, create_new};
use super::file_trust::check_target;
use super::fs_error::failed;
use super::ownership;
use super::sync::sync_directory;
use crate::ports::files::{FileError, Prepared};

/// See [`crate::ports::files::Files::prepare`].
pub(super) struct Slot {
    path: PathBuf,
    file: File,
}

impl Slot {
    pub(super) fn create(path: &Path, head: &[u8], room: u64) -> Result<Self, FileError> {
        let create = || -> io::Result<File> {
            check_target(path)?;
            let parent = path.parent().ok_or(io::ErrorKind::NotFound)?;
            let directory = File::open(parent)?;
            let mut file = create_new(path)?;
            ownership::like_parent(&file, path);
            let fill = |file: &mut File| -> io::Result<()> {
                let start = head.len() as u64;
                file.write_all(head)?;
                allocate(file, start, room)?;
                file.seek(SeekFrom::Start(start))?;
                // The head becomes durable with what is appended; alone it is worth nothing.
                sync_directory(&directory)
            };
            if let Err(error) = fill(&mut file) {
                let _ = std::fs::remove_file(path);
                return Err(error);
            }
            Ok(file)
        };
        let file = create().map_err(failed("reserve", path))?;
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }
}

impl Prepared for Slot {
    fn append(&mut self, bytes: &[u8]) -> Result<(), FileError> {
        self.file
            .write_all(bytes)
            .and_then(|()| self.file.sync_data())
            .and_then(|()| has_name(&self.file))
            .map_err(failed("write", &self.path))
    }
}

/// Fails if the name of a file was removed meanwhile: what was written goes with its last descriptor.
#[cfg(unix)]
fn has_name(file: &File) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;

    match file.metadata()?.nlink() {
        0 => Err(io::ErrorKind::NotFound.into()),
        _ => Ok(()),
    }
}

/// A file that is open cannot be removed.
#[cfg(not(unix))]
fn has_name(_: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;

    #[test]
    fn what_is_appended_stands_behind_the_head_in_space_that_was_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("slot");
        let mut slot = Slot::create(&path, b"head\n", 8_192).unwrap();
        let before = std::fs::metadata(&path).unwrap();
        assert_eq!(before.permissions().mode() & 0o777, 0o600);
        slot.append(b"the rest").unwrap();
        let after = std::fs::metadata(&path).unwrap();
        assert_eq!(after.blocks(), before.blocks());
        let bytes = std::fs::read(&path).unwrap();
        let rest = bytes.strip_prefix(b"head\nthe rest").unwrap();
        assert!(rest.iter().all(|byte| *byte == 0));
    }

    #[test]
    fn what_has_lost_its_name_is_not_taken_for_saved() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("slot");
        let mut slot = Slot::create(&path, b"head", 10).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(slot.append(b"the rest").is_err());
    }

    #[test]
    fn a_name_that_is_taken_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("slot");
        std::fs::write(&path, "mine").unwrap();
        assert!(Slot::create(&path, b"head", 10).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"mine");
    }
}
