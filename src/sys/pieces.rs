//! Files that are opened for reading, and read piece by piece.
#![expect(
    clippy::disallowed_methods,
    reason = "this file implements the file system's port"
)]

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::file_trust::{check_file, check_link, check_owner_of};
use super::fs_error::{failed, refuse_kind, refuse_special};
use crate::ports::files::{FileError, Pieces};

/// Opens a file that this user or root owns. It costs one call where nothing is there, which is the
/// usual case of some files.
pub(super) fn open(path: &Path) -> io::Result<(File, Metadata)> {
    let (file, data) = open_any(path, OFlags::NOFOLLOW)?;
    check_file(path, &data)?;
    Ok((file, data))
}

/// Opens a file of anybody, and nothing that is none: a pipe without a writer would be waited for.
/// With `NOFOLLOW` a link is followed that this user or root has made.
pub(super) fn open_any(path: &Path, links: OFlags) -> io::Result<(File, Metadata)> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | links;
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(flags.bits().cast_signed());
    let file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error),
        Err(error) if is_link(&error) && links.contains(OFlags::NOFOLLOW) => {
            check_link(path)?;
            return open_any(path, OFlags::empty());
        }
        Err(error) => {
            // The socket is named; a file is waited for that another machine has a claim on.
            refuse_special(path)?;
            match error.kind() {
                io::ErrorKind::WouldBlock => File::open(path)?,
                // Whose it is tells more than that it is closed.
                io::ErrorKind::PermissionDenied => {
                    check_owner_of(path)?;
                    return Err(error);
                }
                _ => return Err(error),
            }
        }
    };
    let data = file.metadata()?;
    refuse_kind(data.file_type())?;
    Ok((file, data))
}

/// Whether a file was not opened because its name is a link; a loop of links is told of by the next
/// try.
pub(super) fn is_link(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::LOOP.raw_os_error())
}

/// A file that is read piece by piece, and what it was when it was opened.
pub(super) struct Opened {
    file: File,
    data: Metadata,
    path: PathBuf,
}

impl Opened {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let (file, data) = open(path)?;
        let path = path.to_owned();
        Ok(Self { file, data, path })
    }
}

impl Pieces for Opened {
    fn size(&self) -> u64 {
        self.data.len()
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, FileError> {
        loop {
            match self.file.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => return read.map_err(failed("read", &self.path)),
            }
        }
    }

    fn is_unchanged(&self) -> Result<bool, FileError> {
        let now = self.file.metadata().map_err(failed("read", &self.path))?;
        // The time of modification can be set back, as archivers do it. That of a change cannot; it
        // moves with the name, too, which costs another look.
        let state = |data: &Metadata| {
            let modified = (data.mtime(), data.mtime_nsec());
            (data.len(), modified, data.ctime(), data.ctime_nsec())
        };
        Ok(state(&now) == state(&self.data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Write;

    #[test]
    fn who_writes_to_a_file_that_is_read_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        fs::File::create(&path).unwrap().write_all(b"old").unwrap();
        let mut opened = Opened::open(&path).unwrap();
        let mut buffer = [0; 2];
        assert_eq!((opened.size(), opened.read(&mut buffer).unwrap()), (3, 2));
        assert!(opened.is_unchanged().unwrap());
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"new").unwrap();
        assert!(!opened.is_unchanged().unwrap());
        assert_eq!(opened.read(&mut buffer).unwrap(), 2);
        // As long as before, and said to be as old.
        let opened = Opened::open(&path).unwrap();
        // The system's clock has steps.
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write(&path, b"again!").unwrap();
        file.set_modified(opened.data.modified().unwrap()).unwrap();
        assert_eq!(file.metadata().unwrap().len(), opened.size());
        assert!(!opened.is_unchanged().unwrap());
    }
}
