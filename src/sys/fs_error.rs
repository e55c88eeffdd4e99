//! What the ports of the file system share: their error, and how a path is resolved.

use std::fs::{self, FileType};
use std::io;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use super::path_walk::MAX_LINKS;
use crate::ports::files::{FileError, SpecialFile};

/// For `map_err`: names the operation and the path.
pub(super) fn failed<'a>(
    operation: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> FileError + 'a {
    move |source| FileError {
        operation,
        path: path.to_owned(),
        source,
    }
}

/// `None` if nothing is there.
pub(super) fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Fails if a device, a pipe or a socket is at `path`, or where it links to.
pub(super) fn refuse_special(path: &Path) -> io::Result<()> {
    let found = if_there(fs::metadata(path))?;
    found.map_or(Ok(()), |data| refuse_kind(data.file_type()))
}

/// Fails for a device, a pipe or a socket: a pipe waits for a writer, a device may do anything.
pub(super) fn refuse_kind(kind: FileType) -> io::Result<()> {
    let name = match kind {
        _ if kind.is_file() || kind.is_dir() => return Ok(()),
        _ if kind.is_fifo() => "a named pipe",
        _ if kind.is_socket() => "a socket",
        _ => "a device",
    };
    Err(io::Error::other(SpecialFile(name)))
}

/// See [`Files::resolve`](crate::ports::files::Files::resolve). A link to a file that does not exist yet leads to where it would be.
pub(super) fn resolve(path: &Path) -> Result<PathBuf, FileError> {
    let follow = || -> io::Result<PathBuf> {
        let mut current = path.to_owned();
        for _ in 0..MAX_LINKS {
            let Some(name) = current.file_name() else {
                return fs::canonicalize(&current);
            };
            let parent = match current.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent,
                _ => Path::new("."),
            };
            let parent = fs::canonicalize(parent)?;
            current = match fs::read_link(&current) {
                Ok(link) => parent.join(link),
                Err(_) => return Ok(parent.join(name)),
            };
        }
        Err(Errno::LOOP.into())
    };
    follow().map_err(failed("resolve", path))
}
